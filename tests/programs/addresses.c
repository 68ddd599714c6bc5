/* SPDX-License-Identifier: MIT */
/* Addresses beyond user memory where a program gives registers: thread pointers, signal handlers, returns. */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define BEYOND       0x900000000000ul
#define LAST_PAGE    0x7ffffffff800ul /* below 2^47, but never a program's */
#define ARCH_SET_FS  0x1002
#define HANDLED_EXIT 7

static void handled(int number) {
    (void)number;
    _exit(HANDLED_EXIT);
}

static void return_beyond(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)BEYOND;
}

static void raise_with_handler_beyond(int number) {
    struct {
        unsigned long handler, flags, restorer, mask;
    } action = {BEYOND, SA_RESTORER, 0x1000, 0};
    CHECK(syscall(SYS_rt_sigaction, number, &action, NULL, 8) == 0);
    raise(number);
}

static void handler_beyond(void) {
    raise_with_handler_beyond(SIGUSR1);
}

static void segv_handler_beyond(void) {
    raise_with_handler_beyond(SIGSEGV);
}

static void sigreturn_beyond(void) {
    struct sigaction action = {.sa_sigaction = return_beyond, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    raise(SIGUSR1);
}

static void handled_sigreturn_beyond(void) {
    CHECK(signal(SIGSEGV, handled) != SIG_ERR);
    sigreturn_beyond();
}

static void handled_jump_beyond(void) {
    CHECK(signal(SIGSEGV, handled) != SIG_ERR);
    ((void (*)(void))BEYOND)();
}

static void ends(const char *what, void (*child)(void), int status) {
    saying(what);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        child();
        _exit(0);
    }
    CHECK(wait_for(pid) == status);
}

static void refused(const char *what, long result) {
    saying(what);
    CHECK(result == -1 && errno == EPERM);
}

int main(void) {
    refused("addresses: thread pointer of a clone",
            syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, BEYOND));
    refused("addresses: in the last page", syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, LAST_PAGE));
    refused("addresses: FS base", syscall(SYS_arch_prctl, ARCH_SET_FS, BEYOND));
    refused("addresses: FS base in the last page", syscall(SYS_arch_prctl, ARCH_SET_FS, LAST_PAGE));
    ends("addresses: handler", handler_beyond, 128 + SIGSEGV);
    ends("addresses: handler of SIGSEGV", segv_handler_beyond, 128 + SIGSEGV);
    ends("addresses: return from a handler", sigreturn_beyond, 128 + SIGSEGV);
    ends("addresses: the same, SIGSEGV is handled", handled_sigreturn_beyond, HANDLED_EXIT);
    ends("addresses: jump, SIGSEGV is handled", handled_jump_beyond, HANDLED_EXIT);
    saying("addresses: ok");
    return 0;
}
