; SPDX-License-Identifier: MIT
; Every way into the kernel and out of it, and the short paths of IPC. Registers of the interrupted thread are stored
; straight into struct thread (its regs are at offset 0; TSS.rsp0 points to their end). C runs on the one kernel stack,
; always from its top, and returns the thread to run next, or 0: idle.
%include "offsets.inc"
bits 64
default rel

extern cpu, tss, info_page
extern kernel_syscall           ; struct thread *(struct thread *)
extern kernel_plain_done        ; struct thread *(struct thread *)
extern kernel_interrupt         ; struct thread *(struct thread *)
extern kernel_trap              ; struct thread *(struct thread_regs *): from ring 0
extern kernel_fatal             ; noreturn (struct thread_regs *)
extern kernel_plain_timed       ; i64 (u64 arguments...)
extern plain_calls              ; handlers by number, 0: none
extern fault_begin              ; bool (struct thread *, vaddr)
extern fault_answer_quickly     ; bool (u64 address, u64 value, struct thread *, const struct space *)
extern fault_answer_any         ; u64 (struct thread *, struct thread *)
extern ipc_fault_entered        ; struct thread *(struct thread *, u32 entered)
extern fault_range              ; err (struct thread *, struct captable *, u32 space slot, u64 range)
extern sched_ready_head         ; void (struct thread *)
extern sched_leave              ; struct thread *(struct thread *)
extern arch_switch_fpu          ; void (struct thread *)

; SAVE registers to the thread at rsp; LOAD them from the thread at the first operand; EACH: one instruction for each.
%macro SAVE 1-*
%rep %0
    mov [rsp + T_%1], %1
%rotate 1
%endrep
%endmacro
%macro LOAD 2-*
%xdefine %%thread %1
%rep %0 - 1
%rotate 1
    mov %1, [%%thread + T_%1]
%endrep
%endmacro
%macro EACH 2-*
%xdefine %%instruction %1
%rep %0 - 1
%rotate 1
    %%instruction %1
%endrep
%endmacro
; IF a, condition, b, label: one comparison and jump.
%macro IF 4
    cmp %1, %3
    j%+2 %4
%endmacro
; The same for bits that are all clear, or not.
%macro IF_CLEAR 3
    test %1, %2
    jz %3
%endmacro
%macro IF_SET 3
    test %1, %2
    jnz %3
%endmacro
%define PUSH_REGS EACH push, rax, rcx, rbx, rbp, r11, r12, r13, r14, r15, r9, r8, r10, rdx, rsi, rdi
%define POP_REGS  EACH pop, rdi, rsi, rdx, r10, r8, r9, r15, r14, r13, r12, r11, rbp, rbx, rcx, rax

section .text

; SYSCALL: rcx = return address, r11 = flags; interrupts off by SFMASK. From here on rsp = the thread.
global syscall_entry
align 16
syscall_entry:
    mov [cpu + CPU_USER_RSP], rsp
    mov rsp, [cpu + CPU_CURRENT]
    mov [rsp + T_rip], rcx
    mov [rsp + T_rflags], r11
    mov rcx, [cpu + CPU_USER_RSP]
    mov [rsp + T_rsp], rcx
%ifndef SLOW_PATHS
    IF_SET byte [rsp + T_FLAGS], THREAD_ALIEN, short_alien_call
    IF_CLEAR al, al, short_call
    IF al, b, SYS_fault_reply_wait, short_reply_wait
    je short_fault_reply_wait

; A plain call: C keeps rbx, rbp and r12 to r15 for us; the others but rax and rdx the caller finds as they were. Only if
; somebody else has to run, or the caller is stopped, everything is saved.
    movzx r11d, al
    IF r11d, ae, SYS_COUNT, syscall_long
    mov r11, [abs plain_calls + r11 * 8]
    IF_CLEAR r11, r11, short_forward_wait
    SAVE rdi, rsi, r8, r9, r10
%ifdef DEBUG
    SAVE rax
%endif
    mov qword [rsp + T_rdx], 0
    mov rcx, r10
    mov rsp, [cpu + CPU_STACK]
%ifdef DEBUG
    call kernel_plain_timed
%else
    call r11
