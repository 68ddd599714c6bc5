/* SPDX-License-Identifier: MIT */
/* Plain calls on objects: capabilities, threads, spaces' bindings, interrupts, ports, trace and log. */
#include <string.h>

#include "arch/log.h"
#include "core/exception.h"
#include "core/fault.h"
#include "core/interrupt.h"
#include "core/object.h"
#include "core/reply.h"
#include "core/sched.h"
#include "core/syscall.h"
#include "core/trace.h"

#define RFLAGS_ALLOWED 0x240dd5ull /* CF PF AF ZF SF TF DF OF AC ID */

/* Rights to reply. */

/* The right in a slot and who waits for the answer (NULL: gone). */
#define RIGHT_OR_RETURN(right, waiter, slot)                                                                 \
    struct capability *right;                                                                                \
    struct thread *waiter;                                                                                   \
    err right##_error = reply_get(caller_table(), slot, &right, &waiter);                                    \
    if (right##_error)                                                                                       \
    return right##_error

i64 call_raise(u64 reply, u64 code, u64 address) {
    RIGHT_OR_RETURN(right, t, reply);
    if (t && t->kind != MSG_FAULT && t->kind != MSG_ALIEN)
        return -E_KIND;
    cap_clear(right);
    if (!t)
        return 0;
    t->state = THREAD_READY;
    struct thread *next = t->kind == MSG_FAULT && t->base != MSG_FAULT
                              ? exception_again(t, IPC_FAULTED | IPC_AGAIN)
                              : exception_send(t, EXC_RAISE, code, address);
    if (next)
        sched_ready(next);
    return 0;
}

i64 call_fault_as(u64 reply, u64 address, u64 access, u64 progress) {
    RIGHT_OR_RETURN(right, t, reply);
    if (t && t->kind != MSG_ALIEN && t->kind != MSG_EXCEPTION)
        return -E_KIND;
    if (access > ACCESS_EXEC)
        return -E_INVAL;
    cap_clear(right);
    if (t)
        fault_as(t, address, (u8)access, progress);
    return 0;
}

/* Capabilities. */

/* A right to reply is moved. */
i64 call_cap_copy(u64 table_slot, u64 to_slot, u64 from_slot, u64 rights, u64 badge) {
    CAP_OR_RETURN(table, table_slot, KIND_CAPTABLE, RIGHT_CONTROL);
    struct capability *from = cap_any(caller_table(), from_slot);
    if (!from)
        return -E_BADCAP;
    EMPTY_SLOT_OR_RETURN(to, table->table, to_slot);
    if (badge && (from->kind != KIND_ENDPOINT || from->badge || badge > 0xffffffff))
        return -E_INVAL;
    *to = *from;
    to->rights &= (u8)rights;
    if (badge)
        to->badge = badge;
    if (from->kind == KIND_REPLY) {
        from->thread->right = to;
        cap_clear(from);
    }
    return 0;
}

i64 call_cap_drop(u64 table_slot, u64 slot) {
    CAP_OR_RETURN(table, table_slot, KIND_CAPTABLE, RIGHT_CONTROL);
    if (slot == 0 || slot >= table->table->slots)
        return -E_BADCAP;
    struct capability *c = captable_slots(table->table) + slot;
    cpu.checks += c->kind == KIND_ENDPOINT;
    if (c->kind == KIND_REPLY)
        reply_drop(c); /* whoever is asked again may have put a new right there by now */
    else
        cap_clear(c);
    return 0;
}

i64 call_retype(u64 first, u64 count, u64 kind, u64 to) {
    EMPTY_SLOT_OR_RETURN(slot, caller_table(), to);
    return object_create(slot, first, count, kind, caller_account());
}

i64 call_destroy(u64 slot) {
    struct capability *c = cap_any(caller_table(), slot);
    if (!c)
        return -E_BADCAP;
    if (!(c->rights & RIGHT_DESTROY))
        return -E_RIGHTS;
    err e = object_destroy(c);
    if (!e)
        cap_clear(c);
    return e;
}

i64 call_notify(u64 endpoint, u64 bits) {
    CAP_OR_RETURN(to, endpoint, KIND_ENDPOINT, RIGHT_NOTIFY);
    endpoint_set_bits(to->endpoint, bits);
    return 0;
}

/* Threads. */

#define THREAD_OR_RETURN(name, slot)                                                                         \
    CAP_OR_RETURN(name##_cap, slot, KIND_THREAD, RIGHT_CONTROL);                                             \
    struct thread *name = name##_cap->thread

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

/* thread: or a right to answer its fault, alien call or exception. */
i64 call_regs_read(u64 thread, u64 parts) {
    struct capability *right;
    struct thread *t;
    if (reply_get(caller_table(), thread, &right, &t)) {
        THREAD_OR_RETURN(named, thread);
        t = named;
    }
    if (!t)
        return -E_BADCAP;
    AREA_OR_RETURN(area);
    if (!registers_at_rest(t))
        return -E_BUSY;
    struct user_regs *u = (struct user_regs *)area;
    if (parts & REGS_GENERAL) {
#define R(name) u->name = t->regs.name;
        GENERAL_REGS(R)
#undef R
        u->fs_base = t->fs_base;
    }
    if (parts & REGS_FPU) {
        arch_fpu_save(t);
        memcpy(u->fpu, t->fpu, sizeof t->fpu);
    }
    return 0;
}

/* The registers count when the thread starts, when its exception is answered, or when its alien call is
 * answered with WAIT_REGS. */
i64 call_regs_write(u64 thread, u64 parts) {
    THREAD_OR_RETURN(t, thread);
    AREA_OR_RETURN(area);
    if (!registers_at_rest(t))
        return -E_BUSY;
    const struct user_regs *u = (const struct user_regs *)area;
    bool general = parts & REGS_GENERAL;
    if (general && (u->rip >= USER_END || u->fs_base >= USER_END))
        return -E_INVAL;
    arch_fpu_save(t);
    if (general) {
#define R(name) t->regs.name = u->name;
        GENERAL_REGS(R)
#undef R
        t->regs.rflags = (t->regs.rflags & RFLAGS_ALLOWED) | RFLAGS_USER;
        t->fs_base = u->fs_base;
        t->by_iret = true;
    }
    if (parts & REGS_FPU) {
        memcpy(t->fpu, u->fpu, sizeof t->fpu);
        arch_fpu_clean(t);
    }
    return 0;
}

i64 call_start(u64 thread) {
    THREAD_OR_RETURN(t, thread);
    return thread_start(t);
}

i64 call_stop(u64 thread) {
    THREAD_OR_RETURN(t, thread);
    thread_stop(t);
    return 0;
}

i64 call_interrupt(u64 thread) {
    THREAD_OR_RETURN(t, thread);
    thread_attend(t, true);
    return 0;
}

i64 call_thread_bind(u64 thread, u64 space, u64 tag, u64 message_page, u64 priority, u64 flags) {
    THREAD_OR_RETURN(t, thread);
    CAP_OR_RETURN(s, space, KIND_SPACE, RIGHT_CONTROL);
    if (tag > 0xffffffff || priority <= PRIO_IDLE || priority > cpu.current->priority ||
        flags & ~(u64)THREAD_ALIEN)
        return -E_INVAL;
    return thread_bind(t, s->space, (u32)tag, message_page, caller_account(), (u8)priority, (u8)flags);
}

/* Spaces. */

/* Slot 0 leaves what is bound there. table_flags: slot of the capability table | flags << 32. */
i64 call_space_bind(u64 space, u64 pager, u64 system_call, u64 exception, u64 account, u64 table_flags) {
    static const u8 kinds[] = {KIND_ENDPOINT, KIND_ENDPOINT, KIND_ENDPOINT, KIND_ACCOUNT, KIND_CAPTABLE};
    const u64 slots[] = {pager, system_call, exception, account, (u32)table_flags};
    const struct capability *bind[ARRAY_LEN(slots)] = {0};
    CAP_OR_RETURN(c, space, KIND_SPACE, RIGHT_CONTROL);
    struct space *s = c->space;
    if (s->dying)
        return -E_INVAL;
    err e = 0;
    for (u32 i = 0; i < ARRAY_LEN(slots) && !e; i++)
        if (slots[i])
            bind[i] = cap_get(caller_table(), slots[i], kinds[i], i < 3 ? RIGHT_RECV : RIGHT_CONTROL, &e);
    if (e)
        return e;
    u64 flags = table_flags >> 32;
    if (flags & ~(u64)SPACE_WX)
        return -E_INVAL;
    if (flags != s->flags && space_has_entries(s))
        return -E_MAPPED;
    if (bind[3] && (e = space_set_account(s, (u8)bind[3]->account)))
        return e;
    for (u32 i = 0; i < 3; i++)
        if (bind[i])
            s->handlers[i] = endpoint_ref(bind[i]->endpoint, (u32)bind[i]->badge);
    if (bind[4]) {
        s->table->bound--;
        s->table = bind[4]->table;
        s->table->bound++;
        cpu.checks++;
    }
    s->flags = (u8)flags;
    return 0;
}

/* Machine, trace, log. */

i64 call_irq(u64 authority, u64 line, u64 endpoint, u64 bit) {
    CAP_OR_RETURN(irq, authority, KIND_IRQ, 0);
    CAP_OR_RETURN(to, endpoint, KIND_ENDPOINT, RIGHT_NOTIFY);
    if (bit >= 64)
        return -E_INVAL;
    return interrupt_bind(line, endpoint_ref(to->endpoint, (u32)bit));
}

i64 call_ports(u64 authority, u64 first, u64 count) {
    CAP_OR_RETURN(ioport, authority, KIND_IOPORT, 0);
    struct space *s = cpu.current->space;
    if (first > 0xffff || count == 0 || count > PORTS_MAX || count > 0x10000 - first)
        return -E_INVAL;
    if (s->ports_count == SPACE_PORTS_MAX)
        return -E_NOSPC;
    arch_ports_close(s);
    s->ports[s->ports_count++] = (struct port_range){(u16)first, (u16)(first + count - 1)};
    return 0;
}

i64 call_trace_mask(u64 authority, u64 mask) {
    CAP_OR_RETURN(tracing, authority, KIND_TRACING, RIGHT_CONTROL);
    trace_set_mask(mask);
    return 0;
}

/* The name lies in the area. */
i64 call_trace_name(u64 thread) {
    THREAD_OR_RETURN(t, thread);
    AREA_OR_RETURN(area);
    memcpy(t->name, area, sizeof t->name - 1);
    u64 name[TRACE_NAME_BYTES / sizeof(u64)];
    memcpy(name, t->name, sizeof name);
    trace(TRACE_THREAD_NAME, thread_id(t), thread_id(t) | (t->space ? space_frame(t->space) : 0) << 32,
          name[0], name[1], name[2], name[3], name[4]);
    return 0;
}

/* call: 0: the one received last. */
i64 call_trace_event(u64 what, u64 call, u64 a, u64 b, u64 c, u64 d) {
    const struct thread *t = cpu.current;
    trace(TRACE_USER, thread_id(t), (u32)what | (u64)thread_id(t) << 32, call ? call : t->serving, a, b, c,
          d);
    return 0;
}

/* The text lies in the area. */
i64 call_log(u64 bytes) {
    AREA_OR_RETURN(area);
    if (bytes > LOG_BYTES_MAX)
        return -E_INVAL;
    klog_bytes((const char *)area, bytes);
    return (i64)bytes;
}
