/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <abi/layout.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/console.def>
#include <proto/region.def>

#include "boot.h"
#include "dispatch.h"
#include "model/slab_host.h"

enum { SLOTS = 4096, MEMORIES = 512 };
enum slot_kind { SLOT_NOTHING, SLOT_TAKEN, SLOT_MEMORY, SLOT_THREAD_OBJECT, SLOT_REPLY };

struct memory {
    u32 number; /* 0: free */
    u8 *bytes;
    bool present[WORLD_PAGES];
};
struct thread {
    u32 tag, memory;
    bool started, interrupted;
    struct user_regs regs;
};
static struct {
    u8 kind;
    u32 memory; /* also of a reply's thread */
    u32 tag;
    struct thread *thread;
} slot[SLOTS];
static struct memory memory[MEMORIES];
static u32 last_memory, recv_slot;
static bool got_cap;
static u64 page[PAGE_WORDS];
static u64 now = 1000000;

/* By tid: the call under way, and what came of it. */
static struct {
    u64 number, w[6], progress;
    u8 flags;
    bool waiting, again;
    enum outcome outcome;
    i64 result;
} under_way[PID_LIMIT];

char world_output[1 << 20];
u64 world_output_bytes;
static char input[4096];
static u64 input_bytes, typed_signals;
static u64 baseline_slots, baseline_objects;

static u32 slot_new(u8 kind) {
    for (u32 i = 1; i < SLOTS; i++) {
        if (!slot[i].kind) {
            slot[i].kind = kind;
            return i;
        }
    }
    abort();
}

static void slot_end(u32 s) {
    cr_assert(s && s < SLOTS && slot[s].kind, "slot %u is not in use", s);
    memset(&slot[s], 0, sizeof slot[s]);
}

static struct memory *memory_at(u32 number) {
    for (u32 i = 0; i < MEMORIES; i++)
        if (memory[i].number == number)
            return &memory[i];
    return NULL;
}

/* The kernel, as kern.h has it. */

static u64 move(u32 s, void *ours, u64 theirs, u64 bytes, u64 *stopped, bool out) {
    cr_assert(slot[s].kind == SLOT_REPLY || slot[s].kind == SLOT_MEMORY);
    struct memory *m = memory_at(slot[s].memory);
    u64 done = 0;
    while (done < bytes) {
        u64 at = theirs + done, n = MIN(bytes - done, PAGE_BYTES - (at & PAGE_MASK));
        bool inside = m && at >= WORLD_BASE && at < WORLD_END;
        if (!inside || !m->present[(at - WORLD_BASE) / PAGE_BYTES]) {
            *stopped = at & ~PAGE_MASK;
            return done;
        }
        u8 *there = m->bytes + (at - WORLD_BASE);
        memcpy(out ? there : (u8 *)ours + done, out ? (u8 *)ours + done : there, n);
        done += n;
    }
    return done;
}

u64 kern_copy_in(u32 s, void *to, u64 from, u64 bytes, u64 *stopped) {
    return move(s, to, from, bytes, stopped, false);
}
u64 kern_copy_out(u32 s, u64 to, const void *from, u64 bytes, u64 *stopped) {
    return move(s, (void *)(uintptr_t)from, to, bytes, stopped, true);
}

u64 kern_copy_between(u32 to_slot, u64 to, u32 from_slot, u64 from, u64 bytes) {
    u8 between[PAGE_BYTES];
    u64 stopped, n = kern_copy_in(from_slot, between, from, MIN(bytes, sizeof between), &stopped);
    return kern_copy_out(to_slot, to, between, n, &stopped);
}

err kern_fault_as(u32 reply, u64 address, u64 access, u64 progress) {
    (void)access;
    cr_assert_eq(slot[reply].kind, SLOT_REPLY);
    u32 tag = slot[reply].tag;
    struct memory *m = memory_at(slot[reply].memory);
    bool inside = address >= WORLD_BASE && address < WORLD_END;
    if (inside)
        m->present[(address - WORLD_BASE) / PAGE_BYTES] = true;
    under_way[tag].flags = IPC_AGAIN | (inside ? 0 : IPC_FAULTED);
    under_way[tag].progress = progress;
    under_way[tag].again = true;
    slot[reply].kind = SLOT_TAKEN;
    return 0;
}

