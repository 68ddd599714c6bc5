; SPDX-License-Identifier: MIT
; A stand-in for the system, to test images/run by itself: a Multiboot program without interrupts that obeys the
; first letter of the boot module `cmd`; without one it reads a line on COM1, writes it back in brackets and ends.
;   e  copies standard input to standard output and to standard error, then exits with status 7
;   p  panics        c  says that a server crashed     a  says that the audit failed     t  triple faults
;   h  hangs         q  switches off without an exit marker                              s  exits with 139
PORT_LOG equ 0xe9
PORT_OUT equ 0xea
PORT_ERR equ 0xeb
COM1 equ 0x3f8
COM2 equ 0x2f8

org 0x100000
bits 32
header:
    dd 0x1BADB002, 0x00010003, -(0x1BADB002 + 0x00010003)
    dd header, header, end, end + 4096, start

start:
    mov esp, end + 4096
    mov ecx, [ebx + 20]         ; modules: the last one is cmd
    test ecx, ecx
    jz terminal
    shl ecx, 4
    add ecx, [ebx + 24]
    mov esi, [ecx - 16]
    mov al, [esi]
    mov edi, commands
.find:
    cmp byte [edi], al
    je .found
    add edi, 5
    jmp .find
.found:
    jmp [edi + 1]

%macro COMMAND 2
    db %1
    dd %2
%endmacro
commands:
    COMMAND 'e', echo
    COMMAND 'p', panic
    COMMAND 'c', crash
    COMMAND 'a', audit
    COMMAND 't', triple
    COMMAND 'h', hang
    COMMAND 'q', off
    COMMAND 's', signal

; Read one byte of standard input: al. Interrupts are off: wait for the receiver's data-ready bit.
com2_byte:
    mov dx, COM2 + 5
.wait:
    in al, dx
    test al, 1
    jz .wait
    mov dx, COM2
    in al, dx
    ret

; Chunks, after one byte of ours: u16 length and that many bytes; length 0 ends.
echo:
    mov dx, COM2 + 2            ; FIFO on, and emptied: nothing may have been sent before it was asked for
    mov al, 0xc7
    out dx, al
    mov dx, COM2
    mov al, '+'
    out dx, al
.chunk:
    call com2_byte
    movzx ebp, al
    call com2_byte
    movzx eax, al
    shl eax, 8
    or ebp, eax
    jz .done
.byte:
    call com2_byte
    mov dx, PORT_OUT
    out dx, al
    mov dx, PORT_ERR
    out dx, al
    dec ebp
    jnz .byte
    jmp .chunk
.done:
    mov esi, said_7
    jmp say_off

panic:
    mov esi, said_panic
    jmp say_hang
crash:
    mov esi, said_crash
    jmp say_off
audit:
    mov esi, said_audit
    jmp say_off
signal:
    mov esi, said_139
    jmp say_off
triple:
    lidt [zero]
    int3
hang:
    mov esi, said_hang
say_hang:
    call say
    cli
    hlt

terminal:
    mov dx, COM1
    mov al, '['
    out dx, al
.byte:
    mov dx, COM1 + 5
    in al, dx
    test al, 1
    jz .byte
    mov dx, COM1
    in al, dx
    cmp al, 10
    je .end
    out dx, al
    jmp .byte
.end:
    mov al, ']'
    out dx, al
    mov esi, said_0

say_off:
    call say
off:
    mov dx, 0xf4
    mov eax, 0x10
    out dx, eax
    hlt

; Write the string at esi to the log.
say:
    lodsb
    test al, al
    jz .end
    out PORT_LOG, al
    jmp say
.end:
    ret

zero: dd 0, 0
said_7: db "stub: echo done", 10, "quire: audit: ok", 10, "quire: exit 7", 10, 0
said_0: db "quire: exit 0", 10, 0
said_139: db "quire: exit 139", 10, 0
said_panic: db "quire: panic: stub.asm:1: as asked", 10, 0
said_crash: db "quire: crash: ata at 0x6000000", 10, 0
said_audit: db "quire: audit: FAILED invariant 3", 10, "quire: exit 0", 10, 0
said_hang: db "stub: hanging", 10, 0
align 16
end:
