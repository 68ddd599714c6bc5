/* SPDX-License-Identifier: MIT */
/* Structure offsets for assembly: the build turns each OFFSET line into a nasm %define (see Makefile). Never
 * linked. */
#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/cap.h"
#include "core/fault.h"
#include "core/thread.h"
#include <abi/info.h>

/* clang-format off */
#define SAVED_REGS(R)                                                                                        \
    R(r15) R(r14) R(r13) R(r12) R(r11) R(r10) R(r9) R(r8) R(rdi) R(rsi) R(rbp) R(rbx) R(rdx) R(rcx) R(rax)   \
    R(rip) R(rflags) R(rsp)
#define SAVED_REG(name)        OFFSET(T_##name, offsetof(struct thread, regs.name));
#define OF(name, type, member) OFFSET(name, offsetof(struct type, member));
#define SAME(name)             OFFSET(name, name);

void offsets(void);
void offsets(void) {
    SAVED_REGS(SAVED_REG)
    OF(T_VECTOR, thread, regs.vector) OF(T_SPACE, thread, space) OF(T_STATE, thread, state)
    OF(T_BASE, thread, base) OF(T_KIND, thread, kind) OF(T_SEND_FLAGS, thread, send_flags) OF(T_LABEL, thread, label)
    OF(T_LEVEL, thread, level) OF(T_FLAGS, thread, flags)
    OF(T_BY_IRET, thread, by_iret) OF(T_TAG, thread, tag) OF(T_ENDPOINT, thread, endpoint)
    OF(T_REPLY_SLOT, thread, reply_slot) OF(T_RECEIVE_SLOT, thread, receive_slot)
    OF(T_ENTERED, thread, entered) OF(T_SERVING, thread, serving) OF(T_CALL, thread, call)
    OF(T_RIGHT, thread, right) OF(T_PROGRESS, thread, progress) OF(T_ERROR, thread, regs.error)
    OF(T_CHECKED, thread, checked) OF(T_WAITS_ON, thread, waits_on) OF(T_ENDPOINT_SLOT, thread, endpoint_slot)
    OF(T_FAULT_PAGE, thread, fault.answer.fault) OF(T_FAULT_ABSENT, thread, fault.answer.absent)
    OF(T_FAULT_EPOCH, thread, fault.answer.epoch)
    OF(T_FAULT_ADDRESS, thread, fault.address) OF(T_FAULT_INFO, thread, fault.info)
    OF(T_FAULT_SHOWN, thread, fault.answer.shown) OF(T_FAULT_REPEATS, thread, fault.repeats)
    OF(CPU_CURRENT, cpu, current) OF(CPU_STACK, cpu, kernel_stack) OF(CPU_USER_RSP, cpu, user_rsp)
    OF(CPU_READY_LEVEL, cpu, ready_level) OF(CPU_SPACE, cpu, space) OF(CPU_FPU, cpu, fpu)
    OF(CPU_CALLS, cpu, calls) OF(CPU_CHECKS, cpu, checks) OF(S_EPOCH, space, epoch)
    OF(S_NEAR, space, near) OF(S_POOL_LEVEL, space, pool_level) OF(NEAR_FIRST, near, first)
    OF(NEAR_BYTES, near, bytes) OF(NEAR_ENTRIES, near, entries)
    OF(C_KIND, capability, kind) OF(C_RIGHTS, capability, rights)
    OF(C_GENERATION, capability, generation) OF(C_OBJECT, capability, object) OF(C_BADGE, capability, badge)
    OF(C_FRAME, capability, frame) OF(TABLE_SLOTS, captable, slots) OF(F_GENERATION, frame, generation)
    OF(E_SERVER, endpoint, server) OF(E_DEADLINE, endpoint, deadline) OF(S_CR3, space, cr3)
    OF(S_TABLE, space, table) OF(S_ACCOUNT, space, account) OF(S_PORTS_AT, space, ports_at)
    OF(S_PAGER, space, pager) OF(S_SYSTEM_CALL, space, system_call) OF(REF_ENDPOINT, endpoint_ref, endpoint)
    OF(REF_FRAME, endpoint_ref, frame) OF(REF_GENERATION, endpoint_ref, generation)
    OF(REF_BADGE, endpoint_ref, badge) OF(TSS_RSP0, tss, rsp0) OF(TSS_PORTS_AT, tss, ports_at)
    OF(INFO_SWITCHES, info_page, switches) SAME(KIND_RESERVED) SAME(KIND_ENDPOINT) SAME(KIND_REPLY)
    SAME(LABEL_FAULT) SAME(LABEL_ALIEN) SAME(MSG_CALL) SAME(MSG_FAULT) SAME(MSG_ALIEN) SAME(RIGHT_CALL)
    SAME(RIGHT_RECV) SAME(IPC_FORWARDED) SAME(WOKE_BITS) SAME(SYS_COUNT) SAME(SYS_reply_wait)
    SAME(SYS_forward_wait) SAME(SYS_fault_reply_wait) SAME(THREAD_READY) SAME(THREAD_CALLING)
    SAME(THREAD_RECEIVING) SAME(THREAD_ALIEN) SAME(PF_WRITE) SAME(PF_FETCH)
    OFFSET(T_REGS_END, sizeof(struct thread_regs)); OFFSET(MSG_REG_WORDS, MSG_REG_WORDS);
    OFFSET(RFLAGS_USER, RFLAGS_USER); OFFSET(PAGE_SHIFT, PAGE_SHIFT); OFFSET(PAGE_BYTES, PAGE_BYTES);
}
/* clang-format on */