%endif
.done:
    mov r11, [cpu + CPU_CURRENT]
    IF_CLEAR r11, r11, .gone
    mov cl, [r11 + T_LEVEL]
    IF cl, be, [cpu + CPU_READY_LEVEL], .leave
    IF byte [r11 + T_STATE], ne, THREAD_READY, .leave
    LOAD r11, rdi, rsi, rdx, r8, r9, r10, rsp
    mov rcx, [r11 + T_rip]
    mov r11, [r11 + T_rflags]
    o64 sysret
.leave:
    mov rsp, r11
    SAVE rax, rbx, rbp, r12, r13, r14, r15
    mov rsp, [cpu + CPU_STACK]
.gone:
    mov rdi, r11
    call kernel_plain_done
    jmp resume
%endif

; Every call the long way. What a short path needed it has saved, and it gives back what it has changed.
syscall_long:
    mov rcx, [rsp + T_rip]
    mov r11, [rsp + T_rflags]
    SAVE rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
syscall_saved:
    mov rdi, rsp
    mov rsp, [cpu + CPU_STACK]
    call kernel_syscall

; rax: the thread to run, or 0. SYSRET destroys rcx and r11, as SYSCALL did; whoever came by an interrupt, or had its
; registers set, goes by IRET. RIP is canonical: the last page below 2^47 is never mapped, and regs_write checks it.
resume:
    IF_CLEAR rax, rax, idle
resume_thread:
    IF byte [rax + T_BY_IRET], ne, 0, resume_iret
    mov rcx, [rax + T_rip]
    mov r11, [rax + T_rflags]
    LOAD rax, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r12, r13, r14, r15, rsp, rax
    o64 sysret
resume_iret:
    mov byte [rax + T_BY_IRET], 0
    mov rsp, rax
    POP_REGS
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

%ifndef SLOW_PATHS
; The short paths.
; A message to a server that waits, and an answer after which the server waits again. Label (r12) and words (rdi, rsi, rdx,
; r10, r8, r9) stay where they are. Queues, capabilities in messages, message pages, trace events, deadlines, another
; thread's turn: everything unusual goes the long way, before anything has changed. docs/kernel-abi.md and core/ipc.c
; say what all this means.

; Is there a live capability of an endpoint with right %2 at %1? r14 is destroyed.
%macro CHECK_ENDPOINT 3         ; address, right, else
    IF byte [%1 + C_KIND], ne, KIND_ENDPOINT, %3
    IF_CLEAR byte [%1 + C_RIGHTS], %2, %3
    mov r14, [%1 + C_FRAME]
    mov r14d, [r14 + F_GENERATION]
    IF r14d, ne, [%1 + C_GENERATION], %3
%endmacro

; May the thread run at once: nobody comes before it, nothing must happen first, no event is written?
%macro CHECK_TURN 2             ; thread, else
    mov cl, [%1 + T_LEVEL]
    IF cl, be, [cpu + CPU_READY_LEVEL], %2
%endmacro

; Where a message to endpoint rbx goes at once: r15 = the receiver, r14 = its space, r13 = its slot for the right.
%macro FIND_RECEIVER 1          ; else
    mov r15, [rbx + E_SERVER]
    IF r15, be, 1, %1           ; SERVER_LATE
    CHECK_TURN r15, %1
    mov r14, [r15 + T_SPACE]
    mov rcx, [r14 + S_TABLE]
    mov r13d, [r15 + T_REPLY_SLOT]
    IF r13, ae, [rcx + TABLE_SLOTS], %1
    shl r13, 5
    add r13, rcx
    IF byte [r13 + C_KIND], ne, KIND_RESERVED, %1
%endmacro

; The thread at %1, of the space at r14, is the running one from now on.
%macro SWITCH 1
%%switch:
    mov [cpu + CPU_CURRENT], %1
    lea rcx, [%1 + T_REGS_END]
    mov [tss + TSS_RSP0], rcx
    IF r14, e, [cpu + CPU_SPACE], %%exit
    mov [cpu + CPU_SPACE], r14
    mov rcx, [info_page]
    inc qword [rcx + INFO_SWITCHES]
    mov cx, [r14 + S_PORTS_AT]
    mov [tss + TSS_PORTS_AT], cx
    mov rcx, [r14 + S_CR3]
    mov cr3, rcx
%%exit:
%endmacro