err kern_thread_create(u32 space, u32 tag, u32 *thread, pfn *frame) {
    cr_assert_eq(slot[space].kind, SLOT_MEMORY);
    *thread = slot_new(SLOT_THREAD_OBJECT);
    *frame = 77;
    slot[*thread].thread = calloc(1, sizeof(struct thread));
    *slot[*thread].thread = (struct thread){.tag = tag, .memory = slot[space].memory, .interrupted = true};
    return 0;
}

void kern_thread_destroy(u32 thread, pfn frame) {
    cr_assert(slot[thread].kind == SLOT_THREAD_OBJECT && frame == 77);
    free(slot[thread].thread);
    slot_end(thread);
}
void kern_thread_start(u32 thread) {
    slot[thread].thread->started = true;
}
void kern_thread_interrupt(u32 thread) {
    slot[thread].thread->interrupted = true;
}
struct user_regs *kern_regs_room(void) {
    static struct user_regs room;
    return &room;
}
struct user_regs *kern_regs_read(u32 thread, u32 parts) {
    (void)parts;
    *kern_regs_room() = slot[thread].thread->regs;
    return kern_regs_room();
}
err kern_regs_write(u32 thread, u32 parts) {
    struct user_regs *r = &slot[thread].thread->regs;
    if (kern_regs_room()->rip >= USER_END || kern_regs_room()->fs_base >= USER_END)
        return -E_INVAL;
    memcpy(r, kern_regs_room(), parts & REGS_FPU ? sizeof *r : offsetof(struct user_regs, fpu));
    return 0;
}

static void answered(u32 reply, enum outcome outcome, i64 result) {
    u32 tag = slot[reply].tag;
    if (slot[reply].kind == SLOT_REPLY && under_way[tag].waiting) {
        under_way[tag].waiting = false;
        under_way[tag].outcome = outcome;
        under_way[tag].result = result;
    }
    slot_end(reply);
}
void kern_answer(u32 reply, i64 result) {
    answered(reply, OUT_ANSWER, result);
}
void kern_answer_regs(u32 reply) {
    answered(reply, OUT_ANSWER, 0);
}
void kern_forward(u32 reply, u32 to, u64 label, const u64 words[6]) {
    (void)to, (void)label, (void)words;
    answered(reply, OUT_FORWARDED, 0);
}
u32 kern_slot(void) {
    return slot_new(SLOT_TAKEN);
}
void kern_slot_drop(u32 s) {
    slot_end(s);
}
u64 kern_tsc(void) {
    return now;
}

/* Libipc. */

u64 *ipc_page(void) {
    return page;
}
void ipc_next_send_cap(u32 s) {
    (void)s;
}
void ipc_next_recv_cap(u32 s) {
    recv_slot = s;
}
bool ipc_got_cap(void) {
    return got_cap;
}

/* The servers below. */

static err region_call(u64 label, const u64 *in, u64 *out) {
    struct memory *m, *from;
    switch (label) {
    case region_label_create:
    case region_label_fork:
        m = memory_at(0);
        from = label == region_label_fork ? memory_at((u32)in[0]) : NULL;
        cr_assert(m && (label == region_label_create || from));
        m->number = ++last_memory;
        m->bytes = calloc(WORLD_PAGES, PAGE_BYTES);
        if (from) {
            memcpy(m->bytes, from->bytes, WORLD_PAGES * PAGE_BYTES);
            memcpy(m->present, from->present, sizeof m->present);
        }
        slot[recv_slot].kind = SLOT_MEMORY;
        slot[recv_slot].memory = m->number;
        got_cap = true;
        out[0] = m->number;
        return 0;
    case region_label_exit:
        m = memory_at((u32)in[0]);
        cr_assert(m && m->number);
        free(m->bytes);
        memset(m, 0, sizeof *m);
        return 0;
    default:
        return 0;
    }
}

