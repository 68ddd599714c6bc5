/* SPDX-License-Identifier: MIT */
#include "binfmt_elf.h"

#include <string.h>

#include <abi/errors.h>
#include <abi/layout.h>

#include "uapi.h"

struct ehdr {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct ehdr) == ELF_HEADER_BYTES && sizeof(struct phdr) == ELF_PHDR_BYTES, "ELF64");
enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62, PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6 };
#define PT_GNU_STACK 0x6474e551u
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

err elf_header(const void *bytes, struct elf_header *h) {
    struct ehdr e;
    memcpy(&e, bytes, sizeof e);
    if (memcmp(e.ident, "\177ELF\2\1\1", 7) || e.machine != EM_X86_64 ||
        (e.type != ET_EXEC && e.type != ET_DYN))
        return -E_NOEXEC;
    if (e.phentsize != ELF_PHDR_BYTES || !e.phnum || e.phnum > ELF_PHDRS_MAX)
        return -E_NOEXEC;
    *h = (struct elf_header){.entry = e.entry, .phoff = e.phoff, .phnum = e.phnum, .dyn = e.type == ET_DYN};
    return 0;
}

static bool load_is_sane(const struct phdr *p, u64 bias, u64 file_bytes) {
    u64 first = p->vaddr + bias, end = first + p->memsz;
    return p->filesz <= p->memsz && p->memsz < USER_END && first >= USER_FIRST && first < end &&
           end <= USER_END - (1ull << 32) && (p->vaddr & PAGE_MASK) == (p->offset & PAGE_MASK) &&
           p->offset <= file_bytes && p->filesz <= file_bytes - p->offset;
}

static u32 prot_of(u32 flags) {
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static void extend(struct elf_plan *plan, const struct elf_load *l) {
    u64 file_end = l->address + l->file_bytes;
    if (l->prot & PROT_EXEC) {
        if (!plan->start_code)
            plan->start_code = l->address;
        plan->end_code = MAX(plan->end_code, file_end);
    }
    plan->start_data = MAX(plan->start_data, l->address);
    plan->end_data = MAX(plan->end_data, file_end);
    plan->brk = MAX(plan->brk, ROUND_UP(l->address + l->memory_bytes, PAGE_BYTES));
}

err elf_plan(const struct elf_header *h, const void *phdrs, u64 file_bytes, struct elf_plan *plan,
             bool *interpreter) {
    struct elf_plan made = {.phnum = h->phnum, .stack_exec = false};
    u64 bias = h->dyn ? ELF_DYN_BASE : 0;
    made.entry = h->entry + bias;
    *interpreter = false;
    u64 table_end = h->phoff + (u64)h->phnum * ELF_PHDR_BYTES;
    for (u32 i = 0; i < h->phnum; i++) {
        struct phdr p;
        memcpy(&p, (const char *)phdrs + (u64)i * sizeof p, sizeof p);
        if (p.type == PT_INTERP)
            *interpreter = true;
        if (p.type == PT_GNU_STACK)
            made.stack_exec = p.flags & PF_X;
        if (p.type == PT_PHDR)
            made.phdr_address = p.vaddr + bias;
        if (p.type != PT_LOAD || !p.memsz)
            continue;
        u64 before =
            made.loads ? made.load[made.loads - 1].address + made.load[made.loads - 1].memory_bytes : 0;
        if (made.loads == ELF_LOADS_MAX || !load_is_sane(&p, bias, file_bytes) ||
            ROUND_DOWN(p.vaddr + bias, PAGE_BYTES) < before)
            return -E_NOEXEC;
        struct elf_load *l = &made.load[made.loads++];
        *l = (struct elf_load){p.vaddr + bias, p.offset, p.filesz, p.memsz, prot_of(p.flags)};
        if (!made.phdr_address && h->phoff >= p.offset && table_end <= p.offset + p.filesz)
            made.phdr_address = l->address + (h->phoff - p.offset);
        extend(&made, l);
    }
    if (!made.loads || *interpreter || made.entry >= USER_END)
        return -E_NOEXEC;
    *plan = made;
    return 0;
}

void elf_pieces(const struct elf_load *l, struct elf_pieces *p) {
    u64 file_last = l->address + l->file_bytes;
    p->map = ROUND_DOWN(l->address, PAGE_BYTES);
    p->index = l->offset / PAGE_BYTES;
    p->file_end = l->file_bytes ? ROUND_UP(file_last, PAGE_BYTES) : p->map;
    p->memory_end = ROUND_UP(l->address + l->memory_bytes, PAGE_BYTES);
    p->memory_end = MAX(p->memory_end, p->file_end);
    p->zero = file_last;
    bool cleared = (l->prot & PROT_WRITE) && l->file_bytes && l->memory_bytes > l->file_bytes;
    p->zero_bytes = cleared ? p->file_end - file_last : 0;
}
