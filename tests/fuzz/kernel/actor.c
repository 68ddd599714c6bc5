/* SPDX-License-Identifier: MIT */
/* Threads that are told what to do. An actor's program is SYSCALL, UD2: this program writes its registers,
 * and the exception brings it back. A victim runs a short loop of its own. */
#include "fuzz.h"

#define CONTROL      W_PRIVATE       /* endpoint where actors come back */
#define FIRST_RIGHT  (W_PRIVATE + 2) /* ACTORS + 1 slots for their rights to reply */
#define FIRST_THREAD (FIRST_RIGHT + ACTORS + 1)
#define FIRST_SPACE  (FIRST_THREAD + ACTORS)
#define RESTED       1
#define REST_TICKS   2000000
#define PRIO_ACTOR   PRIO_LINUX

extern const u8 gadgets_end[];
__asm__(".section .rodata\n"
        ".global gadgets, gadget_call, gadget_store, gadget_load, gadget_alien, gadget_trap\n"
        "gadgets: syscall\n"
        "   ud2\n"
        /* rsp, the only register that is kept over a wait: endpoint, slot to send, number of words */
        "gadget_call: mov %esp, %ebx\n"
        "   and $0xfff, %ebx\n"
        "   mov %esp, %r13d\n"
        "   shr $12, %r13d\n"
        "   and $0xfff, %r13d\n"
        "   mov %esp, %eax\n"
        "   shr $24, %eax\n"
        "   shl $8, %eax\n"
        "   mov $0x100, %r12d\n"
        "   syscall\n"
        "   test %rax, %rax\n"
        "   jz gadget_call\n"
        "   int3\n"
        "   jmp gadget_call\n"
        "gadget_store: mov %rax, (%rdi)\n"
        "   add $4096, %rdi\n"
        "   cmp %rsi, %rdi\n"
        "   jb gadget_store\n"
        "   int3\n"
        "   mov %rdx, %rdi\n"
        "   jmp gadget_store\n"
        "gadget_load: mov (%rdi), %rax\n"
        "   add $4096, %rdi\n"
        "   cmp %rsi, %rdi\n"
        "   jb gadget_load\n"
        "   int3\n"
        "   mov %rdx, %rdi\n"
        "   jmp gadget_load\n"
        "gadget_alien: mov $39, %eax\n"
        "   syscall\n"
        "   jmp gadget_alien\n"
        "gadget_trap: int3\n"
        "   jmp gadget_trap\n"
        "gadgets_end:\n"
        ".text\n");

static struct actor {
    struct shot shot; /* under way */
    u64 *area;
    pfn page;
    u32 right;          /* to the exception that it waits in; 0: it is stopped */
    bool busy, trusted; /* trusted: nobody counts it */
    bool fresh;         /* nobody else has called since it was told what to do */
    struct ipc_io came_back;
} actors[ACTORS];
pfn code_page, victims_page;
static u64 deadline;
static u32 space_copies[ACTORS];

/* Runs when nobody else can. */
static void notifier(u64 unused) {
    (void)unused;
    for (;;)
        (void)sys_notify(CONTROL, RESTED);
}

void actors_init(void) {
    if (sys_retype(frame_get(), 1, KIND_ENDPOINT, CONTROL))
        fail("control endpoint", 0, 0);
    struct worker w = worker_make(notifier, 0, PRIO_LOW);
    if (sys_start(w.slot))
        fail("notifier", 0, 0);
    code_page = frame_get();
    u8 *code = window(code_page);
    for (u64 i = 0; gadgets + i < gadgets_end; i++)
        code[i] = gadgets[i];
    victims_page = frame_get();
    for (u32 i = 0; i < ACTORS; i++) {
        actors[i].page = frame_get();
        actors[i].area = i ? (u64 *)window(actors[i].page) + AREA_FIRST : AREA;
    }
}

u32 actor_space(u32 actor) {
    return space_copies[actor];
}

u64 *actor_area(u32 actor) {
    return actors[actor].area;
}

bool actor_free(u32 actor) {
    return actor == 0 || !actors[actor].busy;
}

/* Registers. */

static void write_regs(u32 thread, const struct user_regs *r) {
    *(struct user_regs *)AREA = *r;
    i64 e = sys_regs_write(thread, REGS_GENERAL);
    if (e)
        fail("registers", thread, (u64)-e);
}