static err console_call(u64 label, const u64 *in, u64 *out) {
    switch (label) {
    case console_label_attach:
        out[0] = CONSOLE_MODE_TTY;
        return 0;
    case console_label_write:
        cr_assert(world_output_bytes + in[1] < sizeof world_output);
        memcpy(world_output + world_output_bytes, page + MSG_REG_WORDS, in[1]);
        world_output_bytes += in[1];
        out[0] = in[1];
        return 0;
    case console_label_read:
        if (!input_bytes)
            return -E_AGAIN;
        out[0] = MIN(input_bytes, in[1]);
        memcpy(page + MSG_REG_WORDS, input, out[0]);
        input_bytes -= out[0];
        memmove(input, input + out[0], input_bytes);
        return 0;
    case console_label_poll:
        out[0] = POLLOUT | (input_bytes ? POLLIN : 0);
        return 0;
    case console_label_signals:
        out[0] = typed_signals;
        typed_signals = 0;
        return 0;
    default:
        return -E_NOSYS;
    }
}

static err call_below(u32 to, u64 label, const u64 *in, u64 *out) {
    if (to == SERVICE(SRV_REGION))
        return region_call(label, in, out);
    if (to == SERVICE(SRV_CONSOLE))
        return console_call(label, in, out);
    if (to == SERVICE(SRV_CACHE)) /* no file but what exists without a disk */
        return label == cache_label_lookup ? -E_NOENT : 0;
    return -E_NOSYS;
}

err ipc_call_words(u32 to, u64 label, const u64 *in, u32 n_in, u64 *out, u32 n_out) {
    u64 words_in[6] = {0}, words_out[6] = {0};
    memcpy(words_in, in, n_in * 8);
    err e = call_below(to, label, words_in, words_out);
    memcpy(out, words_out, n_out * 8);
    return e;
}
err ipc_call_tail(u32 to, u64 label, const u64 *in, u32 tail_words, u64 *out, u32 n_out) {
    cr_assert_leq(tail_words, MSG_TAIL_WORDS);
    return ipc_call_words(to, label, in, 6, out, n_out);
}

/* Programs. */

static struct thread *thread_of(u32 tid) {
    struct task *t = task_find(&state.tasks, tid);
    return t && t->thread ? slot[t->thread].thread : NULL;
}

static u32 reply_for(struct task *t) {
    u32 s = slot_new(SLOT_REPLY);
    slot[s].tag = t->tid;
    slot[s].memory = slot[t->thread].thread->memory;
    return s;
}

u32 world_reply(u32 tid) {
    return reply_for(task_find(&state.tasks, tid));
}

/* What the loop of libipc does with a verdict. */
static void conclude(struct call *k, i64 result) {
    if (k->verdict == GONE && slot[k->reply].kind == SLOT_REPLY) {
        under_way[slot[k->reply].tag].waiting = false;
        under_way[slot[k->reply].tag].outcome = OUT_GONE;
    }
    complete(k, result);
    run_kept_calls();
    run_jobs();
}

/* The call that is under way comes to the server, for the first time or after a fault. */
static void send_call(u32 tid) {
    struct task *t = task_find(&state.tasks, tid);
    struct call k = {.task = t,
                     .reply = reply_for(t),
                     .number = (u16)under_way[tid].number,
                     .flags = under_way[tid].flags,
                     .progress = under_way[tid].progress,
                     .w = under_way[tid].w};
    under_way[tid].again = false;
    i64 r = dispatch(&k);
    conclude(&k, r);
}

enum outcome world_call(u32 tid, u64 number, const u64 w[6], i64 *result) {
    under_way[tid].flags = 0;
    under_way[tid].progress = 0;
    under_way[tid].waiting = true;
    under_way[tid].number = number;
    memcpy(under_way[tid].w, w, sizeof under_way[tid].w);
    struct task *t = task_find(&state.tasks, tid);
    cr_assert(t && !t->call.reply && !t->stopped_reply && slot[t->thread].thread->started);
    t->restart = RESTART_NONE;
    do
        send_call(tid);
    while (under_way[tid].again);
    return world_outcome(tid, result);
}

/* A call that was run again by the server may fault too. */
static void serve_faults(void) {
    for (u32 tid = 1; tid < PID_LIMIT; tid++)
        while (under_way[tid].again && task_find(&state.tasks, tid))
            send_call(tid);
}

enum outcome world_outcome(u32 tid, i64 *result) {
    serve_faults();
    if (under_way[tid].waiting)
        return task_find(&state.tasks, tid) ? OUT_WAITS : OUT_GONE;
    *result = under_way[tid].result;
    return under_way[tid].outcome;
}