; The message of the thread at rsp goes to the receiver, which runs. rcx: its number, rbp: the badge, rax: words, kind, flags.
%macro DELIVER 0
    mov [rsp + T_RIGHT], r13
    mov dword [r13 + C_KIND], KIND_REPLY
    mov [r13 + C_OBJECT], rsp
    mov qword [rbx + E_SERVER], 0
    mov byte [r15 + T_STATE], THREAD_READY
    mov [r15 + T_SERVING], rcx
    mov r13, rcx
    mov rbx, [rsp + T_TAG]
    or rbx, rbp
    SWITCH r15
    mov r14, [r15 + T_ENTERED]
    or r14, rax
    xor eax, eax                ; WOKE_MESSAGE
    mov rcx, [r15 + T_rip]
    mov r11, [r15 + T_rsp]
    mov r15, [rsp + T_PROGRESS]
    mov rsp, r11
    mov r11d, RFLAGS_USER       ; a wait destroys the flags
    o64 sysret
%endmacro

; The thread at rsp waits for the answer to a message of kind %1 with rax words, and the receiver runs. rbp: the badge.
%macro HAND_OVER 1
%%transfer:
    inc qword [cpu + CPU_CALLS]
    mov rcx, [cpu + CPU_CALLS]
    mov [rsp + T_CALL], rcx
    mov dword [rsp + T_STATE], THREAD_CALLING | %1 << 8 | %1 << 16 ; and base, kind, send_flags
    DELIVER
%endmacro

short_call:
    SAVE rbx, rbp, r13, r15
    IF rax, ae, (MSG_REG_WORDS + 1) << 8, .long
    IF_SET r13d, r13d, .long
    mov rbp, [rsp + T_SPACE]
    mov rbp, [rbp + S_TABLE]
    IF rbx, ae, [rbp + TABLE_SLOTS], .long
    shl rbx, 5
    add rbp, rbx
    CHECK_ENDPOINT rbp, RIGHT_CALL, .long
    mov rbx, [rbp + C_OBJECT]
    mov rbp, [rbp + C_BADGE]
    FIND_RECEIVER .long
    shr eax, 8
    HAND_OVER MSG_CALL
.long:
    LOAD rsp, rbx, rbp, r13, r15
    xor r14d, r14d
    jmp syscall_long

; All registers are saved: the personality may look at them, and they come back with the answer.
short_alien_call:
    mov rcx, [rsp + T_rip]
    SAVE rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    mov r14, [rsp + T_SPACE]
    mov rcx, [r14 + S_SYSTEM_CALL + REF_FRAME]
    mov ecx, [rcx + F_GENERATION]
    IF ecx, ne, [r14 + S_SYSTEM_CALL + REF_GENERATION], syscall_saved
    mov rbx, [r14 + S_SYSTEM_CALL + REF_ENDPOINT]
    mov ebp, [r14 + S_SYSTEM_CALL + REF_BADGE]
    FIND_RECEIVER syscall_saved
    mov r12, rax
    shl r12, 16
    or r12, LABEL_ALIEN
    mov eax, MSG_REG_WORDS | MSG_ALIEN << 8
    HAND_OVER MSG_ALIEN

; A page fault: vector and error code are on the stack, which is the thread (else: see interrupt_common). At once if it is
; in the block of a near table, on another page than the last one, and the entry is absent.
page_fault:
    IF_CLEAR byte [rsp + 24], 3, interrupt_common
    PUSH_REGS
    mov byte [rsp + T_BY_IRET], 1
