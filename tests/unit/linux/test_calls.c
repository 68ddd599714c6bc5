/* SPDX-License-Identifier: MIT */
/* The personality as a whole over world.c: what programs see of pipes, children, signals and waiting, and
 * that nothing is left over. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/seed.h"
#include "calls.h"

static void make_pipe(u32 tid, u32 *from, u32 *to) {
    i32 fd[2];
    cr_assert_eq(answer(tid, PIPE, BUFFER, 0, 0, 0), 0);
    world_read(tid, BUFFER, fd, sizeof fd);
    *from = (u32)fd[0];
    *to = (u32)fd[1];
}

static void handle(u32 tid, int signal, u64 flags) {
    struct linux_sigaction a = {.handler = 0x5000, .flags = flags | 0x04000000, .restorer = 0x6000};
    world_write(tid, OTHER, &a, sizeof a);
    cr_assert_eq(answer(tid, SIGACTION, (u64)signal, OTHER, 0, 8), 0);
}

Test(calls, a_reader_waits_for_a_writer) {
    u32 me = world_begin()->tid, from, to;
    i64 r;
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    waits(child, READ, from, BUFFER, 100, 0);
    world_absent(me);
    world_absent(child);
    world_write(me, OTHER, "hello", 5);
    world_absent(me); /* the bytes come back by a fault of the writer, the reader faults too */
    cr_assert_eq(answer(me, WRITE, to, OTHER, 5, 0), 5);
    cr_assert_eq(world_outcome(child, &r), OUT_ANSWER);
    cr_assert_eq(r, 5);
    char got[5];
    world_read(child, BUFFER, got, 5);
    cr_assert_eq(memcmp(got, "hello", 5), 0);
    answer(me, CLOSE, to, 0, 0, 0);
    answer(child, CLOSE, to, 0, 0, 0);
    cr_assert_eq(answer(child, READ, from, BUFFER, 100, 0), 0, "the last writer has gone");
    exits(child, 3);
}

Test(calls, a_bad_buffer_takes_nothing_out_of_a_pipe) {
    u32 me = world_begin()->tid, from, to;
    make_pipe(me, &from, &to);
    cr_assert_eq(answer(me, WRITE, to, 0x10, 5, 0), -E_FAULT);
    world_write(me, OTHER, "hello", 5);
    cr_assert_eq(answer(me, WRITE, to, OTHER, 5, 0), 5);
    cr_assert_eq(answer(me, READ, from, WORLD_END, 5, 0), -E_FAULT);
    cr_assert_eq(answer(me, READ, from, WORLD_END - 2, 5, 0), 2, "a short count, not a loss");
    cr_assert_eq(answer(me, READ, from, BUFFER, 5, 0), 3);
    answer(me, CLOSE, to, 0, 0, 0);
    cr_assert_eq(answer(me, READ, from, BUFFER, 5, 0), 0, "the end of the file");
}

Test(calls, a_long_write_goes_on_as_there_is_room) {
    u32 me = world_begin()->tid, from, to;
    i64 r;
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    u64 bytes = 30 * PAGE_BYTES;
    for (u64 i = 0; i < bytes; i += 8)
        world_write(child, OTHER + i, &i, 8);
    waits(child, WRITE, to, OTHER, bytes, 0);
    for (u64 done = 0; done < bytes;) {
        i64 n = answer(me, READ, from, OTHER, 10000, 0);
        for (u64 i = (done + 7) / 8 * 8; i + 8 <= done + (u64)n; i += 8) {
            u64 word;
            world_read(me, OTHER + i - done, &word, 8);
            cr_assert_eq(word, i);
        }
        done += (u64)n;
    }
    cr_assert_eq(world_outcome(child, &r), OUT_ANSWER);
    cr_assert_eq(r, (i64)bytes);
}