bool world_settle(u32 tid) {
    struct task *t = task_find(&state.tasks, tid);
    u8 flags = 0;
    u64 progress = 0;
    while (t && !t->call.reply && !t->stopped_reply && slot[t->thread].thread->interrupted) {
        slot[t->thread].thread->interrupted = false;
        do {
            under_way[tid].again = false;
            struct call k = {.task = t, .reply = reply_for(t), .flags = flags, .progress = progress};
            u32 reply = k.reply;
            exception(&k, &(struct exception_words){.kind = EXC_INTERRUPT});
            bool used =
                k.verdict == FAULTING || k.verdict == ANSWER || k.verdict == REGISTERS || k.verdict == GONE;
            if (used)
                slot_end(reply);
            run_kept_calls();
            flags = under_way[tid].flags;
            progress = under_way[tid].progress;
        } while (under_way[tid].again && (t = task_find(&state.tasks, tid)));
        flags = 0;
        progress = 0;
        t = task_find(&state.tasks, tid);
    }
    return t && !t->stopped_reply;
}

struct user_regs *world_regs(u32 tid) {
    return &thread_of(tid)->regs;
}
bool world_interrupted(u32 tid) {
    return thread_of(tid)->interrupted;
}

static u8 *seen(u32 tid, u64 address, u64 bytes) {
    struct memory *m = memory_at(thread_of(tid)->memory);
    cr_assert(address >= WORLD_BASE && address + bytes <= WORLD_END);
    for (u64 p = address / PAGE_BYTES; p <= (address + bytes - 1) / PAGE_BYTES; p++)
        m->present[p - WORLD_BASE / PAGE_BYTES] = true;
    return m->bytes + (address - WORLD_BASE);
}
void world_write(u32 tid, u64 address, const void *from, u64 bytes) {
    memcpy(seen(tid, address, bytes), from, bytes);
}
void world_read(u32 tid, u64 address, void *to, u64 bytes) {
    memcpy(to, seen(tid, address, bytes), bytes);
}
void world_absent(u32 tid) {
    memset(memory_at(thread_of(tid)->memory)->present, 0, WORLD_PAGES);
}

void world_time(u64 ms) {
    now += ms * 1000;
    timers_run(&state.timers, now);
    run_kept_calls();
    serve_faults();
}

void world_type(const char *text, u64 signals) {
    input_bytes = strlen(text);
    memcpy(input, text, input_bytes);
    typed_signals = signals;
    console_changed();
    run_kept_calls();
    serve_faults();
}

/* Begin and end. */

u32 world_slots(void) {
    u32 n = 0;
    for (u32 i = 0; i < SLOTS; i++)
        n += slot[i].kind != SLOT_NOTHING;
    return n;
}
u32 world_threads(void) {
    u32 n = 0;
    for (u32 i = 0; i < SLOTS; i++)
        n += slot[i].kind == SLOT_THREAD_OBJECT;
    return n;
}
u32 world_memories(void) {
    u32 n = 0;
    for (u32 i = 0; i < MEMORIES; i++)
        n += memory[i].number != 0;
    return n;
}

/* boot() gets as far as /bin/sh, which is not there; the first process is then given memory by hand. */
struct task *world_begin(void) {
    err e = boot(NULL);
    cr_assert_eq(e, -E_NOENT);
    struct process *p = state.tasks.first;
    struct task *t = TAILQ_FIRST(&p->tasks);
    p->mm = mm_create();
    cr_assert_eq(kern_thread_create(p->mm->space, t->tid, &t->thread, &t->frame), 0);
    kern_thread_start(t->thread);
    cr_assert(world_settle(t->tid));
    baseline_slots = world_slots();
    baseline_objects = slab_host_in_use();
    return t;
}

void world_check_idle(void) {
    cr_assert_eq(state.tasks.count, 1);
    cr_assert_eq(world_threads(), 1);
    cr_assert_eq(world_memories(), 1);
    cr_assert_eq(world_slots(), baseline_slots, "%u slots, %llu at the beginning", world_slots(),
                 (unsigned long long)baseline_slots);
    cr_assert_eq(slab_host_in_use(), baseline_objects, "%llu objects, %llu at the beginning",
                 (unsigned long long)slab_host_in_use(), (unsigned long long)baseline_objects);
}
