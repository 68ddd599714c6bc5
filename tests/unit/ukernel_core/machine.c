/* SPDX-License-Identifier: MIT */
#include "machine.h"
#include "arch/log.h"
#include "arch/panic.h"
#include "arch/switch.h"
#include "boot/main.h"
#include "core/fault.h"
#include "core/interrupt.h"
#include "core/reply.h"
#include "core/syscall.h"
#include "core/trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sched.c" /* queues[] */

static _Alignas(4096) u8 memory[MACHINE_FRAMES * PAGE_BYTES];
static pfn next_frame;

struct cpu cpu = {.checks = 1};
static struct info_page info;
struct info_page *info_page = &info;
u64 tsc_per_ms = 1000;
u64 trace_mask;
u64 machine_now, machine_alarm;
struct trace_event machine_traced; /* the last one */
static struct trace_packet traced_packet;
struct trace_now trace_now = {&traced_packet, &machine_traced, &machine_traced + 1};

u64 rdtsc(void) {
    return machine_now;
}
void timer_set(u64 at) {
    machine_alarm = at;
}
void arch_invlpg(vaddr va) {
    (void)va;
}
void arch_leave_space(void) {
    cpu.space = NULL;
}
void arch_ports_close(struct space *s) {
    (void)s;
}
void arch_switch(struct thread *t) {
    cpu.current = t;
    cpu.space = t->space;
}
void arch_fpu_save(struct thread *t) {
    if (cpu.fpu == t)
        cpu.fpu = NULL;
}
void arch_fpu_init(struct thread *t) {
    (void)t;
}
void arch_fpu_clean(struct thread *t) {
    (void)t;
}
void enter_thread(struct thread *t) {
    (void)t;
    abort();
}
void trace_next_packet(void) {
    trace_now = (struct trace_now){&traced_packet, &machine_traced, &machine_traced + 1};
}
void trace_set_mask(u64 mask) {
    (void)mask;
}
err interrupt_bind(u64 line, struct endpoint_ref ref) {
    (void)ref;
    return line < 16 ? 0 : -E_INVAL;
}
void klog(const char *format, ...) {
    (void)format;
}
void klog_bytes(const char *bytes, u64 n) {
    (void)bytes, (void)n;
}
void log_regs(const struct thread_regs *r) {
    (void)r;
}
void panic_at(const char *file, int line, const char *format, ...) {
    fprintf(stderr, "panic: %s:%d: %s\n", file, line, format);
    abort();
}

static struct frame frames[MACHINE_FRAMES];

void machine_init(void) {
    phys_base = memory;
    memset(memory, 0, sizeof memory);
    memset(frames, 0, sizeof frames);
    memset(accounts, 0, ACCOUNTS * sizeof *accounts);
    cpu = (struct cpu){.checks = 1};
    frame_table = frames;
    frame_count = MACHINE_FRAMES;
    for (pfn n = 1; n < MACHINE_FRAMES; n++) {
        frames[n].account = 2;
        frames[n].generation = (u32)n; /* so that no two are alike by chance */
        frames[n].state = KIND_DATA;
    }
    accounts[2].state = ACCOUNT_OPEN;
    next_frame = 1;
    machine_now = 1;
    trace_mask = 0;
    machine_alarm = 0;
    while (endpoint_expire(~0ull)) /* what an earlier test left */
        ;
    sched_init();
}

static void *make(enum frame_kind kind) {
    pfn n = next_frame++;
    if (n >= MACHINE_FRAMES || frame_begin(n, 1, 2, kind))
        abort();
    return frame_to_virt(n);
}

struct space *machine_space(void) {
    struct space *s = make(KIND_SPACE);
    space_init(s);
    s->table = make(KIND_CAPTABLE);
    captable_init(s->table, 1);
    s->table->bound = 1;
    if (space_set_account(s, 2))
        abort();
    return s;
}

struct endpoint *machine_endpoint(void) {
    struct endpoint *e = make(KIND_ENDPOINT);
    endpoint_init(e);
    return e;
}

struct thread *machine_thread(struct space *s, u8 priority, u8 flags) {
    struct thread *t = make(KIND_THREAD);
    thread_init(t);
    if (thread_bind(t, s, thread_id(t), flags & THREAD_ALIEN ? 0 : next_frame++, 2, priority, flags) ||
        thread_start(t))
        abort();
    return t;
}

struct capability *machine_grant(struct space *s, u32 slot, enum frame_kind kind, void *object, u64 badge) {
    struct capability *c = captable_slots(s->table) + slot;
    cap_make(c, kind, object, RIGHT_ALL);
    c->badge = badge;
    return c;
}

static void run(struct thread *next) {
    if (next != cpu.current || (next && next->state != THREAD_READY)) {
        fprintf(stderr, "machine: %p runs, %p is current\n", (void *)next, (void *)cpu.current);
        abort();
    }
}

