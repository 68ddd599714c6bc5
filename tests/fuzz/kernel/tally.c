/* SPDX-License-Identifier: MIT */
/* What is counted and checked of each call: its result is one that is documented, registers that it keeps are
 * kept, nothing is broken, and it took no longer than ever allowed. */
#include "fuzz.h"

#define ERRORS_MAX            12
#define AUDIT_EVERY           1000
#define CALL_INSTRUCTIONS_MAX 40000 /* of one call with interrupts off: docs/kernel-abi.md, section 7 */

static const struct {
    const char *name;
    u16 errors[ERRORS_MAX];
} documented[SYS_COUNT] = {
#define E(error)      E_##error,
#define C(name, list) [SYS_##name] = {#name, {list}},
#include <abi/call_errors.def>
#undef C
#undef E
};

static const struct {
    u16 number;
    const char *name;
} error_names[] = {
#define E(error, number, text) {number, #error},
#include <abi/errors.def>
#undef E
};

u64 run_seed = 1, run_calls = 200000, run_first, episode;
static u64 calls, succeeded[SYS_COUNT], failed[SYS_COUNT][ERRORS_MAX], worst[SYS_COUNT];

u64 tally_calls(void) {
    return calls;
}

bool tally_done(void) {
    return calls >= run_calls;
}

static void say_words(const char *a, u64 n, const char *b) {
    say(a);
    say_number(n);
    say(b);
}

void fail(const char *what, u64 a, u64 b) {
    say("FAIL ");
    say(what);
    say_words(" ", a, "");
    say_words(" ", b, "");
    say_words(" seed ", run_seed, "");
    say_words(" episode ", episode, "");
    say_words(" call ", calls, "\n");
    end_run(1);
}

static const char *error_name(u64 number) {
    for (u32 i = 0; i < ARRAY_LEN(error_names); i++)
        if (error_names[i].number == number)
            return error_names[i].name;
    return "?";
}

/* The kernel's own measure of the calls since it was last asked: what this program maps of it is writable. */
static u64 longest(void) {
    static struct info_page *info;
    if (!info) {
        struct pair r = sys_scan(BOOT_SPACE, INFO_PAGE, 1, 0);
        if ((u32)r.second != 1)
            fail("no information page", 0, 0);
        info = window(PTE_FRAME(AREA[1]));
    }
    u64 took = *(volatile u64 *)&info->irqs_off_max;
    *(volatile u64 *)&info->irqs_off_max = 0;
    return took;
}

static bool is_ipc(u32 call) {
    return call <= SYS_forward_wait;
}

static bool has_second_result(u32 call) {
    return (call >= SYS_map && call <= SYS_copy) || call == SYS_frames;
}

static void check_registers(const struct shot *before, const struct shot *after) {
    const struct ipc_io *i = &before->io, *o = &after->io;
    if (is_ipc(after->call))
        return;
    for (u32 w = 0; w < MSG_REG_WORDS; w++)
        if (w != 2 && i->w[w] != o->w[w])
            fail("a call has changed an argument's register", after->call, w);
    if (i->label != o->label || i->rbx != o->rbx || i->r13 != o->r13 || i->r14 != o->r14 || i->r15 != o->r15)
        fail("a call has changed a register", after->call, 0);
    if (o->w[2] && !has_second_result(after->call))
        fail("a second result", after->call, o->w[2]);
}

static void count_error(u32 call, u64 error) {
    for (u32 i = 0; i < ERRORS_MAX && documented[call].errors[i]; i++)
        if (documented[call].errors[i] == error) {
            failed[call][i]++;
            return;
        }
    say(documented[call].name);
    say(" returned E_");
    say(error_name(error));
    say("\n");
    fail("an error that is not documented", call, error);
}

void tally_mark(void) {
    u64 took = longest();
    if (took > CALL_INSTRUCTIONS_MAX)
        fail("a call took too long", SYS_COUNT, took);
}

/* Records of frames, one account after the other. */
static u64 digest_account(u32 account, u64 sum) {
    u64 next = 0;
    do {
        struct pair r = sys_frames(account, next, 0);
        if (r.r < 0)
            fail("frames", account, (u64)-r.r);
        next = (u64)r.r;
        for (u64 i = 0; i < 2 * (r.second & 0xffffffff); i++)
            sum = (sum ^ AREA[i]) * 0x100000001b3;
    } while (next);
    return sum;
}

u64 frames_digest(void) {
    return digest_account(account_copy(3), digest_account(account_copy(1), digest_account(BOOT_ACCOUNT, 1)));
}

void tally(const struct shot *before, const struct shot *after, bool timed) {
    u32 call = after->call;
    i64 result = (i64)after->io.rax;
    if (call >= SYS_COUNT) {
        if (result != -E_NOSYS)
            fail("a number that is no call", call, (u64)result);
        return;
    }
    calls++;
    check_registers(before, after);
    if (result < 0)
        count_error(call, (u64)-result);
    else
        succeeded[call]++;
    u64 took = longest();
    /* While an actor is at work others may run: plain calls are timed only where they are made by this
     * program. */
    bool alone = after->actor == 0 || is_ipc(call) || call == SYS_ports;
    if (timed && alone && call != SYS_audit && took > worst[call])
        worst[call] = took;
    if (took > CALL_INSTRUCTIONS_MAX)
        fail("a call took too long", call, took);
    if (calls % AUDIT_EVERY == 0 && sys_audit())
        fail("the audit", call, 0);
}

void tally_print(void) {
    say_words("fuzz: calls ", calls, "\n");
    for (u32 c = 0; c < SYS_COUNT; c++) {
        say("fuzz: call ");
        say(documented[c].name);
        say_words(" ", succeeded[c], "");
        say_words(" ", worst[c], "");
        for (u32 i = 0; i < ERRORS_MAX && documented[c].errors[i]; i++) {
            say(" ");
            say(error_name(documented[c].errors[i]));
            say_words("=", failed[c][i], "");
        }
        say("\n");
    }
}
