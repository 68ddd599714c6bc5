; SPDX-License-Identifier: MIT
; Where root starts a server: rdi = enum server_id, rsi = priority, rdx = slots in its capability table; rsp = top of stack 0.
; And where thread_spawn starts a thread: rdi = entry, rsi = its argument.
bits 64
default rel
extern main
extern server_start
section .text
global _start
_start:
        xor     ebp, ebp
        call    server_start
        call    main
        ud2                     ; a server never ends by itself
global thread_start
thread_start:
        xor     ebp, ebp
        mov     rax, rdi
        mov     rdi, rsi
        call    rax
        ud2
