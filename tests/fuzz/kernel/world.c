/* SPDX-License-Identifier: MIT */
/* The world that calls are made in: made anew for each episode, of a fixed set of frames, and taken apart
 * again. Of each capability there is a copy behind W_WORLD_END, so that nothing that the calls drop is
 * lost. */
#include "fuzz.h"

pfn frames[FRAMES], crowded_page;
static u8 owners[FRAMES]; /* actor whose account has it; a guess after calls that went wrong */
static u64 frames_used;   /* those below are objects of the world; the others are for the calls */

enum { ROW = 40, FIRST_OF_ROW = FRAMES - 400 - ROW, FIRST_OF_A = FRAMES - 400, FIRST_OF_B = FRAMES - 150 };

static u8 copies[TABLE_SLOTS - W_COPIES]; /* kinds */
static u32 copies_count, copy_of_a, copy_of_b, copy_of_victims_space;

static void need(bool ok, const char *what) {
    if (!ok)
        fail(what, 0, 0);
}

/* Copies. */

u32 keep_slot(enum frame_kind kind) {
    if (copies_count == ARRAY_LEN(copies))
        fail("no slot for a copy", kind, 0);
    copies[copies_count] = (u8)kind;
    return W_COPIES + copies_count++;
}

void keep_forget(void) {
    copies_count--;
}

void keep(u32 slot, enum frame_kind kind) {
    need(sys_cap_copy(BOOT_TABLE, keep_slot(kind), slot, RIGHT_ALL, 0) == 0, "no copy of a capability");
}

/* Frames. */

pfn frame_of(u32 actor) {
    u32 owner = actor == 2 ? 0 : actor;
    for (u32 tries = 0; tries < 32; tries++) {
        u64 i = frames_used + pick(FRAMES - frames_used);
        if (owners[i] == owner && (i < FIRST_OF_ROW || i >= FIRST_OF_A))
            return frames[i];
    }
    return frames[pick(FRAMES)];
}

pfn frames_in_a_row(u64 *count) {
    *count = ROW;
    return frames[FIRST_OF_ROW];
}

void frame_given(pfn frame, u32 slot) {
    for (u32 i = 0; i < FRAMES; i++)
        if (frames[i] == frame)
            owners[i] = slot == W_ACCOUNT_A ? 1 : slot == W_ACCOUNT_B ? 3 : slot == W_ACCOUNT_ROOT ? 0 : 4;
}

static pfn take(void) {
    need(frames_used < FIRST_OF_ROW, "the world needs more frames");
    return frames[frames_used++];
}

void feed_space(u32 space, u32 n) {
    u64 list[FEED_MAX];
    for (u32 i = 0; i < n; i++)
        list[i] = take();
    for (u32 i = 0; i < n; i++)
        AREA[i] = list[i];
    need(sys_feed(space, n) == (i64)n, "feed");
}

/* Making it. */

/* A capability of this program for both tables. */
static void both(u32 to, u32 from, u64 rights, u64 badge) {
    need(sys_cap_copy(BOOT_TABLE, to, from, rights, badge) == 0, "cap_copy to this table");
    need(sys_cap_copy(W_TABLE_WORLD, to, to, RIGHT_ALL, 0) == 0, "cap_copy to the actors' table");
}

/* Returns the slot of the copy with all rights. */
u32 object_make(enum frame_kind kind, u32 slot, u64 rights) {
    u32 kept = keep_slot(kind);
    need(sys_retype(take(), 1, kind, kept) == 0, "retype");
    if (slot)
        both(slot, kept, rights, 0);
    return kept;
}

static u32 account(u32 slot, u32 parent, u64 first, u64 end, u8 owner) {
    u32 kept = keep_slot(KIND_ACCOUNT);
    need(sys_account_open(parent, kept) == 0, "account_open");
    both(slot, kept, RIGHT_ALL, 0);
    for (u64 i = first; i < end; i++) {
        need(sys_give(kept, frames[i], 1) == 1, "give");
        owners[i] = owner;
    }
    return kept;
}

u32 victims_space(void) {
    return copy_of_victims_space;
}

