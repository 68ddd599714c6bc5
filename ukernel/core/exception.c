/* SPDX-License-Identifier: MIT */
#include "core/exception.h"
#include "arch/cpu.h"
#include "arch/log.h"
#include "arch/panic.h"
#include "core/cap.h"
#include "core/ipc.h"
#include "core/trace.h"

struct thread *thread_crash(struct thread *t, const char *what) {
    klog("quire: crash: thread %u (%s), space %lx: %s, address %lx\n", thread_id(t),
         t->name[0] ? t->name : "?", space_frame(t->space), what, t->fault.address);
    log_regs(&t->regs);
    if (t->space->account == ACCOUNT_ROOT)
        PANIC("root has crashed: %s", what);
    t->state = THREAD_STOPPED;
    return NULL;
}

struct thread *exception_message(struct thread *t, enum msg_kind kind, u8 flags) {
    const struct endpoint_ref *ref = &t->space->handlers[kind - MSG_FAULT];
    struct endpoint *e = endpoint_ref_get(ref);
    if (!e)
        return thread_crash(t, kind == MSG_FAULT   ? "page fault without a pager"
                               : kind == MSG_ALIEN ? "system call without a handler"
                                                   : "exception without a handler");
    t->kind = (u8)kind;
    t->send_flags = flags;
    t->nwords = MSG_REG_WORDS;
    t->badge = ref->badge;
    t->send_slot = 0;
    t->call = ++cpu.calls;
    return ipc_send(t, e);
}

struct thread *exception_alien_call(struct thread *t) {
    const struct thread_regs *r = &t->regs;
    u64 endpoint = t->space->system_call.endpoint ? virt_to_frame(t->space->system_call.endpoint) : 0;
    trace(TRACE_IPC_CALL, thread_id(t), endpoint | (u64)LABEL_ALIEN << 32 | (u64)MSG_REG_WORDS << 48,
          cpu.calls + 1, r->rax, r->rdi, r->rsi, r->rdx);
    t->base = MSG_ALIEN;
    return exception_message(t, MSG_ALIEN, 0);
}

struct thread *exception_send(struct thread *t, u64 kind, u64 code, u64 address) {
    t->base = MSG_EXCEPTION;
    t->exception.kind = kind;
    t->exception.code = code;
    t->exception.address = address;
    struct thread *next = exception_message(t, MSG_EXCEPTION, 0);
    trace(TRACE_EXCEPTION, thread_id(t), kind, code, address, t->regs.rip, t->call, t->regs.rsp);
    return next;
}

struct thread *exception_attend(struct thread *t) {
    thread_attend(t, false);
    return exception_send(t, EXC_INTERRUPT, 0, 0);
}

void exception_words(const struct thread *t, u64 w[MSG_REG_WORDS]) {
    w[0] = t->exception.kind;
    w[1] = t->exception.code;
    w[2] = t->exception.address;
    w[3] = t->regs.rip;
    w[4] = t->regs.rsp;
    w[5] = t->regs.rflags;
}

void exception_answered(struct thread *t, const struct thread_regs *from, bool all_regs) {
    if (t->kind == MSG_EXCEPTION || all_regs)
        t->by_iret = true;
    else
        t->regs.rax = (i64)from->r12 < 0 ? from->r12 : from->rdi;
    t->progress = 0;
    t->state = THREAD_READY;
}

struct thread *exception_again(struct thread *t, u8 flags) {
    return exception_message(t, t->base, flags);
}
