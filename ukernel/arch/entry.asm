; SPDX-License-Identifier: MIT
; Every way into the kernel and out of it. Registers of the interrupted thread are stored straight into struct thread
; (its regs are at offset 0; TSS.rsp0 points to their end). C runs on the one kernel stack, always from its top, and
; returns the thread to run next, or 0: idle.
%include "offsets.inc"
bits 64
default rel

extern cpu
extern kernel_syscall           ; struct thread *(struct thread *)
extern kernel_interrupt         ; struct thread *(struct thread *)
extern kernel_trap              ; struct thread *(struct thread_regs *): from ring 0
extern kernel_fatal             ; noreturn (struct thread_regs *)

; SAVE registers to the thread at rsp; LOAD them from the thread at rax; EACH: one instruction for each.
%macro SAVE 1-*
%rep %0
    mov [rsp + T_%1], %1
%rotate 1
%endrep
%endmacro
%macro LOAD 1-*
%rep %0
    mov %1, [rax + T_%1]
%rotate 1
%endrep
%endmacro
%macro EACH 2-*
%xdefine %%instruction %1
%rep %0 - 1
%rotate 1
    %%instruction %1
%endrep
%endmacro

section .text

; SYSCALL: rcx = return address, r11 = flags; interrupts off by SFMASK.
global syscall_entry
align 16
syscall_entry:
    mov [cpu + CPU_USER_RSP], rsp
    mov rsp, [cpu + CPU_CURRENT]
    SAVE rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    mov [rsp + T_rip], rcx
    mov [rsp + T_rflags], r11
    mov rax, [cpu + CPU_USER_RSP]
    mov [rsp + T_rsp], rax
    mov byte [rsp + T_BY_IRET], 0
    mov rdi, rsp
    mov rsp, [cpu + CPU_STACK]
    call kernel_syscall

; rax: the thread to run, or 0. SYSRET destroys rcx and r11, as SYSCALL did; whoever came by an interrupt, or had its
; registers set, goes by IRET. RIP is canonical: the last page below 2^47 is never mapped, and regs_write checks it.
resume:
    test rax, rax
    jz idle
    cmp byte [rax + T_BY_IRET], 0
    jne .iret
    mov rcx, [rax + T_rip]
    mov r11, [rax + T_rflags]
    LOAD rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r12, r13, r14, r15
    mov rsp, [rax + T_rsp]
    mov rax, [rax + T_rax]
    o64 sysret
.iret:
    mov rsp, rax
    EACH pop, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
    add rsp, 16                 ; vector, error
    iretq

; Nothing to run: wait for an interrupt. It arrives in ring 0 and does not come back here but through `resume`.
idle:
    mov rsp, [cpu + CPU_STACK]
    sti
    hlt
    cli
    jmp idle

; void enter_thread(struct thread *): leave the boot path for good; NULL: idle.
global enter_thread
enter_thread:
    mov rax, rdi
    jmp resume

%define PUSH_REGS EACH push, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15

; On the stack: vector, error, rip, cs, rflags, rsp, ss.
interrupt_common:
    test byte [rsp + 24], 3
    jz .ring0
    PUSH_REGS                   ; rsp = the current thread
    cld
    mov byte [rsp + T_BY_IRET], 1
    mov rdi, rsp
    mov rsp, [cpu + CPU_STACK]
    call kernel_interrupt
    jmp resume
.ring0:
    PUSH_REGS
    cld
    mov rdi, rsp
    call kernel_trap
    jmp resume

; On a stack of their own (IST), wherever they come from: NMI, double fault, machine check.
fatal_common:
    PUSH_REGS
    cld
    mov rdi, rsp
    call kernel_fatal

%macro VECTOR 1
align 16
vector_%1:
%if !((%1 == 8) || (%1 >= 10 && %1 <= 14) || (%1 == 17) || (%1 == 21))
    push 0
%endif
    push %1
%if (%1 == 2) || (%1 == 8) || (%1 == 18)
    jmp fatal_common
%else
    jmp interrupt_common
%endif
%endmacro
%assign i 0
%rep 48
    VECTOR i
%assign i i+1
%endrep

section .rodata
global vector_table
align 8
vector_table:
%assign i 0
%rep 48
    dq vector_%[i]
%assign i i+1
%endrep
