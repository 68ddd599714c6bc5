/* SPDX-License-Identifier: MIT */
/* What calls are made of, and what follows from them. */
#include "fuzz.h"

static generator *const generators[SYS_COUNT] = {
#define S(name, number) [number] = make_##name,
    SYSCALLS(S)
#undef S
};

/* Objects that calls have made, by table and kind. */
#define MADE_MAX 16
static struct {
    u16 slot[MADE_MAX];
    u32 count;
} things[2][KIND_COUNT];
static bool is_disturbed;

void shots_forget(void) {
    is_disturbed = false;
    for (u32 t = 0; t < 2; t++)
        for (u32 k = 0; k < KIND_COUNT; k++)
            things[t][k].count = 0;
}

bool disturbed(void) {
    return is_disturbed;
}

static void thing_add(u32 table, u32 kind, u64 slot) {
    u32 n = things[table][kind].count;
    if (n < MADE_MAX)
        things[table][kind].count++;
    else
        n = (u32)pick(MADE_MAX);
    things[table][kind].slot[n] = (u16)slot;
}

/* What was in a slot is not there any more. */
void thing_gone(u64 slot) {
    for (u32 t = 0; t < 2; t++)
        for (u32 k = 0; k < KIND_COUNT; k++)
            for (u32 i = 0; i < things[t][k].count; i++)
                if (things[t][k].slot[i] == slot)
                    things[t][k].slot[i] = things[t][k].slot[--things[t][k].count];
}

/* If there is none of the kind, actor 0 makes one first. */
static void make_thing(enum frame_kind kind) {
    static const u32 calls[KIND_COUNT] = {[KIND_ACCOUNT] = SYS_account_open, [KIND_PERMIT] = SYS_permit};
    struct shot s;
    shot_make(&s, calls[kind] ? calls[kind] : (u32)SYS_retype, 0);
    if (!calls[kind]) {
        s.io.w[1] = 1;
        s.io.w[2] = kind;
    }
    actor_perform(&s);
}

u64 made(u32 actor, enum frame_kind kind) {
    u32 t = table_of(actor);
    if (!things[t][kind].count && actor == 0)
        make_thing(kind);
    u32 n = things[t][kind].count;
    return n ? things[t][kind].slot[pick(n)] : dynamic();
}

u64 dynamic(void) {
    return W_DYNAMIC + pick(W_WORLD_END - W_DYNAMIC);
}

static u64 mostly(u64 first, u64 count, u64 weak) {
    static const u16 others[] = {W_ENDPOINT, W_VICTIM, W_SPACE,      W_ACCOUNT_A,
                                 W_PERMIT,   W_LINES,  W_TABLE_SMALL};
    switch (pick(20)) {
    case 0:
        return W_WEAK + weak;
    case 1:
        return others[pick(ARRAY_LEN(others))];
    case 2:
        return chance(2) ? wild() : dynamic();
    default:
        return first + pick(count);
    }
}

u64 an_endpoint(void) {
    return mostly(W_ENDPOINT, ENDPOINTS, WEAK_ENDPOINT);
}

u64 a_thread(void) {
    return mostly(W_VICTIM, VICTIMS, WEAK_THREAD);
}

u64 a_space(void) {
    return mostly(W_SPACE, SPACES - 1, WEAK_SPACE);
}

u64 a_window(u32 actor) {
    if (chance(8))
        return chance(8) ? W_WEAK + WEAK_PERMIT : chance(2) ? W_PERMIT : made(actor, KIND_PERMIT);
    if (actor && actor != 2 && chance(3))
        return W_OWN_SPACE + actor;
    return mostly(W_SPACE, SPACES, WEAK_SPACE);
}

u64 an_account(void) {
    return mostly(W_ACCOUNT_A, 2, WEAK_ACCOUNT);
}

u64 a_table(void) {
    return mostly(W_TABLE_WORLD, 2, WEAK_TABLE);
}

void shot_make(struct shot *s, u32 call, u32 actor) {
    *s = (struct shot){.io = {.w = {rnd(), rnd(), rnd(), rnd(), rnd(), rnd()},
                              .label = rnd(),
                              .rbx = rnd(),
                              .r13 = rnd(),
                              .r14 = rnd(),
                              .r15 = rnd()},
                       .actor = actor,
                       .call = call,
                       .area = actor_area(actor)};
    if (call >= SYS_COUNT) {
        s->io.rax = call;
        return;
    }
    s->io.rax = call <= SYS_forward_wait ? call : call | (rnd() & ~0xffull);
    generators[call](s);
    if (call > SYS_forward_wait && chance(16))
        s->io.w[pick(6)] = wild();
}

/* What follows. */

static i64 by_actor(u32 actor, u64 call, u64 a, u64 b, u64 c, u64 d) {
    struct ipc_io io = {.w = {a, b, c, d}, .rax = call};
    if (actor)
        return actor_trusted(actor, &io);
    ipc_raw(&io);
    return (i64)io.rax;
}

/* A new object: a copy of its capability, or it could never be ended. */
static void keep_new(u32 actor, u64 slot, enum frame_kind kind) {
    u32 to = keep_slot(kind);
    i64 e = by_actor(actor, SYS_cap_copy, actor ? W_TRUSTED_TABLE : BOOT_TABLE, to, slot, RIGHT_ALL);
    if (e)
        fail("no copy of what was made", slot, (u64)-e);
    thing_add(table_of(actor), kind, slot);
}

static void after_destroy(const struct shot *before, i64 result) {
    u64 slot = before->io.w[0];
    for (u32 steps = 0; result == -E_AGAIN; steps++) {
        if (steps > 1000)
            fail("a destroy without end", slot, 0);
        result = by_actor(before->actor, SYS_destroy, slot, 0, 0, 0);
    }
    if (result == 0)
        thing_gone(slot);
    if (result == 0 && slot < W_DYNAMIC)
        is_disturbed = true;
}

static void after_give(const struct shot *before, i64 given) {
    const u64 *w = before->io.w;
    for (i64 i = 0; w[1] != GIVE_LIST && i < given; i++)
        frame_given(w[1] + (u64)i, (u32)w[0]);
}

static void after_wait(const struct shot *before, const struct shot *after) {
    if (after->io.rax == WOKE_MESSAGE)
        right_add(table_of(before->actor), (u32)(before->io.r13 >> 32), (u32)IPC_KIND(after->io.r14));
}

void shot_done(const struct shot *before, const struct shot *after) {
    i64 result = (i64)after->io.rax;
    const u64 *w = before->io.w;
    switch (before->call) {
    case SYS_reply_wait:
    case SYS_fault_reply_wait:
    case SYS_forward_wait:
        after_wait(before, after);
        break;
    case SYS_retype:
        if (result == 0)
            keep_new(before->actor, w[3], (enum frame_kind)w[2]);
        break;
    case SYS_account_open:
        if (result == 0)
            keep_new(before->actor, w[1], KIND_ACCOUNT);
        break;
    case SYS_permit:
        if (result == 0)
            thing_add(table_of(before->actor), KIND_PERMIT, w[4]);
        break;
    case SYS_destroy:
        after_destroy(before, result);
        break;
    case SYS_permit_end:
    case SYS_account_close:
        if (result == 0)
            thing_gone(w[0]);
        break;
    case SYS_cap_drop:
        if (result == 0)
            thing_gone(w[1]);
        break;
    case SYS_give:
        after_give(before, result);
        break;
    default:
        break;
    }
}
