/* SPDX-License-Identifier: MIT */
/* Time, signals, processes and what the system tells of itself. */
#define _GNU_SOURCE
#include "calls.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>

/* No header of musl has them. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10 };

#define LONG_TIME 0x7fffffffffffffffl

static char *edge;
static struct timespec ts;

static void handler(int number) {
    (void)number;
}

/* SIGALRM after some milliseconds, again and again: the first may come before the call that it is to end. */
static void alarm_in_ms(long ms) {
    struct itimerval timer = {{0, ms * 1000}, {0, ms * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void sleep_calls(void) {
    TRY(nanosleep(&(struct timespec){0, -1}, NULL));
    TRY(nanosleep(&(struct timespec){0, 1000000000}, NULL));
    TRY(nanosleep(&(struct timespec){-1, 0}, NULL));
    TRY(nanosleep(&(struct timespec){0, 0}, NULL));
    TRY(nanosleep(BAD, NULL));
    TRY(nanosleep(&(struct timespec){0, 1}, BAD));
    signal(SIGALRM, handler);
    alarm_in_ms(20);
    TRY(nanosleep(&(struct timespec){LONG_TIME, 0}, &ts));
    TRY(ts.tv_sec > LONG_TIME / 1000000000 - 10);
    alarm_in_ms(20);
    TRY(nanosleep(&(struct timespec){100, 0}, BAD));
    alarm_in_ms(20);
    TRY(nanosleep(&(struct timespec){100, 0}, &ts));
    TRY(ts.tv_sec);
    TRY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 5}, BAD));
    TRY(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){0, 5}, NULL));
    TRY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){-1, 5}, NULL));
    TRY(clock_nanosleep(99, 0, &ts, NULL));
    TRY(clock_nanosleep(CLOCK_MONOTONIC, 0, BAD, NULL));
    alarm_in_ms(20);
    TRY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){LONG_TIME, 999999999}, NULL));
    alarm_in_ms(20);
    TRY(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){LONG_TIME, 0}, NULL));
    alarm_in_ms(20);
    TRY(pause());
    alarm_in_ms(20);
    TRY(syscall(SYS_select, 0, 0, 0, 0, &(struct timeval){LONG_TIME, 999999}));
    alarm_in_ms(20);
    TRY(poll(NULL, 0, 0x7fffffff));
    alarm_in_ms(20);
    TRY(poll(NULL, 0, -5));
    alarm_in_ms(0);
    TRY(poll(NULL, 0, 1));
}

static void clock_calls(void) {
    TRY(clock_gettime(CLOCK_REALTIME, &ts));
    TRY(syscall(SYS_clock_gettime, CLOCK_REALTIME, BAD));
    TRY(syscall(SYS_clock_gettime, 99, &ts));
    TRY(syscall(SYS_clock_gettime, -1, BAD));
    TRY(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
    TRY(syscall(SYS_clock_getres, 99, NULL));
    TRY(syscall(SYS_gettimeofday, NULL, NULL));
    TRY(syscall(SYS_gettimeofday, BAD, NULL));
    TRY(syscall(SYS_time, BAD));
    WORKS(times(NULL));
    TRY(setitimer(77, NULL, NULL));
    TRY(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000000}}, NULL));
    TRY(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {-1, 0}}, NULL));
    TRY(setitimer(ITIMER_REAL, BAD, NULL));
    TRY(alarm(100));
    TRY(alarm(50));
    TRY(alarm(0));
    TRY(alarm(0));
}

static void signal_calls(void) {
    unsigned long set = 0, old;
    TRY(kill(getpid(), 0));
    TRY(kill(getpid(), 65));
    TRY(kill(getpid(), -1));
    TRY(kill(999999, 0));
    TRY(kill(-999999, 0));
    TRY(syscall(SYS_tgkill, getpid(), getpid(), 0));
    TRY(syscall(SYS_tgkill, -1, getpid(), 0));
    TRY(syscall(SYS_tgkill, 0, getpid(), 0));
    TRY(syscall(SYS_tgkill, getpid() + 1, getpid(), 0));
    TRY(syscall(SYS_tgkill, getpid(), 0, 0));
    TRY(syscall(SYS_tgkill, 999999, 999999, 99));
    TRY(kill(999999, 99));
    TRY(syscall(SYS_tkill, 999999, 99));
    TRY(syscall(SYS_tkill, getpid(), 0));
    TRY(syscall(SYS_tkill, -1, 0));
    TRY(syscall(SYS_tkill, getpid(), 99));
    TRY(sigaction(SIGKILL, &(struct sigaction){.sa_handler = handler}, NULL));
    TRY(sigaction(SIGSTOP, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
    TRY(sigaction(SIGKILL, NULL, NULL));
    TRY(sigaction(0, NULL, NULL));
    TRY(sigaction(65, NULL, NULL));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, BAD, 8));
    TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 7));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8));
    TRY(syscall(SYS_rt_sigprocmask, 99, &set, &old, 8));
    TRY(syscall(SYS_rt_sigprocmask, 99, NULL, &old, 8));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 4));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, &old, 8));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8));
    set = -1;
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8));
    TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8));
    TRY(old);
    signal(SIGUSR1, handler);
    TRY(raise(SIGUSR1));
    TRY(syscall(SYS_rt_sigpending, &old, 8));
    TRY(old);
    TRY(syscall(SYS_rt_sigpending, &old, 9));
    TRY(syscall(SYS_rt_sigpending, BAD, 8));
    set = 1ul << (SIGUSR1 - 1);
    TRY(syscall(SYS_rt_sigsuspend, BAD, 8));
    TRY(syscall(SYS_rt_sigsuspend, &set, 4));
    TRY(syscall(SYS_sigaltstack, &(stack_t){.ss_flags = 77}, NULL));
    TRY(syscall(SYS_sigaltstack, &(stack_t){.ss_size = 100}, NULL));
    TRY(syscall(SYS_sigaltstack, NULL, BAD));
    TRY(syscall(SYS_sigaltstack, BAD, NULL));
    TRY(syscall(SYS_sigaltstack, &(stack_t){.ss_flags = SS_DISABLE}, NULL));
    set = 0;
    TRY(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8));
}

