/* SPDX-License-Identifier: MIT */
/* What changes when another thread runs. The short paths of entry.asm do the same. */
#pragma once

#include "arch/cpu.h"
#include "core/thread.h"

#define TSS_PORTS_BYTES 8192

struct tss {
    u32 reserved0;
    u64 rsp0, rsp1, rsp2;
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3;
    u16 ports_at; /* offset of `ports`, or beyond the limit: every port is closed */
    u8 ports[TSS_PORTS_BYTES + 1];
} __attribute__((packed));
_Static_assert(offsetof(struct tss, ports) == 104, "the TSS has 104 bytes");

extern struct tss tss;

/* The program is not the one whose FPU state and FS base are in the processor. */
void arch_switch_fpu(struct thread *t);

/* Make t the running thread: its page tables, its ports, and (programs) its FPU state and FS base. */
void arch_switch(struct thread *t);
