/* SPDX-License-Identifier: MIT */
/* Calls on capabilities, accounts, objects, threads, and the machine. */
#include "fuzz.h"

/* This program's own table is changed at slots of the world alone. */
static u64 table_to_change(u32 actor) {
    return actor == 0 && chance(3) ? (u64)BOOT_TABLE : a_table();
}

static u64 slot_to_fill(void) {
    return chance(10) ? W_ENDPOINT + pick(40) : chance(24) ? wild() : dynamic();
}

/* Any of the world's fixed objects. */
static u64 anything(void) {
    return W_WORLD + pick(W_WEAK + WEAK_COUNT - W_WORLD);
}

void make_cap_copy(struct shot *s) {
    u64 *w = s->io.w;
    bool badge = chance(4);
    w[0] = table_to_change(s->actor);
    w[1] = w[0] == W_TABLE_SMALL ? pick(130) : slot_to_fill();
    w[2] = badge && chance(2) ? an_endpoint() : chance(6) ? some_right(table_of(s->actor)) : anything();
    w[3] = chance(2) ? RIGHT_ALL : pick(256);
    w[4] = badge ? 1 + pick(100) : 0;
}

void make_cap_drop(struct shot *s) {
    s->io.w[0] = table_to_change(s->actor);
    s->io.w[1] = chance(24) ? wild() : dynamic();
}

void make_permit(struct shot *s) {
    u64 *w = s->io.w, pages;
    w[0] = chance(2) ? W_SPACE + SPACE_OF_NOBODY : a_space();
    w[1] = some_range(&pages) & ~PAGE_MASK;
    w[2] = pages;
    w[3] = pick(16);
    w[4] = slot_to_fill();
    for (u32 i = s->actor == 0 && chance(50) ? 0 : PERMITS_PER_SPACE; i < PERMITS_PER_SPACE; i++)
        (void)sys_permit((u32)w[0], PAGE_BYTES, 1, MAP_READ, (u32)dynamic());
}

void make_permit_end(struct shot *s) {
    s->io.w[0] = chance(12) ? an_endpoint() : chance(12) ? wild() : made(s->actor, KIND_PERMIT);
}

void make_account_open(struct shot *s) {
    s->io.w[0] = an_account();
    s->io.w[1] = slot_to_fill();
}

void make_account_close(struct shot *s) {
    s->io.w[0] = chance(30) && s->actor == 0 ? (u64)BOOT_ACCOUNT
                 : chance(6)                 ? an_account()
                                             : made(s->actor, KIND_ACCOUNT);
}

void make_account_bind(struct shot *s) {
    s->io.w[0] = an_account();
    s->io.w[1] = an_endpoint();
    s->io.w[2] = pick(chance(8) ? 100 : 63);
}

void make_retype(struct shot *s) {
    static const u8 kinds[] = {KIND_SPACE, KIND_THREAD, KIND_ENDPOINT, KIND_CAPTABLE};
    u64 *w = s->io.w;
    w[0] = frame_of(s->actor);
    w[1] = 1;
    w[2] = chance(12) ? pick(KIND_COUNT + 2) : kinds[pick(4)];
    w[3] = slot_to_fill();
    if (w[2] == KIND_CAPTABLE && chance(2))
        w[1] = 1 + pick(8);
    if (s->actor == 0 && chance(20)) {
        w[0] = frames_in_a_row(&w[1]);
        w[2] = KIND_CAPTABLE;
    }
    if (chance(16))
        w[1] = pick(70);
}

/* A space with so many entries that one step does not end it. */
static u64 filled_space(u64 otherwise) {
    u64 slot = made(0, KIND_SPACE);
    pfn tables[4], f = frame_of(0);
    for (u32 i = 0; i < 4; i++)
        tables[i] = frame_of(0);
    for (u32 i = 0; i < 4; i++)
        AREA[i] = tables[i];
    if (sys_feed((u32)slot, 4) != 4)
        return otherwise;
    for (u32 round = 0; round < 6; round++) {
        for (u32 i = 0; i < MAP_ITEMS_MAX; i++) {
            AREA[2 * i] = (0x10000000 + (round * MAP_ITEMS_MAX + i) * PAGE_BYTES) | MAP_READ;
            AREA[2 * i + 1] = f;
        }
        (void)sys_map((u32)slot, MAP_ITEMS_MAX);
    }
    return slot;
}

