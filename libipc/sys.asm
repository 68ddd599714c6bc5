; SPDX-License-Identifier: MIT
; void ipc_raw(struct ipc_io *io): one IPC system call. Every register travels through io; see <abi/syscall.h> for
; what each means. The kernel may destroy all but rsp, so what C expects to survive is kept on the stack.
bits 64
default rel
section .text
global ipc_raw
ipc_raw:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        push    rdi
        mov     rax, [rdi + 56]
        mov     rbx, [rdi + 64]
        mov     r12, [rdi + 48]
        mov     r13, [rdi + 72]
        mov     r14, [rdi + 80]
        mov     r15, [rdi + 88]
        mov     rsi, [rdi + 8]
        mov     rdx, [rdi + 16]
        mov     r10, [rdi + 24]
        mov     r8,  [rdi + 32]
        mov     r9,  [rdi + 40]
        mov     rdi, [rdi + 0]
        syscall
        pop     rcx
        mov     [rcx + 0], rdi
        mov     [rcx + 8], rsi
        mov     [rcx + 16], rdx
        mov     [rcx + 24], r10
        mov     [rcx + 32], r8
        mov     [rcx + 40], r9
        mov     [rcx + 48], r12
        mov     [rcx + 56], rax
        mov     [rcx + 64], rbx
        mov     [rcx + 72], r13
        mov     [rcx + 80], r14
        mov     [rcx + 88], r15
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
