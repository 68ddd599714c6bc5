/* SPDX-License-Identifier: MIT */
#include "image.h"
#include <abi/errors.h>
#include <abi/object.h>
#include <string.h>

/* System V ABI, ELF-64 object file format 1.5. */
struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_program_header {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};
enum { TYPE_EXEC = 2, MACHINE_X86_64 = 62, PT_LOAD = 1, PF_X = 1, PF_W = 2, PF_R = 4 };

static bool header_ok(const struct elf_header *h, u64 seen) {
    static const u8 magic[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    return memcmp(h->ident, magic, sizeof magic) == 0 && h->type == TYPE_EXEC &&
           h->machine == MACHINE_X86_64 && h->phentsize == sizeof(struct elf_program_header) &&
           h->phoff <= seen && h->phnum <= (seen - h->phoff) / sizeof(struct elf_program_header);
}

static bool segment_ok(const struct elf_program_header *p, u64 bytes, vaddr lo, vaddr hi) {
    bool in_file = p->offset <= bytes && p->filesz <= bytes - p->offset && p->filesz <= p->memsz;
    bool in_place = p->vaddr >= lo && p->vaddr < hi && p->memsz <= hi - p->vaddr;
    return in_file && in_place && (p->flags & (PF_W | PF_X)) != (PF_W | PF_X);
}

static u32 rights_of(u32 flags) {
    return (flags & PF_R ? MAP_READ : 0) | (flags & PF_W ? MAP_WRITE : 0) | (flags & PF_X ? MAP_EXEC : 0);
}

err elf_parse(const void *file, u64 seen, u64 bytes, vaddr lo, vaddr hi, struct elf_image *out) {
    struct elf_header h;
    struct elf_image image = {0};
    if (seen < sizeof h)
        return -E_NOEXEC;
    memcpy(&h, file, sizeof h);
    if (!header_ok(&h, seen))
        return -E_NOEXEC;
    vaddr free_from = lo;
    for (u32 i = 0; i < h.phnum; i++) {
        struct elf_program_header p;
        memcpy(&p, (const u8 *)file + h.phoff + i * sizeof p, sizeof p);
        if (p.type != PT_LOAD || !p.memsz)
            continue;
        if (image.segments == ELF_SEGMENTS_MAX || !segment_ok(&p, bytes, free_from, hi))
            return -E_NOEXEC;
        image.segment[image.segments++] =
            (struct elf_segment){p.offset, p.filesz, p.vaddr, p.memsz, rights_of(p.flags)};
        free_from = ROUND_UP(p.vaddr + p.memsz, PAGE_BYTES);
    }
    if (!image.segments || h.entry < lo || h.entry >= hi)
        return -E_NOEXEC;
    image.entry = h.entry;
    *out = image;
    return 0;
}

u64 elf_end(const struct elf_image *image) {
    u64 end = 0;
    for (u32 i = 0; i < image->segments; i++)
        end = MAX(end, image->segment[i].offset + image->segment[i].file_bytes);
    return end;
}
