/* SPDX-License-Identifier: MIT */
/* System calls of the scripted programs: numbers, and short ways to make one and to say what comes of it. */
#pragma once

#include <criterion/criterion.h>

#include "world.h"

enum { SIGUSR = 10 };
enum {
    READ = 0,
    WRITE,
    CLOSE = 3,
    POLL = 7,
    SIGACTION = 13,
    SIGPROCMASK,
    SIGRETURN,
    PIPE = 22,
    DUP = 32,
    DUP2,
    NANOSLEEP = 35,
    ALARM = 37,
    CLONE = 56,
    FORK,
    VFORK,
    EXIT = 60,
    WAIT4,
    KILL,
    GETPPID = 110,
    SIGSUSPEND = 130,
    GETTID = 186,
    FUTEX = 202,
    OPENAT = 257,
    EXIT_GROUP = 231
};
#define BUFFER (WORLD_BASE + 0x4000)
#define OTHER  (WORLD_BASE + 0x8000)
#define STACK  (WORLD_BASE + 0x20000)

static inline i64 answer(u32 tid, u64 number, u64 a, u64 b, u64 c, u64 d) {
    i64 r = 0;
    enum outcome o = world_call(tid, number, (u64[6]){a, b, c, d}, &r);
    cr_assert_eq(o, OUT_ANSWER, "call %llu of %u: outcome %d", (unsigned long long)number, tid, o);
    return r;
}

static inline void waits(u32 tid, u64 number, u64 a, u64 b, u64 c, u64 d) {
    i64 r;
    cr_assert_eq(world_call(tid, number, (u64[6]){a, b, c, d}, &r), OUT_WAITS);
}

static inline u32 forked(u32 tid) {
    u32 child = (u32)answer(tid, FORK, 0, 0, 0, 0);
    cr_assert(world_settle(child));
    cr_assert_eq(world_regs(child)->rax, 0);
    return child;
}

static inline void exits(u32 tid, u32 code) {
    i64 r;
    cr_assert_eq(world_call(tid, EXIT_GROUP, (u64[6]){code}, &r), OUT_GONE);
}
