/* SPDX-License-Identifier: MIT */
/* Plain calls on objects: capabilities, threads, spaces' bindings, interrupts, ports, trace and log. */
#include <string.h>

#include "arch/cpu.h"
#include "arch/log.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/interrupt.h"
#include "core/object.h"
#include "core/reply.h"
#include "core/sched.h"
#include "core/syscall.h"
#include "core/trace.h"
#include <abi/layout.h>

#define RFLAGS_ALLOWED 0x240dd5ull /* CF PF AF ZF SF TF DF OF AC ID */
#define RFLAGS_ALWAYS  0x202ull    /* IF, and the bit that is always set */

/* ---- rights to reply
 * ------------------------------------------------------------------------------------------ */

/* raise: reply, code, address. */
i64 call_raise(struct call *c) {
    struct capability *right;
    struct thread *t;
    err e = reply_get(c->table, c->a[0], &right, &t);
    if (e)
        return e;
    if (t && t->kind != MSG_FAULT && t->kind != MSG_ALIEN)
        return -E_KIND;
    cap_clear(right);
    if (!t)
        return 0;
    t->state = THREAD_READY;
    struct thread *next = t->kind == MSG_FAULT && t->base != MSG_FAULT
                              ? exception_again(t, IPC_FAULTED | IPC_AGAIN)
                              : exception_send(t, EXC_RAISE, c->a[1], c->a[2]);
    if (next)
        sched_ready(next);
    return 0;
}

/* fault_as: reply, address, access, progress. */
i64 call_fault_as(struct call *c) {
    struct capability *right;
    struct thread *t;
    err e = reply_get(c->table, c->a[0], &right, &t);
    if (e)
        return e;
    if (t && t->kind != MSG_ALIEN && t->kind != MSG_EXCEPTION)
        return -E_KIND;
    if (c->a[2] > ACCESS_EXEC)
        return -E_INVAL;
    cap_clear(right);
    if (t)
        fault_as(t, c->a[1], (u8)c->a[2], c->a[3]);
    return 0;
}

/* ---- capabilities
 * --------------------------------------------------------------------------------------------- */

/* A table to change: a CAPTABLE capability of the caller with CONTROL. */
static struct captable *get_table(struct call *c, u64 slot, err *e) {
    const struct capability *t = call_cap(c, slot, KIND_CAPTABLE, RIGHT_CONTROL, e);
    return t ? (struct captable *)t->object : NULL;
}

/* cap_copy: table, slot there, source slot, rights, badge. A right to reply is moved. */
i64 call_cap_copy(struct call *c) {
    err e;
    struct captable *table = get_table(c, c->a[0], &e);
    if (!table)
        return e;
    struct capability *from = cap_any(c->table, c->a[2]);
    if (!from)
        return -E_BADCAP;
    struct capability *to = cap_empty(table, c->a[1], &e);
    if (!to)
        return e;
    u64 badge = c->a[4];
    if (badge && (from->kind != KIND_ENDPOINT || from->badge || badge > 0xffffffff))
        return -E_INVAL;
    *to = *from;
    to->rights &= (u8)c->a[3];
    if (badge)
        to->badge = badge;
    if (from->kind == KIND_REPLY)
        cap_clear(from);
    return 0;
}

/* cap_drop: table, slot. */
i64 call_cap_drop(struct call *c) {
    err e;
    struct captable *table = get_table(c, c->a[0], &e);
    if (!table)
        return e;
    if (c->a[1] == 0 || c->a[1] >= table->slots)
        return -E_BADCAP;
    struct capability *cap = captable_slots(table) + c->a[1];
    if (cap->kind == KIND_REPLY)
        reply_drop(cap); /* whoever is asked again may have put a new right there by now */
    else
        cap_clear(cap);
    return 0;
}

/* retype: first frame, count, kind, slot. */
i64 call_retype(struct call *c) {
    err e;
    struct capability *slot = cap_empty(c->table, c->a[3], &e);
    return slot ? object_create(slot, c->a[0], c->a[1], c->a[2], c->account) : e;
}

i64 call_destroy(struct call *c) {
    struct capability *cap = cap_any(c->table, c->a[0]);
    if (!cap)
        return -E_BADCAP;
    if (!(cap->rights & RIGHT_DESTROY))
        return -E_RIGHTS;
    err e = object_destroy(cap);
    if (!e)
        cap_clear(cap);
    return e;
}

/* notify: endpoint, bits. */
i64 call_notify(struct call *c) {
    err e;
    const struct capability *to = call_cap(c, c->a[0], KIND_ENDPOINT, RIGHT_NOTIFY, &e);
    if (to)
        endpoint_set_bits(cap_endpoint(to), c->a[1]);
    return e;
}

/* ---- threads
 * -------------------------------------------------------------------------------------------------- */