Test(calls, writing_without_readers_ends_by_sigpipe) {
    u32 me = world_begin()->tid, from, to;
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    answer(me, CLOSE, from, 0, 0, 0);
    answer(child, CLOSE, from, 0, 0, 0);
    cr_assert_eq(answer(child, WRITE, to, BUFFER, 1, 0), -E_PIPE);
    cr_assert(!world_settle(child));
    u32 status;
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, 0, 0), child);
    world_read(me, BUFFER, &status, 4);
    cr_assert_eq(status, SIGPIPE);
}

Test(calls, wait4_waits_and_reaps) {
    u32 me = world_begin()->tid, status;
    i64 r;
    cr_assert_eq(answer(me, WAIT4, ~0ull, 0, 0, 0), -E_CHILD);
    u32 child = forked(me);
    cr_assert_eq(answer(me, WAIT4, ~0ull, 0, WNOHANG, 0), 0);
    waits(me, WAIT4, ~0ull, BUFFER, 0, 0);
    exits(child, 7);
    cr_assert_eq(world_outcome(me, &r), OUT_ANSWER);
    cr_assert_eq(r, child);
    world_read(me, BUFFER, &status, 4);
    cr_assert_eq(status, 0x700);
    world_check_idle();
}

Test(calls, vfork_holds_the_parent_and_shares_memory) {
    u32 me = world_begin()->tid;
    i64 r;
    waits(me, VFORK, 0, 0, 0, 0);
    u32 child = me + 1;
    cr_assert(world_settle(child));
    cr_assert_eq(world_memories(), 1);
    exits(child, 0);
    cr_assert_eq(world_outcome(me, &r), OUT_ANSWER);
    cr_assert_eq(r, child);
    cr_assert_eq(answer(me, WAIT4, child, 0, 0, 0), child);
    world_check_idle();
}

Test(calls, a_handler_runs_and_returns) {
    u32 me = world_begin()->tid;
    handle(me, SIGUSR, 0);
    struct user_regs *regs = world_regs(me);
    regs->rsp = STACK;
    regs->rip = 0x1234;
    regs->rbx = 99;
    cr_assert_eq(answer(me, KILL, me, SIGUSR, 0, 0), 0);
    cr_assert(world_interrupted(me));
    world_absent(me);
    cr_assert(world_settle(me));
    cr_assert_eq(regs->rip, 0x5000);
    cr_assert_eq(regs->rdi, SIGUSR);
    u64 restorer;
    world_read(me, regs->rsp, &restorer, 8);
    cr_assert_eq(restorer, 0x6000);
    cr_assert_eq(answer(me, KILL, me, SIGUSR, 0, 0), 0);
    cr_assert(world_settle(me));
    cr_assert_eq(regs->rip, 0x5000, "blocked while its handler runs");
    regs->rsp += 8;
    regs->rbx = 0;
    cr_assert_eq(answer(me, SIGRETURN, 0, 0, 0, 0), 0);
    cr_assert(regs->rip == 0x1234 && regs->rsp == STACK && regs->rbx == 99);
    cr_assert(world_settle(me));
    cr_assert_eq(regs->rip, 0x5000, "and comes then");
}

Test(calls, a_stack_without_room_for_a_frame_kills) {
    u32 me = world_begin()->tid, status;
    u32 child = forked(me);
    handle(child, SIGUSR, 0);
    world_regs(child)->rsp = 0x800;
    answer(me, KILL, child, SIGUSR, 0, 0);
    cr_assert(!world_settle(child));
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, 0, 0), child);
    world_read(me, BUFFER, &status, 4);
    cr_assert_eq(status, SIGSEGV);
    world_check_idle();
}

