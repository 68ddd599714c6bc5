/* SPDX-License-Identifier: MIT */
#include "core/thread.h"
#include "arch/cpu.h"
#include "core/ipc.h"
#include "core/sched.h"

#define USER_CODE 0x23
#define USER_DATA 0x1b

void thread_init(struct thread *t) {
    t->regs.cs = USER_CODE;
    t->regs.ss = USER_DATA;
    t->regs.rflags = RFLAGS_USER;
    t->by_iret = true;
    arch_fpu_init(t);
}

void thread_attend(struct thread *t, bool attention) {
    t->attention = attention;
    t->level = attention ? 0 : t->priority;
}

err thread_start(struct thread *t) {
    if (t->state != THREAD_STOPPED)
        return -E_BUSY;
    if (!t->space)
        return -E_INVAL;
    if (t->flags & THREAD_ALIEN)
        thread_attend(t, true);
    t->state = THREAD_READY;
    sched_ready(t);
    return 0;
}

void thread_stop(struct thread *t) {
    if (t->state == THREAD_READY) {
        if (t != cpu.current)
            sched_remove(t);
        t->state = THREAD_STOPPED;
    } else if (t->state != THREAD_STOPPED) {
        ipc_abandon(t);
    }
}

void thread_unbind(struct thread *t) {
    arch_fpu_save(t);
    if (t->message_frame)
        frame_unpin_one(t->message_frame);
    if (t->space)
        t->space->threads--;
    t->message_frame = 0;
    t->message = NULL;
    t->space = NULL;
}

err thread_bind(struct thread *t, struct space *s, u32 tag, pfn message_frame, u8 account, u8 priority,
                u8 flags) {
    bool waits = t->state == THREAD_CALLING && t->kind != MSG_CALL && t->kind != MSG_FAULT;
    if (t->state != THREAD_STOPPED && !waits)
        return -E_BUSY;
    if (s->dying)
        return -E_INVAL;
    if (message_frame) {
        err e = frame_pin_one(message_frame, account);
        if (e)
            return e;
    }
    thread_unbind(t);
    s->threads++;
    t->space = s;
    t->tag = (u64)tag << 32;
    t->message_frame = (u32)message_frame;
    t->message = message_frame ? frame_to_virt(message_frame) : NULL;
    t->priority = priority;
    t->flags = flags;
    t->checked = 0;
    t->fault.answer.epoch = ~0ull; /* no fault there is the last one again */
    thread_attend(t, t->attention);
    return 0;
}
