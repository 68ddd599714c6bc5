/* SPDX-License-Identifier: MIT */
/* Signals: delivery, masks, pending, suspend, interrupted and restarted calls, SIGCHLD, SIGPIPE, kill. */
#define _GNU_SOURCE
#include "check.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <fcntl.h>

static volatile sig_atomic_t count[65];
static volatile sig_atomic_t sender;

static void counting(int number) {
    count[number]++;
}

static void with_sender(int number, siginfo_t *info, void *context) {
    (void)context;
    count[number]++;
    sender = info->si_pid;
}

static void handle(int number, int flags) {
    struct sigaction action = {.sa_handler = counting, .sa_flags = flags};
    CHECK(sigaction(number, &action, NULL) == 0);
    count[number] = 0;
}

static void masks(void) {
    sigset_t set, old, pending;
    saying("signals: a blocked signal is pending once, and comes when it is unblocked");
    handle(SIGUSR1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(count[SIGUSR1] == 0 && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && count[SIGUSR1] == 1);
    saying("signals: sigsuspend takes a signal that was blocked");
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(sigsuspend(&old) == -1 && errno == EINTR && count[SIGUSR1] == 2);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && count[SIGUSR1] == 2);
}

static void registers_kept(void) {
    saying("signals: a handler leaves the interrupted computation alone");
    double x = 1.0;
    uint64_t sum = 0;
    handle(SIGUSR2, 0);
    for (unsigned i = 1; i <= 1000; i++) {
        x = x * 1.0001 + 1;
        sum += i;
        if (i % 100 == 0)
            CHECK(raise(SIGUSR2) == 0);
    }
    CHECK(count[SIGUSR2] == 10 && sum == 500500 && x > 1051.6 && x < 1052.9);
}

/* A child sends `number` to this process after a while, which waits in read; then writes one byte. */
static ssize_t read_under_signal(int number) {
    int ends[2];
    char byte = 0;
    CHECK(pipe(ends) == 0);
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        usleep(100000);
        CHECK(kill(parent, number) == 0);
        usleep(100000);
        CHECK(write(ends[1], "x", 1) == 1);
        _exit(0);
    }
    ssize_t got = read(ends[0], &byte, 1);
    int saved = errno;
    CHECK(wait_for(pid) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    errno = saved;
    return got;
}

static void interrupted(void) {
    saying("signals: read ends with EINTR, or goes on with SA_RESTART");
    handle(SIGUSR1, 0);
    CHECK(read_under_signal(SIGUSR1) == -1 && errno == EINTR && count[SIGUSR1] == 1);
    handle(SIGUSR1, SA_RESTART);
    CHECK(read_under_signal(SIGUSR1) == 1 && count[SIGUSR1] == 1);
}

static void children(void) {
    struct sigaction action = {.sa_sigaction = with_sender, .sa_flags = SA_SIGINFO};
    saying("signals: SIGCHLD names the child; statuses of exit and of kill");
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    count[SIGCHLD] = 0;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(3);
    CHECK(wait_for(pid) == 3 && count[SIGCHLD] == 1 && sender == pid);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    CHECK(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0 && wait_for(pid) == 128 + SIGKILL);
    CHECK(kill(pid, 0) == -1 && errno == ESRCH);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static void broken_pipe(void) {
    int ends[2];
    saying("signals: SIGPIPE, and EPIPE when it is ignored");
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR && write(ends[1], "x", 1) == -1 && errno == EPIPE);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)!write(ends[1], "x", 1);
        _exit(0);
    }
    CHECK(wait_for(pid) == 128 + SIGPIPE);
    CHECK(close(ends[1]) == 0);
}

static void loop_killed(void) {
    saying("signals: a program that never calls the system can be killed");
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        for (volatile unsigned i = 0;; i++)
            ;
    usleep(100000);
    CHECK(kill(pid, SIGTERM) == 0 && wait_for(pid) == 128 + SIGTERM);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number) {
    (void)number;
    alarms++;
}

static void interval_timers(void) {
    struct itimerval tenth = {{0, 10000}, {0, 10000}}, shortest = {{0, 1}, {0, 1}}, none = {{0, 0}, {0, 0}};
    saying("signals: an interval timer comes again and again, and the shortest one hangs nobody else");
    CHECK(signal(SIGALRM, count_alarm) != SIG_ERR);
    CHECK(setitimer(ITIMER_REAL, &tenth, NULL) == 0);
    while (alarms < 5)
        pause();
    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setitimer(ITIMER_REAL, &shortest, NULL) == 0);
        for (;;)
            pause();
    }
    alarms = 0;
    usleep(50000);
    CHECK(alarms == 0 && kill(pid, SIGKILL) == 0 && wait_for(pid) == 128 + SIGKILL);
}

static void no_such_exit_signal(void) {
    saying("signals: a child that is to end with a signal that does not exist");
    long pid = syscall(SYS_clone, 0xffl, 0l, 0l, 0l, 0l);
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(5);
    int status;
    CHECK(waitpid((pid_t)pid, &status, 0x40000000 /* __WALL */) == pid && WEXITSTATUS(status) == 5);
}

int main(void) {
    masks();
    registers_kept();
    interrupted();
    children();
    broken_pipe();
    loop_killed();
    interval_timers();
    no_such_exit_signal();
    saying("signals: ok");
    return 0;
}