static struct thread *get_thread(struct call *c, err *e) {
    const struct capability *t = call_cap(c, c->a[0], KIND_THREAD, RIGHT_CONTROL, e);
    return t ? cap_thread(t) : NULL;
}

/* Its registers lie in the thread and stay what they are: it is stopped, or waits for an answer other than a
 * call's. */
static bool registers_at_rest(const struct thread *t) {
    return t->state == THREAD_STOPPED ||
           ((t->state == THREAD_CALLING || t->state == THREAD_SENDING) && t->kind != MSG_CALL);
}

#define GENERAL_REGS(R)                                                                                      \
    R(rax)                                                                                                   \
    R(rbx)                                                                                                   \
    R(rcx)                                                                                                   \
    R(rdx) R(rsi) R(rdi) R(rbp) R(rsp) R(r8) R(r9) R(r10) R(r11) R(r12) R(r13) R(r14) R(r15) R(rip) R(rflags)

/* The thread itself, or (by_right) whoever waits for the answer that a right to reply in the slot is for. */
static struct thread *regs_thread(struct call *c, bool by_right, err *e) {
    struct capability *right;
    struct thread *t;
    *e = 0;
    if (!by_right || reply_get(c->table, c->a[0], &right, &t))
        t = get_thread(c, e);
    else if (!t)
        *e = -E_BADCAP;
    if (t && !c->area)
        *e = -E_FAULT;
    else if (t && !registers_at_rest(t))
        *e = -E_BUSY;
    return *e ? NULL : t;
}

/* regs_read: thread (or a right to answer its fault, alien call or exception), parts. */
i64 call_regs_read(struct call *c) {
    err e;
    struct thread *t = regs_thread(c, true, &e);
    if (!t)
        return e;
    struct user_regs *u = (struct user_regs *)c->area;
    if (c->a[1] & REGS_GENERAL) {
#define R(name) u->name = t->regs.name;
        GENERAL_REGS(R)
#undef R
        u->fs_base = t->fs_base;
    }
    if (c->a[1] & REGS_FPU) {
        arch_fpu_save(t);
        memcpy(u->fpu, t->fpu, sizeof t->fpu);
    }
    return 0;
}

/* regs_write: thread, parts. The registers count when the thread starts, when its exception is answered, or
 * when its alien call is answered with WAIT_REGS. */
i64 call_regs_write(struct call *c) {
    err e;
    struct thread *t = regs_thread(c, false, &e);
    if (!t)
        return e;
    const struct user_regs *u = (const struct user_regs *)c->area;
    bool general = c->a[1] & REGS_GENERAL;
    if (general && (u->rip >= USER_END || u->fs_base >= USER_END))
        return -E_INVAL;
    arch_fpu_save(t);
    if (general) {
#define R(name) t->regs.name = u->name;
        GENERAL_REGS(R)
#undef R
        t->regs.rflags = (t->regs.rflags & RFLAGS_ALLOWED) | RFLAGS_ALWAYS;
        t->fs_base = u->fs_base;
        t->by_iret = true;
    }
    if (c->a[1] & REGS_FPU) {
        memcpy(t->fpu, u->fpu, sizeof t->fpu);
        arch_fpu_clean(t);
    }
    return 0;
}

i64 call_start(struct call *c) {
    err e;
    struct thread *t = get_thread(c, &e);
    return t ? thread_start(t) : e;
}

i64 call_stop(struct call *c) {
    err e;
    struct thread *t = get_thread(c, &e);
    if (t)
        thread_stop(t);
    return e;
}

i64 call_interrupt(struct call *c) {
    err e;
    struct thread *t = get_thread(c, &e);
    if (t)
        t->attention |= ATTEND_INTERRUPT;
    return e;
}

/* thread_bind: thread, space, tag, message page, priority, flags. */
i64 call_thread_bind(struct call *c) {
    err e;
    struct thread *t = get_thread(c, &e);
    if (!t)
        return e;
    const struct capability *s = call_cap(c, c->a[1], KIND_SPACE, RIGHT_CONTROL, &e);
    if (!s)
        return e;
    u64 tag = c->a[2], priority = c->a[4], flags = c->a[5];
    if (tag > 0xffffffff || priority <= PRIO_IDLE || priority > c->caller->priority ||
        flags & ~(u64)THREAD_ALIEN)
        return -E_INVAL;
    return thread_bind(t, cap_space(s), (u32)tag, c->a[3], c->account, (u8)priority, (u8)flags);
}

/* ---- spaces
 * --------------------------------------------------------------------------------------------------- */

/* An endpoint to bind: slot 0 leaves the reference as it is. */
static err get_binding(struct call *c, u64 slot, struct endpoint_ref *ref) {
    err e = 0;
    if (slot == 0)
        return 0;
    const struct capability *cap = call_cap(c, slot, KIND_ENDPOINT, RIGHT_RECV, &e);
    if (cap)
        *ref = endpoint_ref(cap_endpoint(cap), (u32)cap->badge);
    return e;
}

