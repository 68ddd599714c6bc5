/* SPDX-License-Identifier: MIT */
/* The physical map: all RAM at PHYS_BASE, so that the kernel reads and writes any frame without mapping it.
 * Host tests put an array where physical memory would be. */
#pragma once

#include <abi/layout.h>

#ifdef HOST_TEST
extern u8 *phys_base; /* the test's memory; physical address 0 */
#else
#define phys_base ((u8 *)PHYS_BASE)
#endif

static inline void *phys_to_virt(u64 pa) {
    return phys_base + pa;
}

/* By quadwords as far as possible: each counts as one instruction. */
static inline void copy_bytes(void *to, const void *from, u64 n) {
#ifdef HOST_TEST
    __builtin_memmove(to, from, n);
#else
    u64 words = n / 8, bytes = n % 8;
    __asm__ volatile("rep movsq\n\t"
                     "mov %3, %2\n\t"
                     "rep movsb"
                     : "+D"(to), "+S"(from), "+c"(words)
                     : "r"(bytes)
                     : "memory");
#endif
}

static inline void page_clear(void *page) {
#ifdef HOST_TEST
    __builtin_memset(page, 0, PAGE_BYTES);
#else
    u64 n = PAGE_BYTES / 8;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(n) : "a"(0ull) : "memory");
#endif
}

static inline u64 virt_to_phys(const void *p) {
    return (u64)((const u8 *)p - phys_base);
}

static inline void *frame_to_virt(pfn f) {
    return phys_to_virt(f << PAGE_SHIFT);
}

static inline pfn virt_to_frame(const void *p) {
    return virt_to_phys(p) >> PAGE_SHIFT;
}