/* A child that waits in a read; its signal comes. */
static u32 interrupted_reader(u32 me, u64 flags) {
    u32 from, to;
    i64 r;
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    handle(child, SIGUSR, flags);
    world_regs(child)->rsp = STACK;
    world_regs(child)->rip = 0x1002;
    waits(child, READ, from, BUFFER, 1, 0);
    answer(me, KILL, child, SIGUSR, 0, 0);
    cr_assert_eq(world_outcome(child, &r), OUT_ANSWER);
    cr_assert_eq(r, -E_INTR);
    world_regs(child)->rax = (u64)r;
    cr_assert(world_settle(child));
    cr_assert_eq(world_regs(child)->rip, 0x5000);
    world_regs(child)->rsp += 8;
    answer(child, SIGRETURN, 0, 0, 0, 0);
    return child;
}

Test(calls, a_signal_interrupts_a_call) {
    u32 child = interrupted_reader(world_begin()->tid, 0);
    cr_assert_eq(world_regs(child)->rip, 0x1002);
    cr_assert_eq((i64)world_regs(child)->rax, -E_INTR);
}

Test(calls, sa_restart_sends_it_again) {
    u32 child = interrupted_reader(world_begin()->tid, SA_RESTART);
    cr_assert_eq(world_regs(child)->rip, 0x1000, "back at its syscall instruction");
    cr_assert_eq(world_regs(child)->rax, READ);
}

Test(calls, sigsuspend_puts_the_mask_back) {
    u32 me = world_begin()->tid;
    i64 r;
    sigset usr = SIGSET(SIGUSR), none = 0, old;
    u32 child = forked(me);
    handle(child, SIGUSR, 0);
    world_regs(child)->rsp = STACK;
    world_write(child, BUFFER, &usr, 8);
    answer(child, SIGPROCMASK, SIG_BLOCK, BUFFER, 0, 8);
    answer(me, KILL, child, SIGUSR, 0, 0);
    cr_assert(world_settle(child));
    world_write(child, BUFFER, &none, 8);
    cr_assert_eq(world_call(child, SIGSUSPEND, (u64[6]){BUFFER, 8}, &r), OUT_ANSWER);
    cr_assert_eq(r, -E_INTR);
    cr_assert(world_settle(child));
    cr_assert_eq(world_regs(child)->rip, 0x5000);
    world_regs(child)->rsp += 8;
    answer(child, SIGRETURN, 0, 0, 0, 0);
    answer(child, SIGPROCMASK, SIG_BLOCK, 0, BUFFER, 8);
    world_read(child, BUFFER, &old, 8);
    cr_assert_eq(old, usr);
}

Test(calls, kill_9_ends_what_waits) {
    u32 me = world_begin()->tid, from, to, status;
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    waits(child, READ, from, BUFFER, 1, 0);
    answer(me, KILL, child, SIGKILL, 0, 0);
    cr_assert_eq(answer(me, WAIT4, child, OTHER, 0, 0), child);
    world_read(me, OTHER, &status, 4);
    cr_assert_eq(status, SIGKILL);
    answer(me, CLOSE, from, 0, 0, 0);
    answer(me, CLOSE, to, 0, 0, 0);
    world_check_idle();
}

Test(calls, stop_and_continue) {
    u32 me = world_begin()->tid, status;
    u32 child = forked(me);
    answer(me, KILL, child, SIGSTOP, 0, 0);
    cr_assert(!world_settle(child));
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, WUNTRACED, 0), child);
    world_read(me, BUFFER, &status, 4);
    cr_assert_eq(status, STATUS_STOPPED(SIGSTOP));
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, WUNTRACED | WNOHANG, 0), 0);
    answer(me, KILL, child, SIGCONT, 0, 0);
    cr_assert(world_settle(child));
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, WCONTINUED, 0), child);
    answer(me, KILL, child, SIGSTOP, 0, 0);
    cr_assert(!world_settle(child));
    answer(me, KILL, child, SIGKILL, 0, 0);
    cr_assert_eq(answer(me, WAIT4, child, BUFFER, 0, 0), child);
    world_check_idle();
}

