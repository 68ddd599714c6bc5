/* SPDX-License-Identifier: MIT */
/* What exec makes: the plan of an ELF file, #! lines, arguments, and the stack as a C library reads it. */
#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>

#include <abi/errors.h>
#include "args.h"
#include "binfmt_elf.h"
#include "exec_view.h"
#include "model/seed.h"
#include "model/slab_host.h"

static Elf64_Ehdr ehdr;
static Elf64_Phdr phdr[3];

static void make_file(void) {
    ehdr = (Elf64_Ehdr){.e_type = ET_EXEC,
                        .e_machine = EM_X86_64,
                        .e_entry = 0x401000,
                        .e_phoff = 64,
                        .e_phentsize = sizeof *phdr,
                        .e_phnum = 3};
    memcpy(ehdr.e_ident, "\177ELF\2\1\1", 7);
    phdr[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_flags = PF_R | PF_X,
                           .p_vaddr = 0x400000,
                           .p_filesz = 0x1234,
                           .p_memsz = 0x1234};
    phdr[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_flags = PF_R | PF_W,
                           .p_offset = 0x1f00,
                           .p_vaddr = 0x403f00,
                           .p_filesz = 0x300,
                           .p_memsz = 0x5000};
    phdr[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
}

static err plan_of(u64 file_bytes, struct elf_plan *plan, bool *interpreter) {
    struct elf_header h;
    *interpreter = false;
    err e = elf_header(&ehdr, &h);
    return e ? e : elf_plan(&h, phdr, file_bytes, plan, interpreter);
}

Test(elf, plan_and_pieces) {
    struct elf_plan plan;
    struct elf_pieces p;
    bool interpreter;
    make_file();
    cr_assert_eq(plan_of(0x2200, &plan, &interpreter), 0);
    cr_assert_eq(plan.loads, 2);
    cr_assert_eq(plan.entry, 0x401000);
    cr_assert_eq(plan.phdr_address, 0x400040);
    cr_assert_eq(plan.brk, 0x409000);
    elf_pieces(&plan.load[1], &p);
    cr_assert(p.map == 0x403000 && p.index == 1 && p.file_end == 0x405000 && p.memory_end == 0x409000);
    cr_assert(p.zero == 0x404200 && p.zero_bytes == 0xe00);
    elf_pieces(&plan.load[0], &p);
    cr_assert(p.map == 0x400000 && p.file_end == 0x402000 && p.memory_end == 0x402000 && p.zero_bytes == 0);
    phdr[1].p_filesz = 0;
    cr_assert_eq(plan_of(0x2200, &plan, &interpreter), 0);
    elf_pieces(&plan.load[1], &p);
    cr_assert(p.map == p.file_end && p.memory_end == 0x409000 && p.zero_bytes == 0, "nothing of the file");
}

Test(elf, independent_of_position) {
    struct elf_plan plan;
    bool interpreter;
    make_file();
    ehdr.e_type = ET_DYN;
    cr_assert_eq(plan_of(0x2200, &plan, &interpreter), 0);
    cr_assert_eq(plan.entry, ELF_DYN_BASE + 0x401000);
    cr_assert_eq(plan.load[0].address, ELF_DYN_BASE + 0x400000);
    phdr[2] = (Elf64_Phdr){.p_type = PT_INTERP};
    cr_assert_eq(plan_of(0x2200, &plan, &interpreter), -E_NOEXEC);
    cr_assert(interpreter);
}

Test(elf, damaged_headers_are_refused_or_sane) {
    u64 seed = seed_begin(4);
    struct elf_plan plan;
    bool interpreter;
    for (u32 step = 0; step < 50000; step++) {
        make_file();
        for (u64 n = 1 + seed_next(&seed, 4); n; n--) {
            u8 *bytes = seed_next(&seed, 3) ? (u8 *)phdr : (u8 *)&ehdr;
            bytes[seed_next(&seed, bytes == (u8 *)phdr ? sizeof phdr : sizeof ehdr)] =
                (u8)seed_next(&seed, 256);
        }
        ehdr.e_phnum = (u16)MIN(ehdr.e_phnum, 3);
        if (plan_of(0x2200, &plan, &interpreter))
            continue;
        for (u32 i = 0; i < plan.loads; i++) {
            struct elf_pieces p;
            elf_pieces(&plan.load[i], &p);
            cr_assert(p.map <= p.file_end && p.file_end <= p.memory_end && p.memory_end < 1ull << 47);
            cr_assert(!((p.map | p.file_end | p.memory_end) & PAGE_MASK) && p.index <= 2);
            cr_assert(!p.zero_bytes || (p.zero >= p.map && p.zero + p.zero_bytes == p.file_end));
        }
    }
}

Test(script, lines) {
    char *interpreter, *argument;
    char plain[] = "#! /bin/sh\nrest", with[] = "#!/bin/awk\t-f  x \nrest", none[] = "#!   \nrest",
         binary[] = "\177ELF....";
    char endless[300];
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "#!", 2);
    cr_assert_eq(script_parse(plain, sizeof plain, &interpreter, &argument), 0);
    cr_assert_str_eq(interpreter, "/bin/sh");
    cr_assert_null(argument);
    cr_assert_eq(script_parse(with, sizeof with, &interpreter, &argument), 0);
    cr_assert_str_eq(interpreter, "/bin/awk");
    cr_assert_str_eq(argument, "-f  x");
    cr_assert_eq(script_parse(none, sizeof none, &interpreter, &argument), -E_NOEXEC);
    cr_assert_eq(script_parse(binary, sizeof binary, &interpreter, &argument), -E_NOEXEC);
    cr_assert_eq(script_parse(endless, sizeof endless, &interpreter, &argument), -E_NOEXEC);
}

