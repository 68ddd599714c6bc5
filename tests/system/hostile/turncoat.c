/* SPDX-License-Identifier: MIT */
/* A server that turns hostile amid its work. It is linked with all of a real server; the linker puts what is below round
 * its loop (of region, which has one of its own: round its handlers). After TURN_AFTER messages it answers wrongly, twice,
 * never, with capabilities and items that it should not, and makes random calls with all that it holds by then. */
#include "random.h"
#include <string.h>
#ifdef REGION
#include "shell.h"
#endif
#include <proto/ata_ring.h>

enum { ACTS = 6000, HAMMERS = 8, FIRST_THREAD = 50, WAIT_MS = 30, AT_A_TIME = 25 };

static u64 messages;
static bool turned;
static volatile u64 acts, lies;
static u32 late_slot; /* what lies behind has come since it began to serve: not its own threads */

static _Noreturn void end(void) {
    err e = sys_audit();
    log_line("hostile: %lu acts, %lu wrong answers, %lu calls of the kernel succeeded, %lu were answered",
             acts, lies, succeeded, answered);
    log_line("hostile: audit %s", e == -E_PROTO ? "FAILED" : "ok");
    *(volatile u32 *)0x123000 = 1;
    for (;;)
        ;
}

/* What it shares with others. */

static void frames_of_others(void) {
    struct frame_free_rep freed;
    struct frame_free_batch_rep batch;
    struct frame_memory_rep memory;
    struct frame_magazine *m = rnd(2) ? &frame_magazines.unmapped : &frame_magazines.mapped;
    u32 i = (u32)rnd(MAGAZINE_MAX), count = m->count, frame = m->frames[i];
    switch (rnd(3)) {
    case 0:
        (void)!frame_free(SERVICE(SRV_FRAME), &(struct frame_free_req){rnd(1 << 15), rnd(3)}, &freed);
        break;
    case 1:
        for (u64 n = 0; n < 8; n++)
            ipc_tail()[n] = rnd(2) ? FRAME_RUN(rnd(1 << 15), rnd(9)) : wild();
        (void)!frame_free_batch(SERVICE(SRV_FRAME), &(struct frame_free_batch_req){rnd(9)}, 8, &batch);
        break;
    default: /* frame looks at this page when it counts */
        m->count = (u32)wild();
        m->frames[i] = (u32)wild();
        (void)!frame_memory(SERVICE(SRV_FRAME), &(struct frame_memory_req){0}, &memory);
        m->frames[i] = frame;
        m->count = count;
    }
}

static void disk_ring(void) {
    struct ata_ring *ring = (struct ata_ring *)ATA_RING_WINDOW;
    struct ata_slot *slot = &ring->slot[rnd(ATA_SLOTS)];
    slot->error = rnd(3) ? -(i64)rnd(40) : (i64)wild();
    slot->status = rnd(3) ? ATA_DONE : (u32)wild();
    if (rnd(4) == 0)
        ((u64 *)slot)[rnd(8)] = wild();
}

/* Programs' threads and spaces, of linux. */
static void programs(void) {
    u32 slot = late_slot + (u32)rnd(300);
    struct user_regs *regs = (struct user_regs *)ipc_area();
    switch (rnd(6)) {
    case 0:
        (void)sys_stop(slot);
        break;
    case 1:
        (void)sys_start(slot);
        break;
    case 2:
        if (rnd(4) == 0)
            (void)sys_destroy(slot);
        break;
    case 3:
        memset(regs, (int)rnd(256), sizeof *regs);
        regs->rip = wild();
        regs->rsp = wild();
        (void)sys_stop(slot);
        (void)sys_regs_write(slot, rnd(8));
        break;
    case 4:
        (void)sys_copy(slot, 0x400000 + rnd(1 << 20), SLOT_SPACE, IMAGE_BASE(SRV_LINUX), 1 + rnd(5000));
        break;
    default:
        (void)sys_interrupt(slot);
    }
}