static void process_calls(void) {
    int status = 0;
    TRY(waitpid(-1, &status, 0));
    TRY(waitpid(-1, &status, WNOHANG));
    TRY(waitpid(999999, &status, 0));
    TRY(waitpid(-1, &status, 0x1000));
    pid_t child = fork();
    if (!child)
        _exit(300);
    TRY(syscall(SYS_wait4, child, BAD, 0, NULL));
    TRY(waitpid(child, &status, 0));
    child = fork();
    if (!child)
        _exit(300);
    TRY(waitpid(child, &status, 0) == child);
    TRY(status);
    TRY(setpgid(0, -1));
    TRY(setpgid(0, 1 << 30));
    TRY(setpgid(999999, 0));
    TRY(setpgid(-1, 0));
    TRY(getpgid(-1));
    TRY(getpgid(999999));
    TRY(getsid(999999));
    TRY(getrlimit(99, NULL));
    TRY(syscall(SYS_getrlimit, RLIMIT_NOFILE, BAD));
    TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &(struct rlimit){5, 4}, NULL));
    TRY(syscall(SYS_prlimit64, 999999, RLIMIT_NOFILE, NULL, NULL));
    TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
    TRY(syscall(SYS_getrusage, RUSAGE_SELF, BAD));
    TRY(syscall(SYS_arch_prctl, 0x9999, 0));
    TRY(syscall(SYS_set_tid_address, 0) == getpid());
    TRY(prctl(9999, 0, 0, 0, 0));
    TRY(syscall(SYS_sched_getaffinity, 0, 1, BAD));
    TRY(sched_yield());
    TRY(execve("/none", NULL, NULL));
    TRY(execve("/etc/passwd", NULL, NULL));
    TRY(execve("/etc", NULL, NULL));
    TRY(execve("", NULL, NULL));
    TRY(execve(BAD, NULL, NULL));
    TRY(syscall(SYS_execve, "/bin/busybox", BAD, NULL));
    TRY(syscall(SYS_execve, "/bin/busybox", (char *[]){BAD, NULL}, NULL));
    TRY(execve("/data/links/loop", NULL, NULL));
    TRY(execve("/etc/passwd/x", NULL, NULL));
    TRY(execve("/dev/null", NULL, NULL));
}

static void futex_calls(void) {
    static int word = 5;
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 6, NULL));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &(struct timespec){0, 1000}));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &(struct timespec){0, -1}));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &(struct timespec){-1, 0}));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 5, BAD));
    TRY(syscall(SYS_futex, BAD, FUTEX_WAIT, 5, NULL));
    TRY(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 5, NULL));
    TRY(syscall(SYS_futex, &word, FUTEX_WAKE, 1));
    TRY(syscall(SYS_futex, (char *)&word + 2, FUTEX_WAKE, 1));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0));
    TRY(syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 5, NULL, NULL, 0));
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5, &(struct timespec){0, 5}, NULL, -1));
    TRY(syscall(SYS_futex, &word, 77, 5, NULL));
    alarm_in_ms(20);
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &(struct timespec){LONG_TIME, 0}));
    alarm_in_ms(20);
    TRY(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5, &(struct timespec){LONG_TIME, 0}, NULL, -1));
    alarm_in_ms(0);
}

static void system_calls(void) {
    TRY(syscall(SYS_uname, BAD));
    TRY(syscall(SYS_sysinfo, BAD));
    TRY(syscall(SYS_getrandom, edge - 10, 10, 0));
    TRY(syscall(SYS_getrandom, edge - 10, 10, 16));
    TRY(syscall(SYS_getrandom, BAD, 10, 0));
    TRY(syscall(SYS_getrandom, edge, 0, 0));
    TRY(syscall(9999));
    TRY(syscall(-1));
    TRY(getuid());
    TRY(setuid(0));
    TRY(setgid(0));
}

int main(void) {
    edge = page_end();
    puts("# sleep");
    sleep_calls();
    puts("# clock");
    clock_calls();
    puts("# signal");
    signal_calls();
    puts("# process");
    process_calls();
    puts("# futex");
    futex_calls();
    puts("# system");
    system_calls();
    return 0;
}