static void make_args(struct args *a) {
    args_init(a);
    cr_assert_eq(args_add(a, "script", false) | args_add(a, "one", false) | args_add(a, "", false), 0);
    cr_assert_eq(args_add(a, "PATH=/bin", true) | args_add(a, "HOME=/", true), 0);
}

Test(script, takes_the_place_of_its_name) {
    struct args a;
    make_args(&a);
    cr_assert_eq(args_script(&a, "/bin/sh", "-e", "/x/script"), 0);
    cr_assert_eq(a.argc, 5);
    cr_assert_eq(memcmp(a.strings, "/bin/sh\0-e\0/x/script\0one\0\0PATH=/bin\0HOME=/", a.used), 0);
    args_release(&a);
    make_args(&a);
    cr_assert_eq(args_script(&a, "/bin/sh", NULL, "s"), 0);
    cr_assert_eq(a.argc, 4);
    cr_assert_eq(memcmp(a.strings, "/bin/sh\0s\0one\0\0PATH=/bin\0HOME=/", a.used), 0);
    args_release(&a);
    cr_assert_eq(slab_host_in_use(), 0);
}

Test(args, limit) {
    static char long_one[60000];
    struct args a;
    args_init(&a);
    memset(long_one, 'x', sizeof long_one - 1);
    cr_assert_eq(args_add(&a, long_one, false), 0);
    cr_assert_eq(args_add(&a, long_one, true), 0);
    cr_assert_eq(args_add(&a, long_one, true), -E_2BIG);
    args_release(&a);
}

Test(args, stack_as_a_c_library_reads_it) {
    struct args a;
    struct stack_image image;
    const struct aux aux[] = {{AT_PAGESZ, 4096}, {AT_ENTRY, 0x401000}};
    const u8 random[16] = "0123456789abcdef";
    const u64 top = 0x7ffffffff000;
    make_args(&a);
    cr_assert_eq(stack_build(&image, &a, "/x/script", aux, 2, random, top), 0);
    cr_assert_eq(image.sp % 16, 0);
    cr_assert_eq(image.sp + image.n, top);
    struct stack_view v = {image.bytes, image.sp};
    const u64 *w = (const u64 *)image.bytes;
    cr_assert_eq(w[0], 3);
    cr_assert_str_eq(stack_string(&v, w[1]), "script");
    cr_assert_str_eq(stack_string(&v, w[3]), "");
    cr_assert_eq(w[4], 0);
    cr_assert_str_eq(stack_string(&v, w[6]), "HOME=/");
    cr_assert_eq(w[7], 0);
    cr_assert_eq(stack_auxiliary(&v, w + 8, AT_ENTRY), 0x401000);
    cr_assert_str_eq(stack_string(&v, stack_auxiliary(&v, w + 8, AT_EXECFN)), "/x/script");
    cr_assert_eq(memcmp(stack_string(&v, stack_auxiliary(&v, w + 8, AT_RANDOM)), random, 16), 0);
    cr_assert_eq(image.arg_end - image.arg_start, sizeof "script" + sizeof "one" + 1);
    kfree(image.bytes);
    args_release(&a);
    cr_assert_eq(slab_host_in_use(), 0);
}