void make_destroy(struct shot *s) {
    static const u8 kinds[] = {KIND_SPACE, KIND_THREAD, KIND_ENDPOINT, KIND_CAPTABLE};
    u64 slot = made(s->actor, kinds[pick(4)]);
    if (chance(6))
        slot = chance(2) ? an_account() : W_SPACE + SPACE_OF_VICTIMS;
    if (chance(24))
        slot = W_WEAK + pick(WEAK_COUNT);
    if (chance(100))
        slot = anything();
    if (chance(6) && s->actor == 0)
        slot = filled_space(slot);
    s->io.w[0] = slot;
}

void make_regs_read(struct shot *s) {
    s->io.w[0] = chance(4) ? some_right(table_of(s->actor)) : a_thread();
    s->io.w[1] = pick(4);
}

void make_regs_write(struct shot *s) {
    struct user_regs *r = (struct user_regs *)s->area;
    s->io.w[0] = chance(3) ? made(s->actor, KIND_THREAD) : a_thread();
    s->io.w[1] = pick(4);
    for (u32 i = 0; i < sizeof *r / sizeof(u64); i++)
        s->area[i] = chance(4) ? rnd() : 0;
    r->rip = chance(6) ? wild() : GADGET(trap);
    r->fs_base = chance(6) ? wild() : 0x1000;
}

void make_start(struct shot *s) {
    s->io.w[0] = chance(4) ? made(s->actor, KIND_THREAD) : a_thread();
    if (s->actor == 0 && chance(2))
        (void)sys_stop((u32)s->io.w[0]);
}

void make_stop(struct shot *s) {
    s->io.w[0] = chance(3) ? made(s->actor, KIND_THREAD) : a_thread();
}

/* Nobody gets to run before this program, or so high that it would keep the others from it. */
void make_thread_bind(struct shot *s) {
    static pfn page;
    u64 *w = s->io.w;
    if (chance(3))
        page = frame_of(s->actor);
    w[0] = chance(2) ? made(s->actor, KIND_THREAD) : a_thread();
    if (s->actor == 0 && chance(2))
        (void)sys_stop((u32)w[0]);
    w[1] = chance(8) ? made(s->actor, KIND_SPACE) : a_space();
    w[2] = chance(16) ? wild() : 60 + pick(10);
    w[3] = chance(3) ? 0 : chance(8) && s->actor == 0 ? crowded_page : page;
    w[4] = chance(12) ? (chance(2) ? 0 : PRIO_COUNT + pick(9)) : 1 + pick(2);
    w[5] = pick(chance(8) ? 4 : 2);
}

void make_space_bind(struct shot *s) {
    u64 *w = s->io.w;
    w[0] = chance(2) ? made(s->actor, KIND_SPACE) : a_space();
    for (u32 i = 1; i < 4; i++)
        w[i] = chance(3) ? 0 : chance(4) ? an_endpoint() : W_ENDPOINT + 1 + i;
    w[4] = chance(3) ? an_account() : 0;
    w[5] = (chance(3) ? (u32)a_table() : 0) | (chance(4) ? pick(3) : 0) << 32;
}

/* Machine, trace, log. */

void make_irq(struct shot *s) {
    s->io.w[0] = chance(10) ? an_endpoint() : chance(10) ? wild() : W_LINES;
    s->io.w[1] = pick(18);
    s->io.w[2] = an_endpoint();
    s->io.w[3] = pick(chance(8) ? 100 : 63);
}

void make_ports(struct shot *s) {
    s->io.w[0] = chance(10) ? an_endpoint() : chance(10) ? wild() : W_PORTS;
    s->io.w[1] = chance(12) ? wild() : 0x300 + pick(64);
    s->io.w[2] = pick(chance(8) ? 100 : 9);
}

void make_trace_mask(struct shot *s) {
    s->io.w[0] = chance(6)    ? an_endpoint()
                 : chance(12) ? W_WEAK + WEAK_TRACING
                 : chance(12) ? wild()
                              : W_TRACING;
    s->io.w[1] = rnd();
}

void make_trace_name(struct shot *s) {
    s->io.w[0] = a_thread();
    for (u32 i = 0; i < 5; i++)
        s->area[i] = 0x6d656974636976; /* "victim" */
}

void make_trace_event(struct shot *s) {
    (void)s;
}

void make_log(struct shot *s) {
    u64 n = chance(30) ? LOG_BYTES_MAX : chance(12) ? wild() : pick(4);
    for (u64 i = 0; i < LOG_BYTES_MAX / 8 && i * 8 < n; i++)
        s->area[i] = 0x0a2e2e2e2e2e2e2e;
    s->io.w[0] = n;
}

void make_audit(struct shot *s) {
    (void)s;
}
