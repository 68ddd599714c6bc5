/* SPDX-License-Identifier: MIT */
/* The ELF reader of root: a good image, each way to be wrong, and random damage. */
#include "image.h"
#include <abi/errors.h>
#include <abi/object.h>
#include <criterion/criterion.h>
#include <elf.h>
#include <model/seed.h>
#include <string.h>

#define LO 0x2000000ull
#define HI 0x3000000ull

struct file {
    Elf64_Ehdr header;
    Elf64_Phdr program[3];
    u8 bytes[0x3000];
};

static void good(struct file *f) {
    memset(f, 0, sizeof *f);
    memcpy(f->header.e_ident, "\177ELF\2\1\1", 7);
    f->header.e_type = ET_EXEC;
    f->header.e_machine = EM_X86_64;
    f->header.e_entry = LO + 0x10;
    f->header.e_phoff = offsetof(struct file, program);
    f->header.e_phentsize = sizeof(Elf64_Phdr);
    f->header.e_phnum = 3;
    f->program[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x200, LO, LO, 0x1000, 0x1000, 0x1000};
    f->program[1] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    f->program[2] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x1200, LO + 0x1000, 0, 0x100, 0x5000, 0x1000};
}

static err parse(const struct file *f, struct elf_image *out) {
    return elf_parse(f, offsetof(struct file, bytes), sizeof *f, LO, HI, out);
}

Test(elf, good_image) {
    struct file f;
    struct elf_image image;
    good(&f);
    cr_assert_eq(parse(&f, &image), 0);
    cr_assert_eq(image.entry, LO + 0x10);
    cr_assert_eq(image.segments, 2);
    cr_assert_eq(image.segment[0].rights, (u32)(MAP_READ | MAP_EXEC));
    cr_assert_eq(image.segment[1].rights, (u32)(MAP_READ | MAP_WRITE));
    cr_assert_eq(image.segment[1].file_bytes, 0x100);
    cr_assert_eq(image.segment[1].memory_bytes, 0x5000);
    cr_assert_eq(elf_end(&image), 0x1300);
}

Test(elf, headers_must_be_seen) {
    struct file f;
    struct elf_image image = {.entry = 42};
    good(&f);
    cr_assert_eq(elf_parse(&f, offsetof(struct file, bytes) - 1, sizeof f, LO, HI, &image), -E_NOEXEC);
    cr_assert_eq(elf_parse(&f, sizeof f.header - 1, sizeof f, LO, HI, &image), -E_NOEXEC);
    cr_assert_eq(image.entry, 42);
}

#define REFUSED(change)                                                                                      \
    do {                                                                                                     \
        struct file f;                                                                                       \
        struct elf_image image = {.entry = 42};                                                              \
        good(&f);                                                                                            \
        change;                                                                                              \
        cr_assert_eq(parse(&f, &image), -E_NOEXEC, #change);                                                 \
        cr_assert_eq(image.entry, 42, "output touched: " #change);                                           \
    } while (0)

Test(elf, refuses) {
    REFUSED(f.header.e_ident[0] = 0);
    REFUSED(f.header.e_type = ET_DYN);
    REFUSED(f.header.e_machine = EM_386);
    REFUSED(f.header.e_entry = HI);
    REFUSED(f.header.e_entry = LO - 1);
    REFUSED(f.header.e_phoff = sizeof f - 8);
    REFUSED(f.header.e_phoff = ~0ull);
    REFUSED(f.header.e_phnum = 0);
    REFUSED(f.header.e_phentsize = 55);
    REFUSED(f.program[0].p_flags = PF_W | PF_X);
    REFUSED(f.program[0].p_vaddr = LO - 0x1000);
    REFUSED(f.program[0].p_filesz = 0x2000);       /* above p_memsz */
    REFUSED(f.program[0].p_memsz = 0x1001);        /* shares a page with the next */
    REFUSED(f.program[2].p_memsz = HI);            /* past the end */
    REFUSED(f.program[2].p_offset = sizeof f);     /* not in the file */
    REFUSED(f.program[2].p_offset = ~0ull - 0xff); /* wraps */
    REFUSED(f.program[2].p_vaddr = LO);            /* overlaps */
    struct elf_image image;
    cr_assert_eq(elf_parse("\177ELF", 4, 4, LO, HI, &image), -E_NOEXEC);
}

Test(elf, random_damage_stays_in_bounds) {
    u64 seed = seed_begin(77);
    for (int i = 0; i < 20000; i++) {
        struct file f;
        struct elf_image image;
        good(&f);
        for (u64 n = seed_next(&seed, 4) + 1; n; n--)
            ((u8 *)&f)[seed_next(&seed, offsetof(struct file, bytes))] = (u8)seed_next(&seed, 256);
        if (parse(&f, &image) != 0)
            continue;
        for (u32 s = 0; s < image.segments; s++) {
            const struct elf_segment *g = &image.segment[s];
            cr_assert(g->first >= LO && g->first + g->memory_bytes <= HI);
            cr_assert(g->offset + g->file_bytes <= sizeof f);
        }
    }
}