Test(calls, sleeps_and_polls_end_in_time) {
    u32 me = world_begin()->tid, from, to;
    i64 r;
    struct timespec64 span = {0, 5000000};
    make_pipe(me, &from, &to);
    u32 child = forked(me);
    world_write(child, BUFFER, &span, sizeof span);
    waits(child, NANOSLEEP, BUFFER, 0, 0, 0);
    world_time(4);
    cr_assert_eq(world_outcome(child, &r), OUT_WAITS);
    world_time(1);
    cr_assert(world_outcome(child, &r) == OUT_ANSWER && r == 0);
    struct pollfd32 p = {.fd = (i32)from, .events = POLLIN};
    world_write(child, BUFFER, &p, sizeof p);
    waits(child, POLL, BUFFER, 1, 10, 0);
    world_time(10);
    cr_assert(world_outcome(child, &r) == OUT_ANSWER && r == 0);
    waits(child, POLL, BUFFER, 1, ~0ull, 0);
    cr_assert_eq(answer(me, WRITE, to, OTHER, 1, 0), 1);
    cr_assert(world_outcome(child, &r) == OUT_ANSWER && r == 1);
    world_read(child, BUFFER, &p, sizeof p);
    cr_assert_eq(p.revents, POLLIN);
}

Test(calls, alarm_comes) {
    u32 me = world_begin()->tid, status;
    u32 child = forked(me);
    cr_assert_eq(answer(child, ALARM, 2, 0, 0, 0), 0);
    world_time(1500);
    cr_assert(world_settle(child));
    world_time(600);
    cr_assert(!world_settle(child));
    answer(me, WAIT4, child, BUFFER, 0, 0);
    world_read(me, BUFFER, &status, 4);
    cr_assert_eq(status, SIGALRM);
    world_check_idle();
}

Test(calls, threads_and_futex) {
    u32 me = world_begin()->tid, value = 5;
    i64 r;
    world_write(me, BUFFER, &value, 4);
    const u64 flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                      CLONE_CHILD_CLEARTID | CLONE_SETTLS;
    u32 thread = (u32)world_call(me, CLONE, (u64[6]){flags, STACK, 0, BUFFER, 0x7000}, &r);
    thread = (u32)r;
    cr_assert(world_settle(thread));
    cr_assert(world_regs(thread)->rsp == STACK && world_regs(thread)->fs_base == 0x7000);
    cr_assert_eq(answer(thread, GETTID, 0, 0, 0, 0), thread);
    cr_assert_eq(answer(me, FUTEX, BUFFER, FUTEX_WAIT, 4, 0), -E_AGAIN);
    waits(me, FUTEX, BUFFER, FUTEX_WAIT, 5, 0);
    cr_assert_eq(world_call(thread, EXIT, (u64[6]){0}, &r), OUT_GONE);
    cr_assert(world_outcome(me, &r) == OUT_ANSWER && r == 0);
    world_read(me, BUFFER, &value, 4);
    cr_assert_eq(value, 0);
    world_check_idle();
}

Test(calls, the_terminal) {
    u32 me = world_begin()->tid;
    i64 r;
    world_write(me, OTHER, "text\n", 5);
    cr_assert_eq(answer(me, WRITE, 1, OTHER, 5, 0), 5);
    cr_assert(world_output_bytes == 5 && !memcmp(world_output, "text\n", 5));
    waits(me, READ, 0, BUFFER, 100, 0);
    world_absent(me);
    world_type("line\n", 0);
    cr_assert(world_outcome(me, &r) == OUT_ANSWER && r == 5);
    char got[5];
    world_read(me, BUFFER, got, 5);
    cr_assert_eq(memcmp(got, "line\n", 5), 0, "read although the page was absent at first");
    handle(me, SIGINT, 0);
    world_regs(me)->rsp = STACK;
    world_type("", 1 << SIGINT);
    cr_assert(world_settle(me));
    cr_assert_eq(world_regs(me)->rdi, SIGINT);
}