.check:
    mov rsi, [rsp + T_SPACE]
    mov rbx, [rsi + S_PAGER + REF_FRAME]
    mov ebx, [rbx + F_GENERATION]
    IF ebx, ne, [rsi + S_PAGER + REF_GENERATION], interrupt_saved
    mov rbx, [rsi + S_PAGER + REF_ENDPOINT]
    mov ebp, [rsi + S_PAGER + REF_BADGE]
    mov rdi, cr2
    mov rax, rdi
    and rax, -PAGE_BYTES
    mov rcx, rax
    sub rcx, [rsi + S_NEAR + NEAR_FIRST]
    IF rcx, ae, [rsi + S_NEAR + NEAR_BYTES], .slowly
    IF rax, e, [rsp + T_FAULT_PAGE], .slowly
    shr ecx, PAGE_SHIFT - 3
    add rcx, [rsi + S_NEAR + NEAR_ENTRIES]
    mov rdx, [rcx]
    IF_SET rdx, rdx, .slowly
    mov [rsp + T_FAULT_PAGE], rax
    mov [rsp + T_FAULT_ADDRESS], rdi
    mov [rsp + T_FAULT_SHOWN], rdx
    mov byte [rsp + T_FAULT_ABSENT], 1
    mov rcx, [rsi + S_EPOCH]
    mov [rsp + T_FAULT_EPOCH], rcx
    xor r9d, r9d
    mov [rsp + T_FAULT_REPEATS], r9
    mov eax, [rsp + T_ERROR]
    and eax, PF_WRITE | PF_FETCH ; bits 1 and 4 go to 3 and 4, and there is the access
    lea eax, [rax + rax * 4]
    shr eax, 3
    and eax, 3
    mov ah, [rsi + S_POOL_LEVEL]
    mov esi, eax
.shown:
    FIND_RECEIVER interrupt_saved
    mov r12d, LABEL_FAULT
    mov r10, [rsp + T_rip]
    mov r8, [rsp + T_rsp]
    mov eax, MSG_REG_WORDS | MSG_FAULT << 8
    HAND_OVER MSG_FAULT
.slowly:
    cld
    mov r15, rsp
    mov rsi, rdi
    mov rdi, rsp
    mov rsp, [cpu + CPU_STACK]
    call fault_begin
    mov rsp, r15
    IF_CLEAR al, al, interrupt_saved
    mov rdi, [rsp + T_FAULT_ADDRESS]
    mov rsi, [rsp + T_FAULT_INFO]
    mov rdx, [rsp + T_FAULT_SHOWN]
    mov r9, [rsp + T_FAULT_REPEATS]
    jmp .shown

; ---- answers

; The call of a server that answers, and then waits where it waited before: no capability, the endpoint has neither bits nor
; senders nor another receiver, and the same deadline. rbx = the right's slot, r11 = who waits for the answer, r14 = endpoint,
; rbp = the table.
%macro CHECK_WAIT 2             ; else, else if only the right is missing
    SAVE rbx
    mov [rsp + T_RECEIVE_SLOT], r14d
    mov rbp, [rsp + T_SPACE]
    mov rbp, [rbp + S_TABLE]
    mov rcx, [cpu + CPU_CHECKS]
    IF rcx, ne, [rsp + T_CHECKED], %1
    IF r13d, ne, [rsp + T_ENDPOINT_SLOT], %1
    mov r14, [rsp + T_WAITS_ON]
    IF qword [r14 + E_SERVER], ne, 0, %1
    IF r15, ne, [r14 + E_DEADLINE], %1
    IF rbx, ae, [rbp + TABLE_SLOTS], %1
    mov rcx, r13
    shr rcx, 32
    mov [rsp + T_REPLY_SLOT], ecx
    IF rcx, e, rbx, %%next_good ; the slot that the answer frees
    IF rcx, ae, [rbp + TABLE_SLOTS], %1
    shl ecx, 5
    IF byte [rbp + rcx + C_KIND], ne, KIND_RESERVED, %1
%%next_good:
    shl ebx, 5
    add rbx, rbp
    IF byte [rbx + C_KIND], ne, KIND_REPLY, %2
    mov r11, [rbx + C_OBJECT]
    IF_CLEAR r11, r11, %1
    CHECK_TURN r11, %1
%endmacro

; The thread at rsp waits.
%macro WAIT 2                   ; endpoint, items entered << 32
    mov qword [rsp + T_ENTERED], %2
    mov byte [rsp + T_STATE], THREAD_RECEIVING
    mov [rsp + T_ENDPOINT], %1
    mov [%1 + E_SERVER], rsp
%endmacro

; The right is used up, the thread at rsp waits, and the other one runs.
%macro TURN 2                   ; items entered << 32, who waits for the answer
%%transfer:
    mov dword [rbx + C_KIND], KIND_RESERVED
    mov byte [%2 + T_STATE], THREAD_READY
    WAIT r14, %1
    mov r14, [%2 + T_SPACE]
    SWITCH %2