static void io_to_regs(const struct ipc_io *io, struct user_regs *r) {
    *r = (struct user_regs){.rip = CODE,
                            .rax = io->rax,
                            .rdi = io->w[0],
                            .rsi = io->w[1],
                            .rdx = io->w[2],
                            .r10 = io->w[3],
                            .r8 = io->w[4],
                            .r9 = io->w[5],
                            .rbx = io->rbx,
                            .r12 = io->label,
                            .r13 = io->r13,
                            .r14 = io->r14,
                            .r15 = io->r15};
}

static void regs_to_io(const struct user_regs *r, struct ipc_io *io) {
    *io = (struct ipc_io){.w = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9},
                          .label = r->r12,
                          .rax = r->rax,
                          .rbx = r->rbx,
                          .r13 = r->r13,
                          .r14 = r->r14,
                          .r15 = r->r15};
}

/* The actor is at rest: what became of its call? */
static void came_back(u32 i) {
    struct actor *a = &actors[i];
    a->busy = false;
    i64 e = sys_regs_read(FIRST_THREAD + i, REGS_GENERAL);
    if (e)
        fail("an actor's registers", i, (u64)-e);
    const struct user_regs r = *(const struct user_regs *)AREA;
    if (r.rip != CODE + 2) /* its code was not there: it has not called */
        return;
    const struct shot before = a->shot;
    struct shot after = before;
    regs_to_io(&r, &after.io);
    a->came_back = after.io;
    if (a->trusted)
        return;
    tally(&before, &after, a->fresh);
    shot_done(&before, &after);
}

/* Running. */

static u32 free_right(void) {
    for (u32 slot = FIRST_RIGHT;; slot++) {
        bool used = false;
        for (u32 i = 1; i < ACTORS; i++)
            used |= actors[i].right == slot;
        if (!used)
            return slot;
    }
}

/* An actor has come to its UD2. */
static void received(const struct ipc_io *io, u32 slot) {
    u32 i = (u32)(io->rbx >> 32);
    if (i == 0 || i >= ACTORS || actors[i].right)
        fail("a message of nobody", io->rbx, io->label);
    actors[i].right = slot;
    came_back(i);
}

static void everybody_stops(void) {
    for (u32 i = 1; i < ACTORS; i++)
        if (actors[i].busy)
            actor_abort(i);
    victims_stop();
}

static bool rest_with(struct ipc_io *io) {
    u32 slot = free_right();
    u64 t = now();
    if (deadline < t + REST_TICKS / 2)
        deadline = t + REST_TICKS;
    io->r13 = CONTROL | (u64)slot << 32;
    io->r14 = 0;
    io->r15 = deadline;
    ipc_raw(io);
    if (io->rax == WOKE_MESSAGE) {
        received(io, slot);
        return true;
    }
    if ((i64)io->rax < 0)
        fail("rest", io->rax, 0);
    if (io->r15 & 1ull << DEADLINE_BIT)
        everybody_stops();
    return false;
}

void rest(void) {
    struct ipc_io io;
    do
        io = (struct ipc_io){.rax = SYS_reply_wait};
    while (rest_with(&io));
}

static void fire(u32 i, const struct shot *s, bool trusted) {
    struct actor *a = &actors[i];
    struct user_regs r;
    io_to_regs(&s->io, &r);
    write_regs(FIRST_THREAD + i, &r);
    a->shot = *s;
    a->busy = true;
    a->trusted = trusted;
    struct ipc_io io = {.rax = SYS_reply_wait, .rbx = a->right};
    if (!a->right && sys_start(FIRST_THREAD + i))
        fail("start of an actor", i, 0);
    a->right = 0;
    a->fresh = true;
    tally_mark();
    bool message = rest_with(&io);
    a->fresh = false;
    if (message)
        rest();
}

/* Its code may have been unmapped, its tables taken away. */
static void mend(u32 i) {
    u32 space = FIRST_SPACE + i;
    (void)sys_unmap(space, CODE, 1, 0);
    err e = map_page(space, CODE, code_page, MAP_READ | MAP_EXEC);
    for (u32 k = 0; e == -E_NEED_TABLES && k < FRAMES; k++) {
        AREA[0] = frames[k];
        if (sys_feed(space, 1) == 1)
            e = map_page(space, CODE, code_page, MAP_READ | MAP_EXEC);
    }
    if (e)
        fail("an actor's code", i, (u64)-e);
}

