/* SPDX-License-Identifier: MIT */
/* Descriptor tables, control registers and MSRs; what changes when another thread runs. */
#include <string.h>

#include "arch/cpu.h"
#include "arch/switch.h"
#include "boot/main.h"

enum selector { SEL_KCODE = 0x08, SEL_UDATA = 0x1b, SEL_UCODE = 0x23, SEL_TSS = 0x28 };

enum { MSR_EFER = 0xc0000080, MSR_STAR, MSR_LSTAR, MSR_SFMASK = 0xc0000084, MSR_FS_BASE = 0xc0000100 };
#define EFER_SCE 1ull
/* All flags that a user may have set and the kernel must not: TF, IF, DF, NT, AC, IOPL and the arithmetic
 * ones. */
#define SYSCALL_CLEARS 0x257fd5ull

#define IST_BYTES 4096
#define IST_COUNT 3
struct gate {
    u16 offset_lo, selector;
    u8 ist, type;
    u16 offset_mid;
    u32 offset_hi, reserved;
};

struct cpu cpu = {.checks = 1};
struct tss tss;
static struct gate idt[256];
static u8 ist_stacks[IST_COUNT][IST_BYTES] __attribute__((aligned(16)));
/* SYSRET takes SS = STAR[63:48] + 8 and CS = STAR[63:48] + 16. There is no 32-bit user code segment. */
static u64 gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff, 0, 0};

extern void (*const vector_table[48])(void);
void syscall_entry(void);

/* What LGDT and LIDT take. */
struct table_at {
    u16 limit;
    u64 base;
} __attribute__((packed));

/* The kernel's own segments are those that boot.asm has loaded already. */
static void load_gdt(void) {
    u64 base = (u64)&tss, limit = sizeof tss - 1;
    gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
    struct table_at at = {sizeof gdt - 1, (u64)gdt};
    __asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(at), "r"(SEL_TSS) : "memory");
}

static void load_tss(void) {
    for (u32 i = 0; i < IST_COUNT; i++)
        tss.ist[i] = (u64)ist_stacks[i + 1];
    memset(tss.ports, 0xff, sizeof tss.ports);
    tss.ports_at = PORTS_CLOSED;
}

static void load_idt(void) {
    for (u32 v = 0; v < 48; v++) {
        u64 at = (u64)vector_table[v];
        u8 ist = v == 2 ? 1 : v == 8 ? 2 : v == 18 ? 3 : 0;
        u8 dpl = v == 3 || v == 4 ? 3 : 0;
        idt[v] = (struct gate){(u16)at,         SEL_KCODE,       ist, (u8)(0x8e | dpl << 5),
                               (u16)(at >> 16), (u32)(at >> 32), 0};
    }
    struct table_at at = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(at));
}

/* A CR4 bit that the processor lacks would stop it dead under QEMU. */
static void set_control(void) {
    u32 basic[4], extended[4] = {0};
    cpuid(0, 0, basic);
    if (basic[0] >= 7)
        cpuid(7, 0, extended);
    u64 cr0, cr4;
    __asm__ volatile("mov %%cr0, %0\n\tmov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    cr0 = (cr0 & ~0xcull) | 0x10022;      /* not EM and TS, but MP, NE, WP */
    cr4 = (cr4 & ~0x50000ull) | 0x600;    /* not FSGSBASE and OSXSAVE, but OSFXSR, OSXMMEXCPT */
    cr4 |= (extended[1] >> 7 & 1) << 20;  /* SMEP */
    cr4 |= (extended[1] >> 20 & 1) << 21; /* SMAP */
    cr4 |= (extended[2] >> 2 & 1) << 11;  /* UMIP */
    __asm__ volatile("mov %0, %%cr0\n\tmov %1, %%cr4" : : "r"(cr0), "r"(cr4));
}

static void set_syscall(void) {
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)SEL_KCODE << 32 | (u64)(SEL_UDATA - 8) << 48);
    wrmsr(MSR_LSTAR, (u64)syscall_entry);
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
}

void arch_init(void *kernel_stack_top) {
    cpu.kernel_stack = kernel_stack_top;
    cpu.kernel_cr3 = read_cr3();
    load_tss();
    load_gdt();
    load_idt();
    set_control();
    set_syscall();
    pic_init();
}

void arch_leave_space(void) {
    cpu.space = NULL;
    write_cr3(cpu.kernel_cr3);
}

/* Open or close the ports of a space in the bitmap, and let it count there or not. */
static void set_ports(struct space *s, bool open) {
    for (u32 i = 0; i < s->ports_count; i++)
        for (u32 p = s->ports[i].first; p <= s->ports[i].last; p++)
            tss.ports[p / 8] = (u8)((tss.ports[p / 8] & ~(1 << p % 8)) | !open << p % 8);
    s->ports_at = open ? offsetof(struct tss, ports) : PORTS_CLOSED;
    if (s == cpu.space)
        tss.ports_at = s->ports_at;
    cpu.ports = open ? s : NULL;
}

bool arch_ports_open(void) {
    struct space *s = cpu.space;
    if (s == cpu.ports || !s->ports_count)
        return false;
    if (cpu.ports)
        set_ports(cpu.ports, false);
    set_ports(s, true);
    return true;
}

void arch_ports_close(struct space *s) {
    if (s == cpu.ports)
        set_ports(s, false);
}

void arch_fpu_init(struct thread *t) {
    *(u16 *)t->fpu = 0x037f;        /* FCW */
    *(u32 *)(t->fpu + 24) = 0x1f80; /* MXCSR */
}

/* MXCSR at byte 24; bits that the processor lacks would fault. Bits 16.. are reserved everywhere, 6
 * (denormals are zero) where SSE2 is, it exists. */
void arch_fpu_clean(struct thread *t) {
    t->fpu[26] = t->fpu[27] = 0;
}

void arch_fpu_save(struct thread *t) {
    if (cpu.fpu != t)
        return;
    __asm__ volatile("fxsave64 %0" : "=m"(t->fpu));
    cpu.fpu = NULL;
}

void arch_switch(struct thread *t) {
    struct space *s = t->space;
    cpu.current = t;
    tss.rsp0 = (u64)(&t->regs + 1);
    if (s != cpu.space) {
        cpu.space = s;
        info_page->switches++;
        tss.ports_at = s->ports_at;
        write_cr3(s->cr3);
    }
    if ((t->flags & THREAD_ALIEN) && cpu.fpu != t)
        arch_switch_fpu(t);
}

void arch_switch_fpu(struct thread *t) {
    if (cpu.fpu)
        __asm__ volatile("fxsave64 %0" : "=m"(cpu.fpu->fpu));
    __asm__ volatile("fxrstor64 %0" : : "m"(t->fpu));
    wrmsr(MSR_FS_BASE, t->fs_base);
    cpu.fpu = t;
}
