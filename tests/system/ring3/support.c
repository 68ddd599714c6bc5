/* SPDX-License-Identifier: MIT */
/* What the tests stand on: frames, slots, threads, spaces. */
#include "ring3.h"

static u64 next_frame, frames_left; /* where to look for more; how many have been found */
static pfn frames_stop = ~0ull;
static u32 next_slot = 16;
static u32 workers;

void say(const char *text) {
    u64 n = 0;
    for (; text[n]; n++)
        ((char *)AREA)[n] = text[n];
    sys_log(n);
}

void say_number(u64 n) {
    char digits[24];
    u32 i = sizeof digits - 1;
    digits[i] = 0;
    do {
        digits[--i] = (char)('0' + n % 10);
    } while (n /= 10);
    say(digits + i);
}

u64 *message_of(u32 index) {
    return (u64 *)(MSG_BASE + index * PAGE_BYTES);
}

/* Account 2, that a server would have, is closed: its frames become root's. Those of its longest row are
 * given out from now on. */
void frames_more(void) {
    pfn first = 0, end = 0, longest = 0;
    for (u64 next = 0;;) {
        struct pair r = sys_frames(BOOT_FRAME_ACCT, next, 0);
        const struct frame_record *f = (const struct frame_record *)AREA;
        for (u64 i = 0; i < (r.second & 0xffffffff); i++) {
            if (FRAME_OF(f[i].id) != end)
                first = end = FRAME_OF(f[i].id);
            end += ALIKE_OF(f[i].counts);
            if (end - first > longest) {
                longest = end - first;
                next_frame = first;
                frames_stop = end;
            }
        }
        next = (u64)r.r;
        if (!next)
            break;
    }
    while (sys_account_close(BOOT_FRAME_ACCT, 0) > 0)
        ;
    frames_left = 0;
}

/* A table of 2,048 slots in the place of the one that this program was started with. */
void table_grow(void) {
    enum { TABLE = 16 };
    u32 slot = BOOT_TRACE + 1;
    pfn lowest = 0;
    for (u32 i = 0; i < TABLE; i++)
        lowest = frame_get(); /* they come in a row, the last one first */
    if (sys_retype(lowest, TABLE, KIND_CAPTABLE, slot))
        say("FAIL table_grow\n");
    for (u32 i = BOOT_TABLE; i <= BOOT_TRACE; i++)
        (void)sys_cap_copy(slot, i, i == BOOT_TABLE ? slot : i, RIGHT_ALL, 0);
    if (sys_space_bind(BOOT_SPACE, 0, 0, 0, 0, slot, 0))
        say("FAIL table_grow\n");
}

/* Root's frames that are DATA, not mapped, pinned or queued, a list at a time. */
pfn frame_get(void) {
    static pfn found[RANGE_VISITS_MAX];
    while (!frames_left && next_frame < frames_stop) {
        struct pair r = sys_frames(BOOT_ACCOUNT, next_frame, 0);
        const struct frame_record *f = (const struct frame_record *)AREA;
        next_frame = r.r ? (u64)r.r : frames_stop;
        for (u64 i = 0; i < (r.second & 0xffffffff); i++)
            if (KIND_OF(f[i].id) == KIND_DATA && !USES_OF(f[i].counts) && !(FLAGS_OF(f[i].id) & FRAME_QUEUED))
                for (u64 k = 0; k < ALIKE_OF(f[i].counts) && FRAME_OF(f[i].id) + k < frames_stop; k++)
                    found[frames_left++] = FRAME_OF(f[i].id) + k;
    }
    if (!frames_left)
        say("FAIL no frames left\n");
    return frames_left ? found[--frames_left] : 0;
}

u32 slot_get(void) {
    return next_slot++;
}

u32 endpoint_make(void) {
    u32 slot = slot_get();
    return sys_retype(frame_get(), 1, KIND_ENDPOINT, slot) ? 0 : slot;
}

err map_page(u32 space, vaddr at, pfn frame, u64 rights) {
    AREA[0] = at | rights;
    AREA[1] = frame;
    struct pair r = sys_map(space, 1);
    return r.r == 1 ? 0 : r.r;
}

static err feed(u32 space, u32 n) {
    u64 frames[FEED_MAX];
    for (u32 i = 0; i < n; i++)
        frames[i] = frame_get();
    for (u32 i = 0; i < n; i++)
        AREA[i] = frames[i];
    return sys_feed(space, n);
}

/* A program's space: of no account, its own page tables. */
u32 space_make(void) {
    u32 slot = slot_get();
    err e = sys_retype(frame_get(), 1, KIND_SPACE, slot);
    return e || feed(slot, 16) != 16 ? 0 : slot;
}

void *window(pfn frame) {
    vaddr at = HEAP_BASE + frame * PAGE_BYTES;
    err e = map_page(BOOT_SPACE, at, frame, MAP_READ | MAP_WRITE);
    if (e == -E_NEED_TABLES) {
        feed(BOOT_SPACE, 8);
        e = map_page(BOOT_SPACE, at, frame, MAP_READ | MAP_WRITE);
    }
    return e && e != -E_OCCUPIED ? NULL : (void *)at;
}

struct worker worker_make(void (*entry)(u64), u64 argument, u64 priority) {
    struct worker w = {slot_get(), ++workers};
    vaddr stack = STACK_BASE + w.index * STACK_STRIDE;
    pfn message = frame_get();
    if (sys_retype(frame_get(), 1, KIND_THREAD, w.slot) ||
        map_page(BOOT_SPACE, (vaddr)message_of(w.index), message, MAP_READ | MAP_WRITE) ||
        map_page(BOOT_SPACE, stack + STACK_STRIDE - PAGE_BYTES, frame_get(), MAP_READ | MAP_WRITE) ||
        sys_thread_bind(w.slot, BOOT_SPACE, w.index, message, priority, 0))
        say("FAIL worker_make\n");
    struct user_regs *u = (struct user_regs *)AREA;
    *u = (struct user_regs){.rip = (u64)entry, .rsp = stack + STACK_STRIDE - 8, .rdi = argument};
    if (sys_regs_write(w.slot, REGS_GENERAL))
        say("FAIL worker regs\n");
    return w;
}

struct ipc_io call_of(u32 endpoint, u64 label, u64 w0, u64 w1) {
    struct ipc_io io = {.w = {w0, w1}, .label = label, .rax = SYS_call | 2 << 8, .rbx = endpoint};
    ipc_raw(&io);
    return io;
}

struct ipc_io wait_on(u32 endpoint, u32 reply_slot) {
    struct ipc_io io = {.rax = SYS_reply_wait, .r13 = endpoint | (u64)reply_slot << 32};
    ipc_raw(&io);
    return io;
}

struct ipc_io answer_wait(u32 reply, u64 label, u64 w0, u32 endpoint, u32 next) {
    struct ipc_io io = {.w = {w0},
                        .label = label,
                        .rax = SYS_reply_wait | 1 << 8,
                        .rbx = reply,
                        .r13 = endpoint | (u64)next << 32};
    ipc_raw(&io);
    return io;
}

err answer(u32 reply, u64 label, u64 w0) {
    return (err)answer_wait(reply, label, w0, 0, 0).rax;
}
