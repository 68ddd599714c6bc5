/* SPDX-License-Identifier: MIT */
/* A storm: `storm SEED ROUNDS PROCESSES STEPS`. In each round so many processes, in one group, make random,
 * nearly valid system calls at once; fork, exec, start threads, touch memory that may or may not be there, and
 * signal each other. When they have ended, or their time is over, all are killed; then a shell must still give
 * the right answer, and the memory must be free again. A round's calls depend on its seed alone: `storm SEED 1
 * PROCESSES STEPS` does it again. Never sent: signals to others than the round's own, and the call that ends the
 * system. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "storm_calls.h"

enum {
    MOST_BYTES = 2 << 20, /* of a process */
    ROUND_MS = 500,
    STACK = 8 * PAGE,
    THREAD_STEPS = 12,
    MISSING_KB = 90,
};

static sigjmp_buf after_fault;
static const char *program;

/* What a table can't say. */

static void touch(struct actor *a) {
    volatile char *at = (volatile char *)arena_address(a);
    for (uint64_t n = 1 + pick(a, 10); n > 0 && at < ARENA + ARENA_PAGES * PAGE; n--, at += PAGE) {
        if (pick(a, 2))
            *at = (char)n;
        else
            (void)*at;
    }
}

static void try_fork(struct actor *a) {
    if (a->depth >= DEPTH)
        return;
    uint64_t seed = next_random(&a->state);
    pid_t pid = fork();
    if (pid == 0) {
        enter_pid();
        a->state = seed | 1;
        a->depth++;
        a->steps /= 2;
    }
}

static void try_exec(struct actor *a) {
    char seed[24], steps[12], depth[12];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)next_random(&a->state));
    snprintf(steps, sizeof steps, "%d", a->steps / 2);
    snprintf(depth, sizeof depth, "%d", a->depth + 1);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL); /* it would go on after exec */
    switch (pick(a, 5)) {
    case 0:
        execl("/nowhere", "x", (char *)NULL);
        break;
    case 1:
        execl("/data/random.bin", "x", (char *)NULL);
        break;
    case 2:
        execv("/bin/busybox", (char **)arena_address(a));
        break;
    case 3:
        if (vfork() == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        break;
    default:
        if (a->depth < DEPTH)
            execl(program, program, "--actor", seed, steps, depth, (char *)NULL);
    }
}

static int thread_body(void *argument) {
    struct actor *a = argument;
    while (a->steps-- > 0) {
        if (pick(a, 4))
            make_call(a);
        else
            touch(a);
    }
    syscall(SYS_exit, 0);
    return 0;
}

static void start_thread(struct actor *a) {
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return;
    struct actor *its = (struct actor *)stack;
    *its = (struct actor){next_random(&a->state) | 1, a->depth, THREAD_STEPS};
    clone(thread_body, stack + STACK,
          CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, its);
}

static void on_fault(int signal) {
    (void)signal;
    if (syscall(SYS_gettid) != getpid())
        syscall(SYS_exit, 1);
    siglongjmp(after_fault, 1);
}

static void on_signal(int signal) {
    (void)signal;
}

static void send_signal(struct actor *a) {
    static const int some[] = {SIGUSR1, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGSTOP,
                               SIGCONT, SIGCONT, SIGCONT, SIGTSTP, SIGHUP,  SIGSEGV,
                               SIGPIPE, SIGTERM, 0,       35,      63};
    int signal = pick(a, 12) ? some[pick(a, sizeof some / sizeof *some)] : (int)pick(a, 65);
    pid_t pid = a_process(a);
    if (pick(a, 12) == 0)
        syscall(SYS_tgkill, pid, pid, signal);
    else if (pick(a, 40) == 0 && getpgrp() == group)
        kill(0, signal);
    else
        kill(pid, signal);
    if (signal == SIGSTOP || signal == SIGTSTP) /* or else the round would soon be at rest */
        kill(pid, pick(a, 5) ? SIGCONT : 0);
}

static void change_handler(struct actor *a) {
    struct sigaction action = {.sa_flags =
                                   (int)((pick(a, 2) * SA_RESTART) | (pick(a, 3) ? 0 : SA_NODEFER) |
                                         (pick(a, 6) ? 0 : SA_RESETHAND) | (pick(a, 3) ? 0 : SA_ONSTACK))};
    action.sa_handler = pick(a, 6) ? on_signal : pick(a, 2) ? SIG_IGN : SIG_DFL;
    next_random(&a->state);
    memcpy(&action.sa_mask, &a->state, sizeof a->state);
    int signal = 1 + (int)pick(a, 64);
    if (signal != SIGSEGV && signal != SIGBUS)
        sigaction(signal, &action, NULL);
}

static void timer(struct actor *a) {
    struct itimerval t = {{0, 4000}, {0, 1000 + (long)pick(a, 9000)}};
    setitimer(ITIMER_REAL, &t, NULL);
}

static void reap(void) {
    int status;
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
}