u32 account_copy(u32 actor) {
    return actor == 1 ? copy_of_a : copy_of_b;
}

/* Threads that never run. */
static void sleepers(void) {
    crowded_page = take();
    for (u32 i = 0; i < 3; i++)
        need(sys_thread_bind(object_make(KIND_THREAD, 0, 0), copy_of_victims_space, 0, crowded_page, PRIO_LOW,
                             0) == 0,
             "a thread that sleeps");
}

static void weak_ones(void) {
    static const u32 of[WEAK_COUNT] = {W_ENDPOINT,    W_VICTIM, W_SPACE,  W_ACCOUNT_A,
                                       W_TABLE_SMALL, W_PERMIT, W_TRACING};
    for (u32 i = 0; i < WEAK_COUNT; i++)
        both(W_WEAK + i, of[i], 0, 0);
}

void world_begin(void) {
    frames_used = 4;
    copies_count = 0;
    for (u32 i = 0; i < FRAMES; i++)
        owners[i] = 0;
    need(sys_retype(frames[0], 4, KIND_CAPTABLE, keep_slot(KIND_CAPTABLE)) == 0, "the actors' table");
    need(sys_cap_copy(BOOT_TABLE, W_TABLE_WORLD, W_COPIES, RIGHT_CONTROL, 0) == 0 &&
             sys_cap_copy(W_COPIES, W_TABLE_WORLD, W_TABLE_WORLD, RIGHT_ALL, 0) == 0 &&
             sys_cap_copy(W_COPIES, W_TRUSTED_TABLE, BOOT_TABLE, RIGHT_ALL, 0) == 0,
         "capabilities of tables");
    for (u32 i = 0; i < ENDPOINTS; i++)
        object_make(KIND_ENDPOINT, W_ENDPOINT + i, RIGHT_ALL);
    for (u32 i = 0; i < 3; i++)
        both(W_BADGED + i, W_ENDPOINT + i, RIGHT_CALL | RIGHT_NOTIFY, 100 + i);
    object_make(KIND_CAPTABLE, W_TABLE_SMALL, RIGHT_ALL);
    copy_of_a = account(W_ACCOUNT_A, BOOT_ACCOUNT, FIRST_OF_A, FIRST_OF_B, 1);
    copy_of_b = account(W_ACCOUNT_B, W_ACCOUNT_A, FIRST_OF_B, FRAMES, 3);
    both(W_ACCOUNT_ROOT, BOOT_ACCOUNT, 0, 0);
    for (u32 i = 0; i < SPACES; i++) {
        /* A thread without a pager in a space of root's account is the kernel's end: no CONTROL of that
         * one. */
        u32 kept = object_make(KIND_SPACE, W_SPACE + i,
                               i == SPACE_OF_ROOT ? RIGHT_MAP | RIGHT_FEED | RIGHT_COPY : RIGHT_ALL);
        if (i == SPACE_OF_VICTIMS)
            copy_of_victims_space = kept;
        feed_space(kept, 6);
        need(sys_space_bind(kept, W_ENDPOINT + 3, W_ENDPOINT + 2, W_ENDPOINT + 4,
                            i == SPACE_OF_ROOT ? BOOT_ACCOUNT
                            : i == SPACE_OF_B  ? W_ACCOUNT_B
                                               : 0,
                            W_TABLE_WORLD, 0) == 0,
             "space_bind");
    }
    need(sys_permit(W_SPACE, 0x10000000, 1024, MAP_READ | MAP_WRITE, W_PERMIT) == 0 &&
             sys_cap_copy(W_TABLE_WORLD, W_PERMIT, W_PERMIT, RIGHT_ALL, 0) == 0,
         "permit");
    both(W_LINES, BOOT_IRQ, RIGHT_ALL, 0);
    both(W_PORTS, BOOT_IOPORT, RIGHT_ALL, 0);
    both(W_TRACING, BOOT_TRACE, RIGHT_ALL, 0);
    victims_begin();
    sleepers();
    weak_ones();
    actors_begin();
}

/* And its end. */