static void act(void) {
    bool watch = thread_index() == FIRST_THREAD; /* must not wait */
    acts = acts + 1;
    if (acts % 1000 == 0)
        log_line("hostile: %lu acts, %lu wrong answers", acts, lies);
    switch (watch ? 11 - rnd(8) / 7 * 10 : rnd(12)) {
    case 0:
        notify_others();
        return;
    case 1:
    case 2:
        if (server_id == SRV_LINUX)
            programs();
        else if (server_id == SRV_ATA)
            disk_ring();
        return;
    case 3:
        if (server_id != SRV_FRAME)
            frames_of_others();
        return;
    case 4:
    case 5:
        if (server_id != SRV_FRAME)
            server_call();
        return;
    default:
        kernel_call();
    }
}

/* The time between messages is used too. Who waits for an answer for ever leaves the work to the next. */

static void hammer(void *unused) {
    u32 endpoint = endpoint_create();
    (void)unused;
    while (acts < ACTS) {
        for (u32 i = 0; i < AT_A_TIME && acts < ACTS; i++)
            act();
        (void)ipc_sleep(endpoint, ms_from_now(2));
    }
    end();
}

static void watch(void *unused) {
    u32 endpoint = endpoint_create(), made = 0;
    (void)unused;
    while (!turned)
        (void)ipc_sleep(endpoint, ms_from_now(WAIT_MS));
    while (acts < ACTS) {
        u64 before = acts;
        (void)ipc_sleep(endpoint, ms_from_now(WAIT_MS));
        if (server_id ==
            SRV_LINUX) { /* which hits out at threads behind late_slot, where more of its own would be */
            for (u32 i = 0; i < AT_A_TIME; i++)
                act();
            continue;
        }
        if (acts == before &&
            (made == HAMMERS || thread_spawn(FIRST_THREAD + 1 + made++, hammer, NULL, "hostile")))
            break;
    }
    end();
}

static void begin_watch(void) {
    err e = 0;
    if (server_id == SRV_FRAME) /* has no other threads */
        return;
    if (server_id == SRV_CONSOLE)
        e = frame_client_init();
    if (e || thread_spawn(FIRST_THREAD, watch, NULL, "hostile"))
        log_line("hostile: no thread");
}

static bool is_hostile(void) {
#ifdef REGION
    if (!messages)
        begin_watch();
#endif
    if (!turned && ++messages >= TURN_AFTER) {
        turned = true;
        look(false);
        log_line("hostile: after %lu messages, with %u capabilities", messages, held_count);
    }
    if (turned && acts >= ACTS)
        end();
    return turned;
}

/* Answers. */

static void wrong_items(struct ipc_ctx *c, const u64 *w) {
    struct fault_item items[FAULT_ITEMS_MAX];
    u32 n = (u32)rnd(FAULT_ITEMS_MAX + 1);
    for (u32 i = 0; i < n; i++)
        items[i] = (struct fault_item){rnd(4) ? (w[0] & ~PAGE_MASK) + rnd(8) * PAGE_BYTES + rnd(32) : wild(),
                                       rnd(4) ? ITEM_FRAME(rnd(1 << 13), rnd(4)) : wild()};
    ipc_map(c, items, n);
}

/* What becomes of an answer whose status and words are right. */
static err lie(struct ipc_ctx *c, u64 *w, err status) {
    if (c->disposition != IPC_REPLY || rnd(3))
        return status;
    lies = lies + 1;
    switch (rnd(10)) {
    case 0:
        (void)ipc_keep(c); /* for ever */
        break;
    case 1:
        (void)ipc_answer(c->reply, status, w, MSG_REG_WORDS, 0);
        (void)ipc_answer(c->reply, status, w, MSG_REG_WORDS, 0);
        ipc_answered(c);
        break;
    case 2:
        c->send_cap = (u32)a_slot();
        break;
    case 3:
        c->tail_words = (u32)rnd(MSG_WORDS);
        for (u32 i = 0; i < MSG_TAIL_WORDS; i++)
            c->tail[i] = an_argument();
        break;
    case 4:
        return -(err)rnd(70);
    case 5:
        return (err)wild();
    case 6:
        ipc_forward_to(c, SERVICE((u32)rnd(SRV_COUNT)), (1 + rnd(10)) << 8 | rnd(24), w);
        break;
    case 7:
        if (c->kind == MSG_FAULT)
            wrong_items(c, w);
        else if (sys_raise(c->reply, wild(), wild()) == 0)
            ipc_answered(c);
        break;
    default:
        w[rnd(MSG_REG_WORDS)] = an_argument();
    }
    return status;
}

