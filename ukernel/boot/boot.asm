; SPDX-License-Identifier: MIT
; The way in: Multiboot (version 1, with the address fields, so that QEMU takes an ELF64 file), in 32-bit protected mode
; without paging. Goes to long mode with the first 4 GiB mapped three times: where they are (only until the jump
; to the kernel's half), at PHYS_BASE, and the first GiB at KERNEL_BASE. kmain builds the real tables.

KERNEL_TO_PHYS  equ 0x80000000          ; added to an address of the image: its physical address (mod 2^32)

MB_MAGIC        equ 0x1BADB002
MB_FLAGS        equ 0x00010003          ; modules on pages, memory map, address fields

CPUID_LM        equ 1 << 29
CPUID_NX        equ 1 << 20
CR0_PE_WP_PG    equ 0x80010001
CR4_PAE         equ 1 << 5
MSR_EFER        equ 0xC0000080
EFER_LME_NXE    equ 1 << 8 | 1 << 11
TABLE           equ 3                   ; present, writable
LARGE           equ 0x83                ; a 2 MiB page
PHYS_GIB        equ 4
STACK_BYTES     equ 16384
DEBUG_PORT      equ 0xe9

extern __load_start, __load_end, __bss_end
extern kmain

section .boot.hdr progbits alloc noexec nowrite align=8
header:
    dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)
    dd header, __load_start, __load_end, __bss_end, start

section .boot progbits alloc exec nowrite align=16
bits 32
global start
start:                                  ; eax: the loader's magic, ebx: its information
    cli
    cld
    mov edi, eax
    mov esi, ebx
    mov eax, 0x80000001
    cpuid
    and edx, CPUID_LM | CPUID_NX
    cmp edx, CPUID_LM | CPUID_NX
    jne refuse

    ; boot_pd: 4 GiB in pages of 2 MiB.
    mov eax, LARGE
    mov ecx, boot_pd + KERNEL_TO_PHYS
.large:
    mov [ecx], eax
    mov dword [ecx + 4], 0
    add ecx, 8
    add eax, 0x200000
    jnc .large
    mov ecx, PHYS_GIB
.pdpt:
    mov eax, ecx
    shl eax, 12
    add eax, boot_pd + KERNEL_TO_PHYS - 4096 + TABLE
    mov [boot_pdpt + KERNEL_TO_PHYS + ecx * 8 - 8], eax
    loop .pdpt
    mov dword [boot_pdpt_high + KERNEL_TO_PHYS + 510 * 8], boot_pd + KERNEL_TO_PHYS + TABLE
    mov eax, boot_pdpt + KERNEL_TO_PHYS + TABLE
    mov [boot_top + KERNEL_TO_PHYS], eax
    mov [boot_top + KERNEL_TO_PHYS + 256 * 8], eax
    mov dword [boot_top + KERNEL_TO_PHYS + 511 * 8], boot_pdpt_high + KERNEL_TO_PHYS + TABLE

    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov eax, boot_top + KERNEL_TO_PHYS
    mov cr3, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME_NXE
    wrmsr
    mov eax, cr0
    or eax, CR0_PE_WP_PG
    mov cr0, eax
    lgdt [boot_gdt.pointer]
    jmp 8:long_mode

; A processor that this kernel can't run on: say so and stay.
refuse:
    mov esi, .text
.next:
    lodsb
    test al, al
    jz .stay
    out DEBUG_PORT, al
    jmp .next
.stay:
    hlt
    jmp .stay
.text: db "quire: panic: this processor lacks long mode or NX", 10, 0

bits 64
long_mode:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rax, high
    jmp rax

section .boot.data progbits alloc noexec write align=8
boot_gdt:
    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff
.pointer:
    dw $ - boot_gdt - 1
    dd boot_gdt

section .text
high:
    mov rsp, kernel_stack_top
    xor ebp, ebp
    mov edi, edi                        ; kmain(u32 magic, u64 information)
    mov esi, esi
    call kmain
.stay:
    hlt
    jmp .stay

; Tables and the one kernel stack; the page below the stack is unmapped by the real tables.
section .bss nobits alloc write align=4096
boot_top:       resb 4096
boot_pdpt:      resb 4096
boot_pdpt_high: resb 4096
boot_pd:        resb 4096 * PHYS_GIB
global kernel_stack_guard
kernel_stack_guard: resb 4096
    resb STACK_BYTES
global kernel_stack_top
kernel_stack_top:
