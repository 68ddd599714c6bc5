/* SPDX-License-Identifier: MIT */
/* Page faults of a program in a space of its own, answered by this thread as its pager. The program is a page
 * of code: it loads or stores where rdi says, counts in rax, and loops. */
#include "ring3.h"

#define CODE  0x10000000ull
#define DATA  0x10200000ull
#define STACK 0x10400000ull

static u32 pager, exceptions, space, thread, reply_slot;

/* store: mov [rdi], rsi; load: mov rbx, [rdi]; then rdi += rdx, and again. */
static const u8 store_loop[] = {0x48, 0x89, 0x37, 0x48, 0x01, 0xd7, 0xeb, 0xf8};
static const u8 load_loop[] = {0x48, 0x8b, 0x1f, 0x48, 0x01, 0xd7, 0xeb, 0xf8};

static void set_regs(const struct user_regs *r) {
    *(struct user_regs *)AREA = *r;
    if (sys_regs_write(thread, REGS_GENERAL))
        say("FAIL regs_write\n");
}

static struct user_regs get_regs(void) {
    if (sys_regs_read(thread, REGS_GENERAL))
        say("FAIL regs_read\n");
    return *(struct user_regs *)AREA;
}

/* A thread in a new space that runs `code`; its code page is mapped. */
static int begin(const u8 *code, u64 bytes, u64 address, u64 step) {
    space = space_make();
    thread = slot_get();
    CHECK(space && sys_retype(frame_get(), 1, KIND_THREAD, thread) == 0);
    CHECK(sys_space_bind(space, pager, 0, exceptions, 0, 0, 0) == 0);
    pfn page = frame_get();
    u8 *p = window(page);
    CHECK(p);
    for (u64 i = 0; i < bytes; i++)
        p[i] = code[i];
    CHECK(map_page(space, CODE, page, MAP_READ | MAP_EXEC) == 0);
    CHECK(sys_thread_bind(thread, space, 5, 0, PRIO_PROGRAM, 0) == 0);
    set_regs(&(struct user_regs){.rip = CODE, .rsp = STACK, .rdi = address, .rsi = 0x1234, .rdx = step});
    return sys_start(thread) == 0 ? 0 : __LINE__;
}

static int end(void) {
    CHECK(sys_stop(thread) == 0);
    CHECK(sys_destroy(thread) == 0);
    err e;
    while ((e = sys_destroy(space)) == -E_AGAIN)
        ;
    CHECK(e == 0);
    return 0;
}

static struct ipc_io fault_answer(const struct fault_item *items, u32 n, bool wait) {
    struct ipc_io io = {.rax = SYS_fault_reply_wait | (u64)(2 * n) << 8, .rbx = reply_slot};
    for (u32 i = 0; i < n; i++) {
        u64 *w = i < 3 ? io.w + 2 * i : message_of(0) + 2 * i;
        w[0] = items[i].address;
        w[1] = items[i].frame;
    }
    io.r13 = wait ? pager | (u64)reply_slot << 32 : 0;
    ipc_raw(&io);
    return io;
}

static int zero_fill(void) {
    int line = begin(store_loop, sizeof store_loop, DATA, PAGE_BYTES);
    CHECK(!line);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.label == LABEL_FAULT && IPC_KIND(io.r14) == MSG_FAULT);
    CHECK((u32)io.rbx == 42 && io.rbx >> 32 == 5);
    for (u64 i = 0; i < 4; i++) {
        const struct fault_words *f = (const struct fault_words *)io.w;
        CHECK(f->address == DATA + i * PAGE_BYTES && FAULT_ACCESS(f->info) == ACCESS_WRITE && f->entry == 0);
        CHECK(f->ip == CODE && f->sp == STACK && FAULT_POOL(f->info) > 0 && f->repeats == 0);
        pfn frame = frame_get();
        *(u64 *)window(frame) = 0xdead;
        CHECK(sys_unmap(BOOT_SPACE, (vaddr)window(frame), 1, 0).r > 0);
        io = fault_answer(
            &(struct fault_item){f->address | MAP_READ | MAP_WRITE, ITEM_FRAME(frame, FILL_ZERO)}, 1, true);
        CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 1);
        const u64 *p = window(frame);
        CHECK(p && p[0] == 0x1234 && p[1] == 0);
    }
    return end();
}

static int repeats_are_counted(void) {
    int line = begin(store_loop, sizeof store_loop, DATA, PAGE_BYTES);
    CHECK(!line);
    struct ipc_io io = wait_on(pager, reply_slot);
    /* mapped read-only: the store faults again and again */
    pfn frame = frame_get();
    CHECK(io.rax == WOKE_MESSAGE);
    io = fault_answer(&(struct fault_item){DATA | MAP_READ, ITEM_FRAME(frame, FILL_AS_IS)}, 1, true);
    const struct fault_words *f = (const struct fault_words *)io.w;
    CHECK(io.rax == WOKE_MESSAGE && f->repeats == 1 && f->entry & PTE_PRESENT &&
          PTE_FRAME(f->entry) == frame);
    CHECK(!(f->entry & PTE_WRITE) && FAULT_ACCOUNT(f->info) == ACCOUNT_ROOT && FAULT_SHARES(f->info) == 1);
    io = fault_answer(NULL, 0, true); /* nothing entered: not counted */
    CHECK(io.rax == WOKE_MESSAGE && f->repeats == 1 && IPC_ENTERED(io.r14) == 0);
    io = fault_answer(&(struct fault_item){DATA | MAP_READ | MAP_WRITE, ITEM_FRAME(frame, FILL_UPGRADE)}, 1,
                      true);
    CHECK(io.rax == WOKE_MESSAGE && f->address == DATA + PAGE_BYTES && f->repeats == 0);
    /* what was entered is taken away before the thread comes to it: that is another fault */
    io = fault_answer(&(struct fault_item){f->address | MAP_READ, ITEM_FRAME(frame_get(), FILL_AS_IS)}, 1,
                      true);
    CHECK(io.rax == WOKE_MESSAGE && f->repeats == 1);
    CHECK(sys_protect(space, DATA + PAGE_BYTES, 1, MAP_READ).r > 0);
    io = fault_answer(NULL, 0, true);
    CHECK(io.rax == WOKE_MESSAGE && f->repeats == 0);
    return end();
}

static int copy_on_write(void) {
    int line = begin(store_loop, sizeof store_loop, DATA + 8, PAGE_BYTES);
    CHECK(!line);
    pfn shared = frame_get(), own = frame_get();
    *(u64 *)window(shared) = 99;
    CHECK(map_page(space, DATA, shared, MAP_READ) == 0);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.w[2] & PTE_PRESENT);
    io = fault_answer(&(struct fault_item){DATA | MAP_READ | MAP_WRITE, ITEM_FRAME(own, FILL_COPY)}, 1, true);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 1);
    const u64 *p = window(own);
    CHECK(p[0] == 99 && p[1] == 0x1234 && ((u64 *)window(shared))[1] == 0);
    return end();
}

/* The page that is copied loses its last mapping: its owner is told, by a bit of `collector`. */
static int begin_collected(u32 collector) {
    while (sys_collect(BOOT_ACCOUNT, AREA_WORDS / 2) > 0)
        ;
    CHECK(begin(store_loop, sizeof store_loop, DATA + 8, PAGE_BYTES) == 0);
    CHECK(sys_account_bind(BOOT_ACCOUNT, collector, 3) == 0);
    CHECK(map_page(space, DATA, frame_get(), MAP_READ) == 0);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && FAULT_SHARES(io.w[1]) == 1);
    return 0;
}

static struct ipc_io answer_with_copy(void) {
    struct fault_item item = {DATA | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_COPY)};
    return fault_answer(&item, 1, true);
}

static int answer_sets_the_pagers_own_bit(void) {
    CHECK(begin_collected(pager) == 0);
    struct ipc_io io = answer_with_copy();
    CHECK(io.rax == WOKE_BITS && io.r15 == 8 && IPC_ENTERED(io.r14) == 1);
    io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == DATA + PAGE_BYTES + 8);
    return end();
}

static volatile u64 collected;
static void collector(u64 endpoint) {
    for (;;)
        collected += wait_on((u32)endpoint, 0).r15;
}

/* Whoever is told goes on before the program, which is of a lower level. */
static int answer_wakes_a_higher_one(void) {
    u32 told = endpoint_make();
    struct worker w = worker_make(collector, told, PRIO_HIGH);
    CHECK(sys_start(w.slot) == 0 && begin_collected(told) == 0);
    struct ipc_io io = answer_with_copy();
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == DATA + PAGE_BYTES + 8 && IPC_ENTERED(io.r14) == 1);
    CHECK(collected == 8);
    CHECK(sys_account_bind(BOOT_ACCOUNT, endpoint_make(), 0) == 0 && sys_stop(w.slot) == 0);
    return end();
}

static int sixteen_items(void) {
    int line = begin(load_loop, sizeof load_loop, DATA, PAGE_BYTES);
    CHECK(!line);
    CHECK(wait_on(pager, reply_slot).rax == WOKE_MESSAGE);
    struct fault_item items[FAULT_ITEMS_MAX];
    for (u32 i = 0; i < FAULT_ITEMS_MAX; i++)
        items[i] =
            (struct fault_item){(DATA + i * PAGE_BYTES) | MAP_READ, ITEM_FRAME(frame_get(), FILL_AS_IS)};
    struct ipc_io io = fault_answer(items, FAULT_ITEMS_MAX, true);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == DATA + FAULT_ITEMS_MAX * PAGE_BYTES);
    CHECK(IPC_ENTERED(io.r14) == FAULT_ITEMS_MAX);
    return end();
}

static int stale_answer_maps_nothing(void) {
    int line = begin(store_loop, sizeof store_loop, DATA, PAGE_BYTES);
    CHECK(!line);
    CHECK(wait_on(pager, reply_slot).rax == WOKE_MESSAGE);
    CHECK(sys_unmap(space, DATA, 1, 0).r > 0); /* raises the epoch */
    struct fault_item item = {DATA | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_ZERO)};
    struct ipc_io io = fault_answer(&item, 1, true);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 0 && io.w[0] == DATA && io.w[5] == 0);
    return end();
}

static int forwarded_range(void) {
    int line = begin(store_loop, sizeof store_loop, DATA + PAGE_BYTES, PAGE_BYTES);
    CHECK(!line);
    CHECK(wait_on(pager, reply_slot).rax == WOKE_MESSAGE);
    struct ipc_io io = {.w = {1, 2, 3, 4, 5, 6},
                        .label = 0x300,
                        .rax = SYS_forward_wait | 6 << 8 | FORWARD_RANGE(1, 1, MAP_READ | MAP_WRITE),
                        .rbx = reply_slot | (u64)exceptions << 32};
    ipc_raw(&io);
    CHECK(io.rax == WOKE_BITS);
    io = wait_on(exceptions, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.label == 0x300 && IPC_KIND(io.r14) == MSG_FAULT && io.w[5] == 6);
    CHECK(IPC_FLAGS(io.r14) == IPC_FORWARDED);
    struct ipc_io wider = {.rax = SYS_forward_wait | 6 << 8 | FORWARD_RANGE(0, 3, MAP_READ),
                           .rbx = reply_slot | (u64)pager << 32};
    ipc_raw(&wider);
    CHECK((err)wider.rax == -E_RIGHTS);
    struct fault_item items[] = {
        {DATA | MAP_READ, ITEM_FRAME(frame_get(), FILL_AS_IS)},
        {(DATA + PAGE_BYTES) | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_ZERO)}};
    io = fault_answer(items, 2, true);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 1 && io.w[0] == DATA + 2 * PAGE_BYTES);
    /* The range was that fault's alone: the next one in the block may be answered in all of it. */
    struct fault_item later[] = {
        {DATA | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_AS_IS)},
        {(DATA + 2 * PAGE_BYTES) | MAP_READ | MAP_WRITE, ITEM_FRAME(frame_get(), FILL_ZERO)}};
    io = fault_answer(later, 2, true);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 2 && io.w[0] == DATA + 3 * PAGE_BYTES);
    return end();
}

static int dropped_fault_happens_again(void) {
    int line = begin(load_loop, sizeof load_loop, DATA, PAGE_BYTES);
    CHECK(!line);
    u64 call = wait_on(pager, reply_slot).r13;
    CHECK(sys_cap_drop(BOOT_TABLE, reply_slot) == 0);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == DATA && io.r13 > call);
    return end();
}

static int raise_becomes_exception(void) {
    int line = begin(store_loop, sizeof store_loop, 0x666000, PAGE_BYTES);
    CHECK(!line);
    CHECK(wait_on(pager, reply_slot).w[0] == 0x666000);
    CHECK(sys_raise(reply_slot, RAISE_CODE(11, 1), 0x666000) == 0);
    struct ipc_io io = wait_on(exceptions, reply_slot);
    const struct exception_words *x = (const struct exception_words *)io.w;
    CHECK(io.rax == WOKE_MESSAGE && io.label == LABEL_EXCEPTION && IPC_KIND(io.r14) == MSG_EXCEPTION);
    CHECK(x->kind == EXC_RAISE && x->code == RAISE_CODE(11, 1) && x->address == 0x666000 && x->ip == CODE);
    struct user_regs r = get_regs();
    r.rdi = DATA + 0x1000;
    set_regs(&r);
    CHECK(answer(reply_slot, 0, 0) == WOKE_BITS);
    CHECK(wait_on(pager, reply_slot).w[0] == DATA + 0x1000);
    return end();
}

static int kernel_address_faults(void) {
    int line = begin(load_loop, sizeof load_loop, PHYS_BASE, PAGE_BYTES);
    CHECK(!line);
    struct ipc_io io = wait_on(pager, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == PHYS_BASE && io.w[2] == 0);
    struct fault_item item = {PHYS_BASE | MAP_READ, ITEM_FRAME(frame_get(), FILL_AS_IS)};
    io = fault_answer(&item, 1, true);
    CHECK(io.rax == WOKE_MESSAGE && IPC_ENTERED(io.r14) == 0 && io.w[0] == PHYS_BASE);
    return end();
}

static struct ipc_io forward_whole(u64 slot) {
    struct ipc_io io = {.label = 0x300,
                        .rax = SYS_forward_wait | 6 << 8 | FORWARD_RANGE(0, 512, MAP_READ | MAP_WRITE),
                        .rbx = slot | (u64)exceptions << 32,
                        .r14 = (u64)space << 32};
    ipc_raw(&io);
    return io;
}

/* An address that is no user's can't be made one by forwarding it with the space's MAP. */
static int forwarded_kernel_address(void) {
    static const u8 undefined[] = {0x0f, 0x0b};
    static const u64 at[] = {0,         PAGE_BYTES - 1, USER_END, 1ull << 47, 0x8000000000000000,
                             PHYS_BASE, KERNEL_BASE,    ~0ull};
    pfn frame = frame_get();
    CHECK(begin(undefined, sizeof undefined, 0, 0) == 0);
    for (u32 i = 0; i < ARRAY_LEN(at); i++) {
        CHECK(wait_on(exceptions, reply_slot).rax == WOKE_MESSAGE);
        CHECK(sys_fault_as(reply_slot, at[i], ACCESS_WRITE, 0) == 0);
        struct ipc_io io = wait_on(pager, reply_slot);
        CHECK(io.rax == WOKE_MESSAGE && io.w[0] == at[i] && io.w[2] == 0);
        CHECK((err)forward_whole(reply_slot).rax == -E_INVAL);
        struct fault_item item = {(at[i] & ~PAGE_MASK) | MAP_READ | MAP_WRITE, ITEM_FRAME(frame, FILL_AS_IS)};
        io = fault_answer(&item, 1, false);
        CHECK(io.rax == WOKE_BITS && IPC_ENTERED(io.r14) == 0);
    }
    CHECK(wait_on(exceptions, reply_slot).rax == WOKE_MESSAGE);
    return end();
}

/* After a change of the page tables the next access must see it: no stale translations. */
static int no_stale_translation(void) {
    pfn a = frame_get(), b = frame_get();
    *(volatile u64 *)window(a) = 1;
    *(volatile u64 *)window(b) = 2;
    vaddr at = HEAP_BASE + 0x3fe00000;
    for (u32 i = 0; i < 8; i++)
        AREA[i] = 0;
    pfn tables[2] = {frame_get(), frame_get()};
    AREA[0] = tables[0];
    AREA[1] = tables[1];
    CHECK(sys_feed(BOOT_SPACE, 2) == 2);
    CHECK(map_page(BOOT_SPACE, at, a, MAP_READ) == 0 && *(volatile u64 *)at == 1);
    CHECK(sys_unmap(BOOT_SPACE, at, 1, 0).r > 0);
    CHECK(map_page(BOOT_SPACE, at, b, MAP_READ) == 0 && *(volatile u64 *)at == 2);
    return 0;
}

static int hardware_exception(void) {
    static const u8 undefined[] = {0x0f, 0x0b};
    int line = begin(undefined, sizeof undefined, 0, 0);
    CHECK(!line);
    struct ipc_io io = wait_on(exceptions, reply_slot);
    CHECK(io.rax == WOKE_MESSAGE && io.w[0] == EXC_HARDWARE + 6 && io.w[2] == CODE);
    CHECK(end() == 0);
    static const u8 breakpoint[] = {0xcc};
    CHECK(begin(breakpoint, sizeof breakpoint, 0, 0) == 0);
    io = wait_on(exceptions, reply_slot);
    CHECK(io.w[0] == EXC_HARDWARE + 3 && io.w[3] == CODE + 1);
    CHECK(end() == 0);
    static const u8 privileged[] = {0xf4};
    CHECK(begin(privileged, sizeof privileged, 0, 0) == 0);
    io = wait_on(exceptions, reply_slot);
    CHECK(io.w[0] == EXC_HARDWARE + 13);
    return end();
}

void test_fault(void) {
    u32 plain = endpoint_make();
    pager = slot_get();
    if (sys_cap_copy(BOOT_TABLE, pager, plain, RIGHT_ALL, 42))
        say("FAIL badge\n");
    exceptions = endpoint_make();
    reply_slot = slot_get();
    RUN(zero_fill);
    RUN(repeats_are_counted);
    RUN(copy_on_write);
    RUN(answer_sets_the_pagers_own_bit);
    RUN(answer_wakes_a_higher_one);
    RUN(sixteen_items);
    RUN(stale_answer_maps_nothing);
    RUN(forwarded_range);
    RUN(dropped_fault_happens_again);
    RUN(raise_becomes_exception);
    RUN(kernel_address_faults);
    RUN(forwarded_kernel_address);
    RUN(no_stale_translation);
    RUN(hardware_exception);
}