static void some_acts(void) {
    for (u64 n = rnd(4); n > 0; n--)
        act();
}

#ifdef REGION

err __real_call_dispatch(struct ipc_ctx *c, u64 label, u64 *w);
err __wrap_call_dispatch(struct ipc_ctx *c, u64 label, u64 *w);
void __real_fault_handle(struct loop *l);
void __wrap_fault_handle(struct loop *l);

err __wrap_call_dispatch(struct ipc_ctx *c, u64 label, u64 *w) {
    if (!is_hostile())
        return __real_call_dispatch(c, label, w);
    some_acts();
    return lie(c, w, rnd(3) ? __real_call_dispatch(c, label, w) : 0);
}

void __wrap_fault_handle(struct loop *l) {
    vaddr page = l->io.w[0] & ~PAGE_MASK;
    bool hostile = is_hostile();
    __real_fault_handle(l);
    if (!hostile || l->out != OUT_ITEMS)
        return;
    lies = lies + 1;
    l->io.w[rnd(2)] = rnd(2) ? (page + rnd(8) * PAGE_BYTES) | rnd(32) : ITEM_FRAME(rnd(1 << 13), rnd(4));
}

#else

static struct server hostile_server;
static const struct server *real;

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    if (!is_hostile())
        return real->on_call(c, label, w);
    some_acts();
    return lie(c, w, rnd(3) ? real->on_call(c, label, w) : 0);
}

#define FIRST_PROGRAMS 2 /* are spared: the run ends with them */

static err on_alien(struct ipc_ctx *c, u64 number, u64 *w) {
    if (!is_hostile() || c->tag <= FIRST_PROGRAMS)
        return real->on_alien(c, number, w);
    some_acts();
    return lie(c, w, rnd(3) ? real->on_alien(c, number, w) : 0);
}

static err on_exception(struct ipc_ctx *c, const struct exception_words *x) {
    u64 w[MSG_REG_WORDS];
    memcpy(w, x, sizeof w);
    if (!is_hostile() || c->tag <= FIRST_PROGRAMS)
        return real->on_exception(c, x);
    some_acts();
    return lie(c, w, real->on_exception(c, x));
}

static void on_bits(u64 bits) {
    (void)is_hostile();
    if (real->on_bits)
        real->on_bits(bits);
}

static u64 deadline;

static bool before_wait(void) {
    bool more = real->before_wait && real->before_wait();
    deadline = real->deadline ? *real->deadline : 0;
    if (turned && server_id == SRV_FRAME) { /* it has no other threads */
        for (u32 i = 0; i < AT_A_TIME; i++)
            act();
        deadline = ms_from_now(2);
        (void)is_hostile();
    }
    return more;
}

_Noreturn void __real_server_run(const struct server *s);
_Noreturn void __wrap_server_run(const struct server *s);

_Noreturn void __wrap_server_run(const struct server *s) {
    if (!real) {
        real = s;
        begin_watch();
        late_slot = slot_alloc();
        hostile_server = *s;
        hostile_server.quick = NULL;
        hostile_server.on_call = s->on_call ? on_call : NULL;
        hostile_server.on_alien = s->on_alien ? on_alien : NULL;
        hostile_server.on_exception = s->on_exception ? on_exception : NULL;
        hostile_server.on_bits = on_bits;
        hostile_server.before_wait = before_wait;
        hostile_server.deadline = &deadline;
    }
    __real_server_run(&hostile_server);
}

#endif