%endmacro

; What the answer to a program's call becomes in the thread at r11.
%macro ALIEN_RESULT 0
    mov rax, r12
    test r12, r12
    cmovns rax, rdi
    mov [r11 + T_rax], rax
    mov qword [r11 + T_PROGRESS], 0
%endmacro

short_reply_wait:
    IF rax, ae, (MSG_REG_WORDS + 1) << 8, syscall_long ; flags too
    CHECK_WAIT short_wait_long, short_wait_only
    IF byte [r11 + T_KIND], ne, MSG_CALL, .alien
    TURN 0, r11
    shr eax, 8
    mov r14, rax                ; number of words
    xor eax, eax
    LOAD r11, rbx, rbp, r13, r15, rsp
    mov rcx, [r11 + T_rip]
    mov r11, [r11 + T_rflags]
    o64 sysret
.alien:
    IF byte [r11 + T_KIND], ne, MSG_ALIEN, short_wait_long
    ALIEN_RESULT
    TURN 0, r11
    mov rax, r11
    IF rax, e, [cpu + CPU_FPU], resume_thread; by IRET, if regs_write was used
resume_with_fpu:
    mov rbx, rax
    mov rdi, rax
    mov rsp, [cpu + CPU_STACK]
    call arch_switch_fpu
    mov rax, rbx
    jmp resume
short_wait_long:
    IF_CLEAR r13d, r13d, short_answer
.long:
    LOAD rsp, rbx
    mov r14d, [rsp + T_RECEIVE_SLOT]
    xor ebp, ebp
    jmp syscall_long

; Nobody is answered: the next thread comes from the queues. The endpoint is as for an answer and a wait.
short_wait_only:
    IF qword [rsp + T_rbx], ne, 0, short_wait_long
    IF dword [rsp + T_REPLY_SLOT], e, 0, short_wait_long ; takes bits only
    IF al, ne, SYS_reply_wait, short_wait_long
    WAIT r14, 0
    xor edi, edi
    mov rsp, [cpu + CPU_STACK]
    call sched_leave
    jmp resume

; An answer without a wait, to a program's call. rbp is the table.
short_answer:
    IF al, ne, SYS_reply_wait, short_wait_long.long
    IF rax, ae, (MSG_REG_WORDS + 1) << 8, short_wait_long.long
    CHECK_TURN rsp, short_wait_long.long
    IF rbx, ae, [rbp + TABLE_SLOTS], short_wait_long.long
    shl ebx, 5
    add rbx, rbp
    IF byte [rbx + C_KIND], ne, KIND_REPLY, short_wait_long.long
    mov r11, [rbx + C_OBJECT]
    IF_CLEAR r11, r11, short_wait_long.long
    IF byte [r11 + T_KIND], ne, MSG_ALIEN, short_wait_long.long
    ALIEN_RESULT
    mov dword [rbx + C_KIND], KIND_RESERVED
    mov byte [r11 + T_STATE], THREAD_READY
    mov rdi, r11
    mov rsp, [cpu + CPU_STACK]
    call sched_ready_head
    mov eax, WOKE_BITS
    xor ebx, ebx
    xor ebp, ebp
    xor r14d, r14d
    xor r15d, r15d
    jmp syscall_entry.done

; A forward to a server that waits.
short_forward_wait:
    IF al, ne, SYS_forward_wait, syscall_long
    mov [rsp + T_rbp], rbx      ; all as it came, for the long way
    SAVE rax, r13, r14, r15
    mov eax, eax                ; without a fault's range
    mov ebx, ebx
    IF rax, ae, (MSG_REG_WORDS + 1) << 8, .long
    CHECK_WAIT .long, .long
    mov [rsp + T_ENDPOINT], r14
    mov ecx, [rsp + T_rbp + 4]  ; the target
    IF rcx, ae, [rbp + TABLE_SLOTS], .long
    shl ecx, 5
    add rcx, rbp
    mov rbp, rbx
    CHECK_ENDPOINT rcx, RIGHT_CALL, .long
    mov rbx, [rcx + C_OBJECT]
    mov rcx, [rcx + C_BADGE]
    mov [rsp + T_rcx], rcx
    FIND_RECEIVER .long
    IF byte [r11 + T_KIND], ne, MSG_FAULT, .go
    IF_CLEAR dword [rsp + T_rax + 4], 0x3ff << 10, .go ; no range
    SAVE rdi, rsi, rdx, r10, r8, r9
    mov rdi, r11
    mov rsi, [rsp + T_SPACE]
    mov rsi, [rsi + S_TABLE]
    mov edx, [rsp + T_r14 + 4]
    mov rcx, [rsp + T_rax]
    mov rsp, [cpu + CPU_STACK]
    call fault_range
    mov rsp, [cpu + CPU_CURRENT]
    LOAD rsp, rdi, rsi, rdx, r10, r8, r9
    mov r11, [rbp + C_OBJECT]
    IF_SET rax, rax, .long