static void unpin(u32 actor, pfn frame, u64 pins) {
    u64 *area = actor_area(actor);
    for (u64 i = 0; i < pins; i++)
        area[i] = frame;
    struct ipc_io io = {.w = {pins}, .rax = SYS_unpin};
    if (actor == 0)
        ipc_raw(&io);
    else
        io.rax = (u64)actor_trusted(actor, &io);
    if (io.rax != pins)
        fail("unpin", actor, io.rax);
}

/* What the calls have pinned: 63 times at most. */
static void unpin_all(u32 actor, u32 account) {
    struct frame_record list[AREA_WORDS / 2];
    u64 next = 0;
    do {
        struct pair r = sys_frames(account, next, 0);
        u64 n = r.second & 0xffffffff;
        need(r.r >= 0, "frames");
        next = (u64)r.r;
        for (u64 i = 0; i < n; i++)
            list[i] = ((const struct frame_record *)AREA)[i];
        for (u64 i = 0; i < n; i++)
            for (u64 k = 0; PINS_OF(list[i].counts) & 63 && k < ALIKE_OF(list[i].counts); k++)
                unpin(actor, FRAME_OF(list[i].id) + k, PINS_OF(list[i].counts) & 63);
    } while (next);
}

static void destroy_all(enum frame_kind kind, u32 but) {
    for (u32 i = 0; i < copies_count; i++) {
        if (copies[i] != kind || W_COPIES + i == but)
            continue;
        i64 e;
        do
            e = kind == KIND_ACCOUNT ? sys_account_close(W_COPIES + i, 0) : sys_destroy(W_COPIES + i);
        while (e == -E_AGAIN || e > 0);
        if (e && e != -E_BADCAP)
            fail("the end of an object", kind, (u64)-e);
    }
}

static void frames_back(void) {
    while (sys_collect(BOOT_ACCOUNT, AREA_WORDS / 2) > 0)
        ;
    for (u32 first = 0; first < FRAMES; first += LIST_MAX) {
        u32 n = MIN(LIST_MAX, FRAMES - first);
        for (u32 i = 0; i < n; i++)
            AREA[i] = frames[first + i];
        need(sys_frames_list(n, 0) == n, "a frame is not root's again");
        const struct frame_record *f = (const struct frame_record *)AREA;
        for (u32 i = 0; i < n; i++)
            if (KIND_OF(f[i].id) != KIND_DATA || USES_OF(f[i].counts) || FLAGS_OF(f[i].id) & FRAME_QUEUED)
                fail("a frame is not free again", FRAME_OF(f[i].id), f[i].counts | KIND_OF(f[i].id) << 56);
    }
}

/* An account is closed while a frame of it is mapped in a space of others: not before it is unmapped. */
static void close_mapped(void) {
    for (u32 tries = 0; tries < 8; tries++) {
        u64 *area = actor_area(3);
        area[0] = (0x10000000 + tries * PAGE_BYTES) | MAP_READ;
        area[1] = frame_of(3);
        struct ipc_io io = {.w = {W_OWN_SPACE + 1, 1}, .rax = SYS_map};
        if (actor_trusted(3, &io) == 1)
            break;
    }
    actors_end();
    destroy_all(KIND_THREAD, 0);
    destroy_all(KIND_SPACE, actor_space(1));
    struct shot s;
    do {
        shot_make(&s, SYS_account_close, 0);
        s.io.w[0] = copy_of_b;
        actor_perform(&s);
    } while ((i64)s.io.rax > 0);
}

void world_end(void) {
    need(sys_trace_mask(BOOT_TRACE, 0) == 0, "trace_mask");
    unpin_all(1, copy_of_a);
    unpin_all(3, copy_of_b);
    unpin_all(0, BOOT_ACCOUNT);
    close_mapped();
    destroy_all(KIND_SPACE, 0);
    destroy_all(KIND_CAPTABLE, 0);
    destroy_all(KIND_ENDPOINT, 0);
    destroy_all(KIND_ACCOUNT, 0);
    for (u32 slot = W_WORLD; slot < W_COPIES + copies_count; slot++)
        need(sys_cap_drop(BOOT_TABLE, slot) == 0, "cap_drop");
    rights_forget();
    if (sys_audit())
        fail("the audit after an episode", 0, 0);
    frames_back();
}
