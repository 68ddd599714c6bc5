/* SPDX-License-Identifier: MIT */
/* Random calls of the kernel and of servers by a hostile server, with what it really holds. What it must not do to itself
 * is left out, and ports, as a port can do anything. */
#pragma once

#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/clock.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <ipc/sys.h>

enum { SLOT_FOR_CALLS = SLOT_FREE + 50 }; /* those before are for threads */
enum { FRAMES = 32 };

static u64 seed = HOSTILE_SEED;
static pfn own[FRAMES];
static u32 owned;
static volatile u64 succeeded, answered;
static u32 held[512], held_count; /* slots of what it was given */
static u32 others_space;          /* of which it has COPY; 0: none */

static u64 rnd(u64 n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1d >> 16) % n;
}

/* What it holds. */

static const char *kind_at(u32 slot) {
    if (sys_notify(slot, 0) != -E_KIND)
        return "endpoint";
    if (sys_scan(slot, PAGE_BYTES, 0, 0).r != -E_KIND)
        return "space";
    if (sys_regs_read(slot, 0) != -E_KIND)
        return "thread";
    if (sys_frames(slot, ~0ull, 0).r != -E_KIND)
        return "account";
    if (sys_cap_drop(slot, 0) != -E_KIND)
        return "table";
    if (sys_unmap(slot, 0, 0, 0).r != -E_KIND)
        return "permit";
    return "other";
}

static u64 ms_from_now(u64 ms) {
    return clock_deadline(clock_ns() + ms * NS_PER_MS);
}

/* show: one line of the log for each. */
static void look(bool show) {
    for (u32 slot = 1; slot < server_slots; slot++) {
        /* copying nothing changes nothing, and tells what is there */
        if (sys_cap_copy(SLOT_TABLE, slot, slot, 0, 0) != -E_OCCUPIED)
            continue;
        const char *kind = kind_at(slot);
        if (show)
            log_line("holds %s at %u", kind, slot);
        if (held_count < ARRAY_LEN(held))
            held[held_count++] = slot;
        if (kind[0] == 's' && slot != SLOT_SPACE)
            others_space = slot;
    }
}

/* Calls of the kernel. */

static u64 wild(void) {
    static const u64 some[] = {0,          1,          2,           511,        512,         1 << 20,
                               0xffffffff, 1ull << 32, 1ull << 47,  ~0ull,      KERNEL_BASE, PHYS_BASE,
                               USER_END,   HEAP_BASE,  SLAB_WINDOW, OWN_WINDOW, COPY_FRAMES};
    return rnd(3) ? some[rnd(ARRAY_LEN(some))] : rnd(3) ? rnd(1000) : seed;
}

static u64 a_slot(void) {
    return rnd(4) ? held[rnd(held_count)] : rnd(3) ? rnd(server_slots) : wild();
}

static u64 an_argument(void) {
    switch (rnd(6)) {
    case 0:
        return wild();
    case 1:
        return owned ? own[rnd(owned)] : rnd(1 << 15);
    case 2:
        return rnd(1 << 15); /* a frame, probably of others */
    case 3:
        return HEAP_END - (rnd(4096) + 1) * PAGE_BYTES;
    case 4:
        return rnd(64);
    default:
        return a_slot();
    }
}

/* What would only end this program. */
static bool harms_itself(u64 call, const u64 *w) {
    bool on_thread = w[0] == SLOT_THREAD, on_space = w[0] == SLOT_SPACE, on_table = w[0] == SLOT_TABLE;
    switch (call) {
    case SYS_stop:
    case SYS_destroy:
    case SYS_thread_bind:
    case SYS_regs_write:
    case SYS_interrupt:
    case SYS_start:
        return on_thread || w[0] >= SLOT_FREE || on_space || on_table;
    case SYS_unmap:
    case SYS_protect:
    case SYS_space_bind:
    case SYS_unfeed:
    case SYS_clone:
    case SYS_clone_private:
        return on_space || w[1] == SLOT_SPACE;
    case SYS_cap_copy:
    case SYS_cap_drop:
        return on_table;
    case SYS_copy:
        return w[0] == SLOT_SPACE || (others_space && w[0] == others_space) || w[0] == COPY_FRAMES;
    case SYS_permit:
        return w[4] < SLOT_FOR_CALLS;
    case SYS_account_open:
        return w[1] < SLOT_FOR_CALLS;
    case SYS_retype:
        return w[3] < SLOT_FOR_CALLS || rnd(4) != 0;
    case SYS_give:
    case SYS_feed:
        return rnd(8) != 0; /* its frames would soon be gone */
    case SYS_notify:        /* root would end the run */
    case SYS_account_bind:
    case SYS_irq:
        return w[0] == SERVICE(SRV_ROOT) || w[1] == SERVICE(SRV_ROOT) || w[2] == SERVICE(SRV_ROOT);
    case SYS_audit:
    case SYS_log:
        return true;
    default:
        return call <= SYS_forward_wait;
    }
}

static void kernel_call(void) {
    u64 call = rnd(SYS_COUNT), w[6];
    for (u32 i = 0; i < 6; i++)
        w[i] = an_argument();
    if (rnd(3))
        w[0] = a_slot();
    if (harms_itself(call, w))
        return;
    u64 *area = ipc_area();
    for (u32 i = 0; i < 16; i++)
        area[i] = an_argument();
    succeeded += sys6(call, w[0], w[1], w[2], w[3], w[4], w[5]).r >= 0;
}

/* Calls of servers. */

static void server_call(void) {
    u32 to = SRV_FRAME + (u32)rnd(SRV_COUNT - SRV_FRAME);
    u64 words = rnd(8) ? rnd(7) : rnd(MSG_WORDS + 1);
    struct ipc_io io = {.label = (1 + rnd(10)) << 8 | rnd(24),
                        .rax = SYS_call | words << 8,
                        .rbx = SERVICE(to),
                        .r13 = (rnd(8) ? 0 : a_slot()) | rnd(2) * (SLOT_FOR_CALLS + rnd(10)) << 32};
    for (u32 i = 0; i < MSG_REG_WORDS; i++)
        io.w[i] = an_argument();
    u64 *page = ipc_page();
    for (u64 i = MSG_REG_WORDS; i < words; i++)
        page[i] = an_argument();
    if (to == server_id)
        return;
    ipc_raw(&io);
    answered += io.rax == 0;
}

static void notify_others(void) {
    (void)sys_notify(SERVICE(SRV_FRAME + (u32)rnd(SRV_COUNT - SRV_FRAME)), seed);
}
