/* SPDX-License-Identifier: MIT */
/* ELF64 executables: from the file's header to a list of what is to be mapped. Pure. */
#pragma once

#include <abi/types.h>

#define ELF_HEADER_BYTES 64
#define ELF_PHDR_BYTES   56
#define ELF_PHDRS_MAX    32
#define ELF_LOADS_MAX    8
/* Where a position-independent program without an interpreter is put. */
#define ELF_DYN_BASE 0x555555554000ull

struct elf_header {
    u64 entry, phoff;
    u32 phnum;
    bool dyn;
};
/* One segment, in bytes as the program header says. */
struct elf_load {
    u64 address, offset, file_bytes, memory_bytes;
    u32 prot; /* PROT_xxx */
};
struct elf_plan {
    u64 entry, phdr_address, phnum; /* bias included */
    u64 start_code, end_code, start_data, end_data, brk;
    struct elf_load load[ELF_LOADS_MAX];
    u32 loads;
    bool stack_exec;
};

/* Reads and checks the first ELF_HEADER_BYTES bytes. -E_NOEXEC: not an x86-64 executable, or tables too
 * large. */
err elf_header(const void *bytes, struct elf_header *h) must_check;
/* Reads the program headers (h->phnum * ELF_PHDR_BYTES bytes) of a file of file_bytes bytes. -E_NOEXEC:
 * broken, or it wants an interpreter (*interpreter says so). */
err elf_plan(const struct elf_header *h, const void *phdrs, u64 file_bytes, struct elf_plan *plan,
             bool *interpreter) must_check;
/* Where a segment's parts lie: [map, file_end) pages of the file from page `index` on, [file_end, memory_end)
 * anonymous, and [zero, zero + zero_bytes) to be cleared in the last page of the file's part. */
struct elf_pieces {
    u64 map, file_end, memory_end, index, zero, zero_bytes;
};
void elf_pieces(const struct elf_load *l, struct elf_pieces *p);
