/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

void end_run(u64 status) {
    say("quire: exit ");
    say_number(status);
    say("\n");
    if (sys_ports(BOOT_IOPORT, 0xf4, 4) == 0)
        __asm__ volatile("outl %0, %1" : : "a"(0x10 + (u32)status), "Nd"((u16)0xf4));
    for (;;)
        ;
}

/* `fuzz_KEY=number` on the kernel's command line. */
static u64 option(const char *key, u64 otherwise) {
    const char *line = ((const struct info_page *)INFO_PAGE)->cmdline;
    for (; *line; line++) {
        const char *k = key, *p = line;
        while (*k && *k == *p)
            k++, p++;
        if (*k || *p != '=')
            continue;
        u64 n = 0;
        while (*++p >= '0' && *p <= '9')
            n = n * 10 + (u64)(*p - '0');
        return n;
    }
    return otherwise;
}

/* All frames that are needed, in order of their numbers. */
static void gather(void) {
    for (u32 i = 0; i < FRAMES; i++) {
        pfn f = frame_get();
        u32 k = i;
        for (; k > 0 && frames[k - 1] > f; k--)
            frames[k] = frames[k - 1];
        frames[k] = f;
    }
}

/* What can be reached only by itself: every account in use. */
static void all_accounts(void) {
    struct shot s;
    for (u32 i = 0; i < ACCOUNTS; i++) {
        shot_make(&s, SYS_account_open, 0);
        s.io.w[0] = W_ACCOUNT_A;
        s.io.w[1] = W_DYNAMIC + i % (W_WORLD_END - W_DYNAMIC);
        actor_perform(&s);
    }
}

/* The dynamic slots of both tables are emptied, whoever waits goes on. */
static void tidy(void) {
    for (u32 slot = W_DYNAMIC; slot < W_WORLD_END; slot++) {
        (void)sys_cap_drop(BOOT_TABLE, slot);
        (void)sys_cap_drop(W_COPIES, slot);
    }
    rights_forget();
    rest();
}

/* Each as often as the others, but audit, which takes long, less, and those more that seldom succeed. */
static u32 some_call(void) {
    static const u8 hard[] = {SYS_call, SYS_call, SYS_thread_bind, SYS_destroy, SYS_start, SYS_unpin};
    u32 call = chance(8) ? hard[pick(ARRAY_LEN(hard))] : (u32)pick(SYS_COUNT);
    if (call == SYS_audit && !chance(3))
        call = (u32)pick(SYS_COUNT);
    return chance(500) ? SYS_COUNT + (u32)pick(256 - SYS_COUNT) : call;
}

static u32 some_actor(u32 call) {
    for (;;) {
        u32 actor = chance(3) ? 1 + (u32)pick(ACTORS - 1) : 0;
        if (call == SYS_call || call == SYS_ports)
            actor = 1 + (u32)pick(ACTORS - 1);
        if (actor_free(actor))
            return actor;
        actor_abort(actor);
    }
}

/* Answers the actor that has just called. */
static void serve(void) {
    struct shot s;
    u64 slot = dynamic();
    shot_make(&s, SYS_reply_wait, 0);
    s.io.rax = SYS_reply_wait | WAIT_POLL << 16;
    s.io.rbx = 0;
    s.io.r13 = W_ENDPOINT_SERVED | slot << 32;
    s.io.r14 = chance(4) ? 0 : dynamic();
    actor_perform(&s);
    if (s.io.rax != WOKE_MESSAGE)
        return;
    shot_make(&s, SYS_reply_wait, 0);
    s.io.rbx = slot | s.io.rbx >> 32 << 32;
    s.io.r13 = 0;
    actor_perform(&s);
    if ((i64)s.io.rax < 0)
        (void)answer((u32)slot, 0, 0);
    rest();
}

static void play_episode(void) {
    random_seed(run_seed, episode);
    world_begin();
    shots_forget();
    rest();
    u64 left = EPISODE_CALLS;
    for (u64 i = 1; i <= left && !tally_done(); i++) {
        u32 call = some_call();
        struct shot s;
        shot_make(&s, call, some_actor(call));
        actor_perform(&s);
        if (call == SYS_call && !actor_free(s.actor) && !chance(5))
            serve();
        if (disturbed())
            left = MIN(left, i + 60);
        if (i % 200 == 0)
            tidy();
    }
    tidy();
    if (episode % 64 == run_first % 64)
        all_accounts();
    world_end();
}

__attribute__((used)) static void fuzz_main(void) {
    run_seed = option("fuzz_seed", run_seed);
    run_first = option("fuzz_first", run_first);
    run_calls = option("fuzz_calls", run_calls);
    table_grow();
    gather();
    actors_init();
    for (episode = run_first; !tally_done(); episode++)
        play_episode();
    tally_print();
    say("quire: audit: ok\n");
    end_run(0);
}

__attribute__((naked)) void _start(void);
void _start(void) {
    __asm__ volatile("xor %ebp, %ebp\n\tcall fuzz_main\n\tud2");
}
