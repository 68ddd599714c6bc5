/* SPDX-License-Identifier: MIT */
/* What changes when another thread runs; inline, because every IPC goes through it. */
#pragma once

#include "arch/cpu.h"
#include "boot/main.h"
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

/* The slow parts: the space has ports, or had; the program is not the one whose FPU state is in the
 * processor. */
void arch_switch_ports(struct space *s);
void arch_switch_fpu(struct thread *t);

static inline bool ports_open(void) {
    return tss.ports_at < sizeof(struct tss);
}

/* Make t the running thread: its page tables, its ports, and (programs) its FPU state and FS base. */
static inline void arch_switch(struct thread *t) {
    struct space *s = t->space;
    cpu.current = t;
    tss.rsp0 = (u64)(&t->regs + 1);
    if (s != cpu.space) {
        cpu.space = s;
        info_page->switches++;
#ifndef HOST_TEST
        write_cr3(s->top ? s->top : cpu.kernel_cr3);
#endif
        if (__builtin_expect(s->ports_count || ports_open(), 0))
            arch_switch_ports(s);
    }
    if (__builtin_expect((t->flags & THREAD_ALIEN) && cpu.fpu != t, 0))
        arch_switch_fpu(t);
}