.go:
    mov dword [rbp + C_KIND], KIND_RESERVED
    mov rcx, [rsp + T_ENDPOINT]
    WAIT rcx, 0
    mov cl, [rsp + T_rax + 1]   ; number of words
    mov ebp, [rsp + T_rcx]
    mov rsp, r11
    mov [rsp + T_LABEL], r12
    or byte [rsp + T_SEND_FLAGS], IPC_FORWARDED
    mov eax, [rsp + T_STATE]    ; and base, kind, send_flags
    shr eax, 8
    mov al, cl
    mov rcx, [rsp + T_CALL]
    DELIVER
.long:
    LOAD rsp, rax, r13, r14, r15
    mov rbx, [rsp + T_rbp]
    xor ebp, ebp
    jmp syscall_long

short_fault_reply_wait:
    IF rax, ne, SYS_fault_reply_wait | 2 << 8, syscall_long ; one item, in rdi and rsi
    CHECK_WAIT short_wait_long, short_wait_long
    IF word [r11 + T_BASE], ne, MSG_FAULT | MSG_FAULT << 8, short_wait_long; and kind
    SAVE rdi, rsi
    mov r13, r11
    mov r15, rsp
    IF byte [r11 + T_FAULT_ABSENT], e, 0, .slowly
    mov rdx, r11
    mov rcx, [rsp + T_SPACE]
    mov rsp, [cpu + CPU_STACK]
    call fault_answer_quickly
    mov rsp, r15
    IF_CLEAR al, al, .slowly
    inc qword [r13 + T_FAULT_REPEATS]
    mov rax, 1 << 32
.entered:
    TURN rax, r13
    mov rax, r13
    IF rax, e, [cpu + CPU_FPU], resume_iret
    IF_CLEAR byte [rax + T_FLAGS], THREAD_ALIEN, resume_iret
    jmp resume_with_fpu
.slowly:
    mov rdi, r15
    mov rsi, r13
    mov rsp, [cpu + CPU_STACK]
    call fault_answer_any
    mov rsp, r15
    IF qword [r14 + E_SERVER], ne, 0, .collected
    CHECK_TURN r13, .collected
    add [r13 + T_FAULT_REPEATS], rax
    shl rax, 32
    jmp .entered
; A frame that lost its last mapping was put onto a collect list, and somebody was told: bits, or another thread's turn.
.collected:
    mov qword [rsp + T_rax], SYS_fault_reply_wait | 2 << 8
    mov r13, [rsp + T_ENDPOINT_SLOT] ; and T_REPLY_SLOT
    mov ecx, [rsp + T_RECEIVE_SLOT]
    SAVE r13
    mov [rsp + T_r14], rcx
    mov rcx, [r14 + E_DEADLINE]
    mov [rsp + T_r15], rcx
    mov rdi, rsp
    mov esi, eax
    mov rsp, [cpu + CPU_STACK]
    call ipc_fault_entered
    jmp resume
%else
%define page_fault interrupt_common
%endif

; Interrupts and exceptions.

; On the stack: vector, error, rip, cs, rflags, rsp, ss.
interrupt_common:
    IF_CLEAR byte [rsp + 24], 3, interrupt_ring0
    PUSH_REGS                   ; rsp = the current thread
    mov byte [rsp + T_BY_IRET], 1
interrupt_saved:
    cld
    mov rdi, rsp
    mov rsp, [cpu + CPU_STACK]
    call kernel_interrupt
    jmp resume
interrupt_ring0:
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
%elif %1 == 14
    jmp page_fault
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
