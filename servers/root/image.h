/* SPDX-License-Identifier: MIT */
/* ELF64 executables of servers: what to load where. Pure: reads only the bytes given. */
#pragma once

#include <abi/types.h>

#define ELF_SEGMENTS_MAX 8

struct elf_segment {
    u64 offset, file_bytes; /* in the file */
    vaddr first;            /* not necessarily page aligned */
    u64 memory_bytes;       /* >= file_bytes; the rest is zero */
    u32 rights;             /* enum map_right */
};
struct elf_image {
    vaddr entry;
    u32 segments;
    struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* Check a static x86-64 executable of `bytes` bytes, of which the first `seen` are at `file`, and list its
 * PT_LOAD segments. The headers must be in what is seen. Segments must lie in [lo, hi), be ascending, share
 * no page, and none may be writable and executable. -E_NOEXEC if anything is wrong; *out is then untouched. */
must_check err elf_parse(const void *file, u64 seen, u64 bytes, vaddr lo, vaddr hi, struct elf_image *out);
/* Where in the file its segments end. */
u64 elf_end(const struct elf_image *image);
