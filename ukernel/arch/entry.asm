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

%define REGS_BYTES 15 * 8

section .text

; SYSCALL: rcx = return address, r11 = flags; interrupts off by SFMASK.
global syscall_entry
align 16
syscall_entry:
    mov [cpu + CPU_USER_RSP], rsp
    mov rsp, [cpu + CPU_CURRENT]
    mov [rsp + T_RAX], rax
    mov [rsp + T_RCX], rcx
    mov [rsp + T_RDX], rdx
    mov [rsp + T_RBX], rbx
    mov [rsp + T_RBP], rbp
    mov [rsp + T_RSI], rsi
    mov [rsp + T_RDI], rdi
    mov [rsp + T_R8], r8
    mov [rsp + T_R9], r9
    mov [rsp + T_R10], r10
    mov [rsp + T_R11], r11
    mov [rsp + T_R12], r12
    mov [rsp + T_R13], r13
    mov [rsp + T_R14], r14
    mov [rsp + T_R15], r15
    mov [rsp + T_RIP], rcx
    mov [rsp + T_RFLAGS], r11
    mov rax, [cpu + CPU_USER_RSP]
    mov [rsp + T_RSP], rax
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
    mov rcx, [rax + T_RIP]
    mov r11, [rax + T_RFLAGS]
    mov rdx, [rax + T_RDX]
    mov rbx, [rax + T_RBX]
    mov rbp, [rax + T_RBP]
    mov rsi, [rax + T_RSI]
    mov rdi, [rax + T_RDI]
    mov r8, [rax + T_R8]
    mov r9, [rax + T_R9]
    mov r10, [rax + T_R10]
    mov r12, [rax + T_R12]
    mov r13, [rax + T_R13]
    mov r14, [rax + T_R14]
    mov r15, [rax + T_R15]
    mov rsp, [rax + T_RSP]
    mov rax, [rax + T_RAX]
    o64 sysret
.iret:
    mov rsp, rax
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
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

%macro PUSH_REGS 0
    push rax
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
%endmacro

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