void actor_abort(u32 i) {
    struct actor *a = &actors[i];
    if (a->right)
        return;
    if (sys_stop(FIRST_THREAD + i))
        fail("stop of an actor", i, 0);
    came_back(i);
    mend(i);
}

i64 actor_trusted(u32 i, const struct ipc_io *io) {
    struct actor *a = &actors[i];
    if (a->busy)
        actor_abort(i);
    struct shot s = {.io = *io, .actor = i, .call = (u32)io->rax & 0xff};
    a->came_back.rax = (u64)-E_RESTART;
    /* Somebody of its level may spin: then all are stopped, and it is tried again. */
    for (u32 tries = 0; (i64)a->came_back.rax == -E_RESTART && tries < 4; tries++) {
        mend(i);
        fire(i, &s, true);
        if (a->busy)
            actor_abort(i);
    }
    return (i64)a->came_back.rax;
}

/* These may have done a part of their work, and then return an error. */
static bool may_change(u32 call) {
    return call <= SYS_forward_wait || call == SYS_retype || call == SYS_destroy || call == SYS_account_close;
}

/* The area holds arguments of the call that is about to be made. */
static u64 digest_beside_area(void) {
    u64 kept[AREA_WORDS];
    for (u32 i = 0; i < AREA_WORDS; i++)
        kept[i] = AREA[i];
    u64 digest = frames_digest();
    for (u32 i = 0; i < AREA_WORDS; i++)
        AREA[i] = kept[i];
    return digest;
}

void actor_perform(struct shot *s) {
    if (s->actor) {
        fire(s->actor, s, false);
        return;
    }
    struct shot before = *s;
    bool looked_at = chance(256) && !may_change(s->call);
    u64 digest = looked_at ? digest_beside_area() : 0;
    tally_mark();
    ipc_raw(&s->io);
    tally(&before, s, true);
    if (looked_at && (i64)s->io.rax < 0 && digest != frames_digest())
        fail("a call that failed has changed something", s->call, s->io.rax);
    shot_done(&before, s);
}

/* Begin and end. */

void actors_begin(void) {
    static const u32 account[ACTORS] = {0, W_ACCOUNT_A, 0, W_ACCOUNT_B};
    for (u32 i = 1; i < ACTORS; i++) {
        struct actor *a = &actors[i];
        u32 space = object_make(KIND_SPACE, 0, 0), thread = object_make(KIND_THREAD, 0, 0);
        feed_space(space, 8);
        space_copies[i] = space;
        if (sys_cap_copy(BOOT_TABLE, FIRST_SPACE + i, space, RIGHT_ALL, 0) ||
            sys_cap_copy(BOOT_TABLE, FIRST_THREAD + i, thread, RIGHT_ALL, 0) ||
            sys_cap_copy(W_TABLE_WORLD, W_OWN_SPACE + i, space, RIGHT_MAP | RIGHT_FEED | RIGHT_COPY, 0) ||
            sys_cap_copy(BOOT_TABLE, W_OWN_SPACE + i, space, RIGHT_MAP | RIGHT_FEED | RIGHT_COPY, 0) ||
            sys_space_bind(space, W_ENDPOINT + 3, 0, CONTROL, account[i], W_COPIES, 0) ||
            sys_thread_bind(thread, space, i, i == 2 ? 0 : a->page, PRIO_ACTOR, 0))
            fail("an actor", i, 0);
        a->right = 0;
        a->busy = false;
        mend(i);
    }
}

void actors_end(void) {
    for (u32 i = 1; i < ACTORS; i++) {
        if (actors[i].busy)
            actor_abort(i);
        if (sys_stop(FIRST_THREAD + i))
            fail("stop of an actor", i, 0);
        if (actors[i].right && sys_cap_drop(BOOT_TABLE, actors[i].right))
            fail("drop", i, 0);
        actors[i].right = 0;
        (void)sys_cap_drop(BOOT_TABLE, FIRST_THREAD + i);
        (void)sys_cap_drop(BOOT_TABLE, FIRST_SPACE + i);
    }
}
