/* SPDX-License-Identifier: MIT */
/* What the tests stand on: frames, slots, threads, spaces. */
#include "ring3.h"

static u64 next_frame, frames_left; /* where to look for more; how many have been found */
static pfn frames_stop = ~0ull;
static u32 next_slot = 16;

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

err feed(u32 space, u32 n) {
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

struct ipc_io wait_until(u32 endpoint, u32 reply_slot, u64 deadline, u64 flags) {
    struct ipc_io io = {
        .rax = SYS_reply_wait | flags << 16, .r13 = endpoint | (u64)reply_slot << 32, .r15 = deadline};
    ipc_raw(&io);
    return io;
}

bool is_due(struct ipc_io io) {
    return io.rax == WOKE_BITS && io.r15 == 1ull << DEADLINE_BIT;
}

bool is_empty(u32 endpoint) {
    return (err)wait_until(endpoint, 0, 0, WAIT_POLL).rax == -E_AGAIN;
}

void sleep_ms(u64 n) {
    static u32 bed;
    if (!bed)
        bed = endpoint_make();
    if (!is_due(wait_until(bed, 0, now() + ms(n), 0)))
        say("FAIL sleep\n");
}