static void bind_table(struct space *s, struct captable *table) {
    if (s->table)
        s->table->bound--;
    s->table = table;
    table->bound++;
}

/* space_bind: space, pager, system-call and exception endpoints, account, capability table | flags << 32. */
i64 call_space_bind(struct call *c) {
    err e;
    const struct capability *cap = call_cap(c, c->a[0], KIND_SPACE, RIGHT_CONTROL, &e);
    if (!cap)
        return e;
    struct space *s = cap_space(cap);
    if (s->dying)
        return -E_INVAL;
    struct endpoint_ref refs[3] = {s->pager, s->system_call, s->exception};
    for (u32 i = 0; i < 3; i++)
        if ((e = get_binding(c, c->a[1 + i], &refs[i])))
            return e;
    const struct capability *account = NULL, *table = NULL;
    if (c->a[4] && !(account = call_cap(c, c->a[4], KIND_ACCOUNT, RIGHT_CONTROL, &e)))
        return e;
    u32 table_slot = (u32)c->a[5];
    if (table_slot && !(table = call_cap(c, table_slot, KIND_CAPTABLE, RIGHT_CONTROL, &e)))
        return e;
    u64 flags = c->a[5] >> 32;
    if (flags & ~(u64)SPACE_WX)
        return -E_INVAL;
    if (flags != s->flags && space_has_entries(s))
        return -E_MAPPED;
    if (account && (e = space_set_account(s, (u8)account->object)))
        return e;
    if (table)
        bind_table(s, (struct captable *)table->object);
    s->pager = refs[0];
    s->system_call = refs[1];
    s->exception = refs[2];
    s->flags = (u8)flags;
    return 0;
}

/* ---- machine, trace, log
 * -------------------------------------------------------------------------------------- */

/* irq: authority, line, endpoint, bit. */
i64 call_irq(struct call *c) {
    err e;
    if (!call_cap(c, c->a[0], KIND_IRQ, 0, &e))
        return e;
    const struct capability *to = call_cap(c, c->a[2], KIND_ENDPOINT, RIGHT_NOTIFY, &e);
    if (!to)
        return e;
    if (c->a[3] >= 64)
        return -E_INVAL;
    return interrupt_bind(c->a[1], endpoint_ref(cap_endpoint(to), (u32)c->a[3]));
}

/* ports: authority, first, count. */
i64 call_ports(struct call *c) {
    err e;
    if (!call_cap(c, c->a[0], KIND_IOPORT, 0, &e))
        return e;
    u64 first = c->a[1], count = c->a[2];
    struct space *s = c->caller->space;
    if (first > 0xffff || count == 0 || count > PORTS_MAX || count > 0x10000 - first)
        return -E_INVAL;
    if (s->ports_count == SPACE_PORTS_MAX)
        return -E_NOSPC;
    s->ports[s->ports_count++] = (struct port_range){(u16)first, (u16)(first + count - 1)};
    arch_ports_changed(s);
    return 0;
}

i64 call_trace_mask(struct call *c) {
    err e;
    if (!call_cap(c, c->a[0], KIND_TRACING, RIGHT_CONTROL, &e))
        return e;
    trace_set_mask(c->a[1]);
    return 0;
}

static void trace_thread_name(const struct thread *t) {
    u64 payload[6] = {thread_id(t) | (t->space ? space_frame(t->space) : 0) << 32};
    memcpy(payload + 1, t->name, sizeof t->name);
    if (trace_on(TRACE_THREAD_NAME))
        trace_write(TRACE_THREAD_NAME, thread_id(t), payload);
}

/* trace_name: thread; the name lies in the area. */
i64 call_trace_name(struct call *c) {
    err e;
    struct thread *t = get_thread(c, &e);
    if (!t)
        return e;
    if (!c->area)
        return -E_FAULT;
    memcpy(t->name, c->area, sizeof t->name - 1);
    trace_thread_name(t);
    return 0;
}

/* trace_event: what, call (0: the one received last), four words. */
i64 call_trace_event(struct call *c) {
    const struct thread *t = c->caller;
    u64 call = c->a[1] ? c->a[1] : t->serving;
    trace(TRACE_USER, thread_id(t), (u32)c->a[0] | (u64)thread_id(t) << 32, call, c->a[2], c->a[3], c->a[4],
          c->a[5]);
    return 0;
}

/* log: bytes; the text lies in the area. */
i64 call_log(struct call *c) {
    if (!c->area)
        return -E_FAULT;
    if (c->a[0] > LOG_BYTES_MAX)
        return -E_INVAL;
    klog_bytes((const char *)c->area, c->a[0]);
    return (i64)c->a[0];
}
