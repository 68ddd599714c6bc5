/* SPDX-License-Identifier: MIT */
/* Victims: they call, fault, make alien calls and get exceptions, each again as soon as it is answered. And
 * the rights to reply to them. */
#include "fuzz.h"

#define FIRST_TAG 50

enum victim_kind { CALLER, CALLER_LONG, CALLER_SENDING, STORER, LOADER, ALIEN, ALIEN_2, TRAPPED };
static const u8 kind_of_victim[VICTIMS] = {MSG_CALL,  MSG_CALL,  MSG_CALL,  MSG_FAULT,
                                           MSG_FAULT, MSG_ALIEN, MSG_ALIEN, MSG_EXCEPTION};
/* Where each kind of message arrives. */
static const u8 endpoint_of_kind[] = {0, 3, 2, 4};
static u32 kept[VICTIMS];

#define RIGHTS_MAX 24
static struct {
    u16 slot[RIGHTS_MAX];
    u32 count;
} rights[2][4];

void rights_forget(void) {
    for (u32 t = 0; t < 2; t++)
        for (u32 k = 0; k < 4; k++)
            rights[t][k].count = 0;
}

void right_add(u32 table, u32 slot, u32 kind) {
    u32 n = rights[table][kind].count;
    if (n < RIGHTS_MAX)
        rights[table][kind].count++;
    else
        n = (u32)pick(RIGHTS_MAX);
    rights[table][kind].slot[n] = (u16)slot;
}

static u32 right_take(u32 table, u32 kind) {
    u32 n = rights[table][kind].count;
    if (!n)
        return 0;
    u32 i = (u32)pick(n), slot = rights[table][kind].slot[i];
    rights[table][kind].slot[i] = rights[table][kind].slot[n - 1];
    rights[table][kind].count--;
    return slot;
}

u32 some_right(u32 table) {
    return right_of(table, (u32)pick(4));
}

/* Victims. */

static void set(u32 i) {
    vaddr first = 0x10000000 + pick(2) * 0x200000 + pick(100) * PAGE_BYTES;
    struct user_regs r = {.rdi = first, .rdx = first, .rsi = first + 200 * PAGE_BYTES};
    u64 endpoint = W_ENDPOINT + pick(2), slot = chance(2) ? W_BADGED : W_WEAK + pick(WEAK_COUNT);
    switch ((enum victim_kind)i) {
    case CALLER:
    case CALLER_LONG:
        r.rip = GADGET(call);
        r.rsp = endpoint | (i == CALLER ? pick(7) : pick(MSG_WORDS + 1)) << 24;
        break;
    case CALLER_SENDING:
        r.rip = GADGET(call);
        r.rsp = endpoint | slot << 12 | pick(7) << 24;
        break;
    case STORER:
        r.rip = GADGET(store);
        break;
    case LOADER:
        r.rip = GADGET(load);
        break;
    case ALIEN:
    case ALIEN_2:
        r.rip = GADGET(alien);
        break;
    case TRAPPED:
        r.rip = GADGET(trap);
    }
    *(struct user_regs *)AREA = r;
    (void)sys_regs_write(kept[i], REGS_GENERAL);
}

void victim_revive(u32 i) {
    bool alien = kind_of_victim[i] == MSG_ALIEN;
    if (sys_stop(kept[i]))
        return;
    (void)sys_space_bind(victims_space(), W_ENDPOINT + 3, W_ENDPOINT + 2, W_ENDPOINT + 4, 0, W_COPIES, 0);
    err ignored = map_page(victims_space(), CODE, code_page, MAP_READ | MAP_EXEC);
    (void)ignored;
    if (sys_thread_bind(kept[i], victims_space(), FIRST_TAG + i,
                        i == CALLER_LONG || i == CALLER_SENDING ? victims_page : 0, PRIO_LINUX,
                        alien ? THREAD_ALIEN : 0))
        return;
    set(i);
    (void)sys_start(kept[i]);
}

void victims_stop(void) {
    for (u32 i = 0; i < VICTIMS; i++)
        (void)sys_stop(kept[i]);
}

void victims_begin(void) {
    for (u32 i = 0; i < VICTIMS; i++)
        kept[i] = object_make(KIND_THREAD, W_VICTIM + i, RIGHT_ALL);
    for (u32 i = 0; i < VICTIMS; i++)
        victim_revive(i);
}

/* Rights. */

/* A slot of the actors' table, or of this program's, that is probably empty. */
static u32 empty_slot(void) {
    return W_DYNAMIC + (u32)pick(W_WORLD_END - W_DYNAMIC);
}

/* Take a message from an endpoint, if there is one. */
static bool receive(u32 endpoint) {
    for (u32 tries = 0; tries < 6; tries++) {
        u32 slot = empty_slot();
        struct ipc_io io = {.rax = SYS_reply_wait | WAIT_POLL << 16,
                            .r13 = endpoint | (u64)slot << 32,
                            .r14 = chance(2) ? empty_slot() : 0};
        ipc_raw(&io);
        if (io.rax == WOKE_MESSAGE) {
            right_add(0, slot, (u32)IPC_KIND(io.r14));
            return true;
        }
        if ((i64)io.rax == -E_AGAIN || (i64)io.rax == -E_BADCAP)
            return false;
    }
    return false;
}

/* A new alien thread's first message is an exception. */
static void answer_exceptions(void) {
    for (u32 i = 0; i < 4 && receive(W_ENDPOINT + endpoint_of_kind[MSG_EXCEPTION]); i++) {
        u32 slot = right_take(0, MSG_EXCEPTION);
        if (slot)
            (void)answer(slot, 0, 0);
    }
    rest();
}

static u32 supply(u32 kind) {
    u32 endpoint = W_ENDPOINT + endpoint_of_kind[kind];
    for (u32 tries = 0; tries < 3 && !rights[0][kind].count; tries++) {
        if (receive(endpoint) || (kind == MSG_CALL && receive(endpoint + 1)))
            continue;
        if (tries)
            for (u32 i = 0; i < VICTIMS; i++)
                if (kind_of_victim[i] == kind)
                    victim_revive(i);
        rest();
        if (kind == MSG_ALIEN)
            answer_exceptions();
    }
    return right_take(0, kind);
}

u32 right_of(u32 table, u32 kind) {
    u32 slot = right_take(table, kind);
    if (!slot)
        slot = supply(kind);
    else
        return slot;
    if (!slot || table == 0)
        return slot;
    for (u32 tries = 0; tries < 4; tries++) {
        u32 there = empty_slot();
        if (sys_cap_copy(W_COPIES, there, slot, RIGHT_ALL, 0) == 0)
            return there;
    }
    return 0;
}