static void step(struct actor *a) {
    switch (pick(a, 60)) {
    case 0:
        try_fork(a);
        break;
    case 1:
        if (pick(a, 3) == 0)
            try_exec(a);
        break;
    case 2:
        start_thread(a);
        break;
    case 3:
    case 4:
    case 5:
        send_signal(a);
        break;
    case 6:
        change_handler(a);
        break;
    case 7:
    case 8:
        timer(a);
        break;
    case 9:
        reap();
        break;
    case 10:
        brk((char *)sbrk(0) + pick(a, 64) * PAGE - 30 * PAGE);
        break;
    default:
        if (pick(a, 3))
            make_call(a);
        else
            touch(a);
    }
}

static _Noreturn void act(void) {
    static char fault_stack[4 * PAGE];
    stack_t alternate = {.ss_sp = fault_stack, .ss_size = sizeof fault_stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    action.sa_handler = on_signal;
    action.sa_flags = 0;
    for (int signal = 1; signal < 65; signal++)
        if (signal != SIGSEGV && signal != SIGBUS)
            sigaction(signal, &action, NULL);
    enter_pid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (sigsetjmp(after_fault, 0) == 0)
        timer(&self);
    while (self.steps-- > 0)
        step(&self);
    _exit(0);
}

static void actor_at_start(void) {
    const struct rlimit limit = {MOST_BYTES, MOST_BYTES};
    int nothing = open("/dev/null", O_RDWR), pipes[2];
    setrlimit(RLIMIT_AS, &limit);
    for (int i = 0; i < 3; i++)
        dup2(nothing, i);
    (void)!open("/data/random.bin", O_RDONLY);
    (void)!open("/data", O_RDONLY | O_DIRECTORY);
    (void)!pipe2(pipes, O_NONBLOCK);
    (void)!pipe(pipes);
    mmap(ARENA, ARENA_PAGES / 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
         0);
    act();
}

static struct shared *map_shared(void) {
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int still_right(void) {
    int ends[2];
    char answer[64] = "";
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c",
              "echo $((6 * 7)) | cat; wc -c < /etc/passwd | tr -d ' ' >/dev/null && seq 3 | tac | tr '\\n' ,",
              (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    size_t have = 0;
    for (ssize_t n;
         have < sizeof answer - 1 && (n = read(ends[0], answer + have, sizeof answer - 1 - have)) > 0;)
        have += (size_t)n;
    close(ends[0]);
    return wait_for(pid) == 0 && strcmp(answer, "42\n3,2,1,") == 0;
}

static long free_memory(void) {
    char text[512] = "", *line;
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY);
    CHECK(file >= 0 && write(file, "3", 1) == 1 && close(file) == 0);
    CHECK((file = open("/proc/meminfo", O_RDONLY)) >= 0 && read(file, text, sizeof text - 1) > 0 &&
          close(file) == 0);
    line = strstr(text, "MemFree:");
    CHECK(line);
    return strtol(line + 8, NULL, 10);
}

static void show(const char *path) {
    char text[2048];
    int file = open(path, O_RDONLY);
    for (ssize_t n; (n = read(file, text, sizeof text)) > 0;)
        (void)!write(1, text, (size_t)n);
    close(file);
}

static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void round_of(uint64_t seed, int processes, int steps) {
    const struct timespec pause = {.tv_nsec = 5000000};
    int status, alive = processes, ends[3] = {0};
    memset(shared, 0, sizeof *shared);
    fflush(stdout);
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (i == 0)
            group = pid ? pid : getpid();
        if (pid == 0) {
            setpgid(0, group);
            self = (struct actor){(seed << 8 | (uint64_t)i) * 0x9E3779B97F4A7C15ull | 1, 0, steps};
            actor_at_start();
        }
        setpgid(pid, group);
    }
    for (long end = now_ms() + ROUND_MS; alive > 0 && now_ms() < end; nanosleep(&pause, NULL))
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; alive--)
            ends[WIFEXITED(status) ? 0 : 1]++;
    kill(-1, SIGKILL); /* all but this program and the first, with those that they have left behind */
    for (; alive > 0; alive--) {
        CHECK(waitpid(-1, &status, 0) > 0);
        ends[2]++;
    }
    printf("round %llu: %d ended, %d died, %d were killed; %llu calls, %u processes\n",
           (unsigned long long)seed, ends[0], ends[1], ends[2], (unsigned long long)shared->calls,
           shared->count);
}

int main(int argc, char **argv) {
    program = argv[0];
    CHECK(argc == 5);
    shared = map_shared();
    CHECK(shared != MAP_FAILED);
    if (strcmp(argv[1], "--actor") == 0) { /* one of them, after exec: alone with itself */
        group = getpgrp();
        self = (struct actor){strtoull(argv[2], NULL, 0) | 1, atoi(argv[4]), atoi(argv[3])};
        act();
    }
    uint64_t seed = strtoull(argv[1], NULL, 0);
    long first = 0;
    int rounds = atoi(argv[2]), processes = atoi(argv[3]), steps = atoi(argv[4]);
    for (int i = 0; i < rounds; i++) {
        round_of(seed + (uint64_t)i, processes, steps);
        CHECK(still_right());
        long now = free_memory();
        printf("free %ld\n", now);
        first = first ? first : now;
        if (now < first - MISSING_KB) {
            printf("memory is missing\n");
            fflush(stdout);
            show("/proc/quire/frames");
            show("/proc/quire/slabs");
            show("/proc/slabinfo");
            return 1;
        }
    }
    return 0;
}
