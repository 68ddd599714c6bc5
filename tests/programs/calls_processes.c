/* SPDX-License-Identifier: MIT */
/* Waiting for children and for signals, and priorities. Numbers of processes are not printed. */
#define _GNU_SOURCE
#include "calls.h"
#include <sys/resource.h>
#include <sys/time.h>

#define NOBODY 0x7ffffff0

static siginfo_t info;

static void show(pid_t child) {
    printf("signo %d code %d status %d child %d\n", info.si_signo, info.si_code, info.si_status,
           child && info.si_pid == child);
    fflush(stdout);
    memset(&info, 0x55, sizeof info);
}

static pid_t child_of(void (*work)(void)) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work();
        _exit(7);
    }
    return pid;
}

static void nothing(void) {}
static void wait_for_a_signal(void) {
    pause();
}

static void bad_waits(void) {
    TRY(waitid(P_ALL, 0, &info, WEXITED));
    show(0);
    TRY(waitid(P_ALL, 0, &info, 0));
    TRY(waitid(P_ALL, 0, &info, WNOHANG));
    TRY(waitid(P_ALL, 0, &info, WEXITED | 0x10000));
    TRY(waitid(99, 0, &info, WEXITED));
    TRY(waitid(P_PID, 0, &info, WEXITED));
    TRY(waitid(P_PID, -1, &info, WEXITED));
    TRY(waitid(P_PID, NOBODY, &info, WEXITED));
    TRY(waitid(P_PGID, -1, &info, WEXITED));
}

static void ended_child(void) {
    pid_t pid = child_of(nothing);
    TRY(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    show(pid);
    TRY(waitid(P_PGID, NOBODY, &info, WEXITED | WNOHANG));
    TRY(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG));
    show(pid);
    TRY(syscall(SYS_waitid, P_ALL, 0, BAD, WEXITED, NULL));
    TRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
    pid = child_of(nothing);
    TRY(waitid(P_PGID, getpgrp(), NULL, WEXITED));
    struct rusage usage;
    pid = child_of(nothing);
    TRY(syscall(SYS_waitid, P_PGID, 0, &info, WEXITED, &usage));
    show(pid);
}

static void stopped_child(void) {
    pid_t pid = child_of(wait_for_a_signal);
    TRY(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG));
    show(pid);
    kill(pid, SIGSTOP);
    TRY(waitid(P_PID, pid, &info, WSTOPPED));
    show(pid);
    TRY(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG));
    show(pid);
    kill(pid, SIGCONT);
    TRY(waitid(P_PID, pid, &info, WCONTINUED));
    show(pid);
    kill(pid, SIGTERM);
    TRY(waitid(P_PID, pid, &info, WEXITED));
    show(pid);
}

static void handler(int number) {
    (void)number;
}

static void send_later(void) {
    usleep(30000);
    kill(getppid(), SIGUSR1);
}

static void signals(void) {
    sigset_t set;
    const struct timespec none = {0, 0}, short_time = {0, 10000000}, long_time = {100, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGKILL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    TRY(sigtimedwait(&set, &info, &none));
    TRY(sigtimedwait(&set, NULL, &short_time));
    TRY(sigtimedwait(&set, &info, &((struct timespec){0, -1})));
    TRY(sigtimedwait(&set, &info, &((struct timespec){0, 1000000000})));
    TRY(syscall(SYS_rt_sigtimedwait, &set, &info, &none, 4));
    TRY(syscall(SYS_rt_sigtimedwait, BAD, &info, &none, 8));
    TRY(syscall(SYS_rt_sigtimedwait, &set, &info, BAD, 8));
    kill(getpid(), SIGUSR1);
    TRY(sigtimedwait(&set, &info, NULL));
    show(getpid());
    raise(SIGUSR1);
    TRY(sigwaitinfo(&set, NULL));
    kill(getpid(), SIGUSR1);
    TRY(syscall(SYS_rt_sigtimedwait, &set, BAD, &none, 8));
    TRY(sigtimedwait(&set, &info, &none));
    pid_t pid = child_of(send_later);
    TRY(sigtimedwait(&set, &info, &long_time));
    show(0);
    TRY(sigtimedwait(&set, &info, &long_time));
    show(pid);
    TRY(waitpid(pid, NULL, 0) == pid);
    signal(SIGALRM, handler);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 20000}, {0, 20000}}, NULL);
    TRY(syscall(SYS_rt_sigtimedwait, &set, &info, &long_time, 8)); /* musl's function goes on */
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

/* In a group of its own, and only upwards: the host may forbid the other way. */
static void priorities(void) {
    setpgid(0, 0);
    TRY(setpriority(PRIO_PROCESS, 0, 15));
    TRY(getpriority(PRIO_PROCESS, 0));
    TRY(getpriority(PRIO_PROCESS, getpid()));
    TRY(syscall(SYS_getpriority, PRIO_PGRP, 0));
    TRY(setpriority(PRIO_PGRP, 0, 17));
    TRY(getpriority(PRIO_PGRP, getpid()));
    TRY(setpriority(PRIO_PROCESS, 0, 1000));
    TRY(getpriority(PRIO_PROCESS, 0));
    TRY(getpriority(99, 0));
    TRY(setpriority(-1, 0, 0));
    TRY(getpriority(PRIO_PROCESS, NOBODY));
    TRY(setpriority(PRIO_PGRP, NOBODY, 0));
    TRY(getpriority(PRIO_USER, NOBODY));
    pid_t pid = child_of(nothing);
    TRY(waitpid(pid, NULL, 0) == pid);
}

int main(void) {
    memset(&info, 0x55, sizeof info);
    bad_waits();
    ended_child();
    stopped_child();
    signals();
    TRY(waitpid(child_of(priorities), NULL, 0) > 0);
    return 0;
}