void machine_syscall(void) {
    cpu.current->by_iret = false;
    run(kernel_syscall(cpu.current));
}

void machine_fault(vaddr address, u64 error) {
    struct thread *t = cpu.current;
    t->by_iret = true;
    t->regs.error = error;
    if (t->priority % 2)
        (void)fault_begin(t, address); /* the short path begins, and then goes the long way */
    fault_happened(t, address);
    run(sched_leave(fault_send(t)));
}

void machine_reschedule(void) {
    run(sched_leave(cpu.current));
}

#define MUST(x, t)                                                                                           \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "machine_check line %d: " #x ", %p state %d kind %d\n", __LINE__, (void *)(t),   \
                    (t)->state, (t)->kind);                                                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static bool on_list(const struct link *head, const struct thread *t) {
    u32 found = 0;
    for (const struct link *l = head->next; l != head; l = l->next) {
        if (l->next->prev != l || l->prev->next != l)
            abort();
        found += l == &t->link;
    }
    if (found > 1)
        abort();
    return found;
}

static u32 length(const struct link *head) {
    u32 n = 0;
    for (const struct link *l = head->next; l != head; l = l->next)
        n++;
    return n;
}

/* How many live rights to answer t there are in the tables of all threads' spaces. */
static u32 rights_to(const struct thread *t, struct thread *const *threads, u32 n) {
    u32 rights = 0;
    for (u32 i = 0; i < n; i++) {
        struct captable *table = threads[i]->space->table;
        bool seen = false;
        for (u32 j = 0; j < i; j++)
            seen |= threads[j]->space->table == table;
        for (u32 s = 1; !seen && s < table->slots; s++) {
            const struct capability *c = captable_slots(table) + s;
            rights += c->kind == KIND_REPLY && c->thread == t;
        }
    }
    return rights;
}

static void check_endpoint(const struct endpoint *e) {
    bool served = e->server > SERVER_LATE;
    if (e->bits && (served || !link_empty(&e->receivers)))
        abort();
    if (!served && (e->server == SERVER_LATE) != (e->bits || !link_empty(&e->senders)))
        abort();
    if (link_empty(&e->senders))
        return;
    if (served)
        abort();
    for (const struct link *l = e->receivers.next; l != &e->receivers; l = l->next) {
        const struct thread *r = container_of(l, const struct thread, link);
        MUST(r->reply_slot == 0, r); /* a sender and one who could take it never both wait */
    }
}

/* What t has found about the endpoint that it waited on last is still so. */
static bool may_wait(const struct thread *t) {
    err e;
    const struct capability *c = cap_get(t->space->table, t->endpoint_slot, KIND_ENDPOINT, RIGHT_RECV, &e);
    return c && c->endpoint == t->waits_on;
}

void machine_check(struct thread *const *threads, u32 n_threads, struct endpoint *const *endpoints,
                   u32 n_endpoints) {
    u32 queued = 0, senders = 0, receivers = 0, ready = 0;
    for (u32 i = 0; i < n_threads; i++) {
        const struct thread *t = threads[i];
        bool in_queue = on_list(&queues[t->priority], t);
        MUST(in_queue == (t->state == THREAD_READY && t != cpu.current), t);
        ready += in_queue;
        if (t->state == THREAD_SENDING)
            MUST(on_list(&t->endpoint->senders, t), t);
        if (t->state == THREAD_RECEIVING)
            MUST(on_list(&t->endpoint->receivers, t) != (t->endpoint->server == t), t);
        MUST(t->level == (t->attention ? 0 : t->priority), t);
        MUST(t->checked != cpu.checks || may_wait(t), t);
        senders += t->state == THREAD_SENDING;
        receivers += t->state == THREAD_RECEIVING;
        MUST(rights_to(t, threads, n_threads) == (t->state == THREAD_CALLING), t);
    }
    for (u32 p = 0; p < PRIO_COUNT; p++) {
        queued += length(&queues[p]);
        if (link_empty(&queues[p]) == (bool)(ready_mask >> p & 1))
            abort();
        /* nobody of a higher priority than the running thread's is ready */
        if (cpu.current && p > cpu.current->priority && !link_empty(&queues[p]))
            abort();
    }
    for (u32 i = 0; i < n_endpoints; i++) {
        check_endpoint(endpoints[i]);
        senders -= length(&endpoints[i]->senders);
        receivers -= length(&endpoints[i]->receivers) + (endpoints[i]->server > SERVER_LATE);
    }
    if (queued != ready || senders || receivers)
        abort();
    /* who is ready comes before the short paths' threads, or takes its turn after them */
    u8 highest = (u8)(ready_mask ? 31 - __builtin_clz(ready_mask) : 0);
    bool turns = highest == PRIO_PROGRAM ? slice_end && !slice_over : highest && !preempted[highest];
    if (cpu.ready_level != highest - turns)
        abort();
}
