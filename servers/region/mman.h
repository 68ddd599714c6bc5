/* SPDX-License-Identifier: MIT */
/* Constants of memory regions. PROT_ and MAP_ have Linux's values; the low VM_ bits are those of PROT_. */
#pragma once

#include <abi/types.h>

#define TASK_SIZE          0x7ffffffff000ull /* the last page below 2^47 is never mapped */
#define TASK_UNMAPPED_BASE ROUND_UP(TASK_SIZE / 3, PAGE_BYTES)
#define MMAP_MIN_ADDR      0x10000ull /* nothing is mapped below: a null pointer with an offset must fault */
#define MAP_32BIT_END      0x80000000ull
#define MAP_32BIT_BASE     0x40000000ull
#define MAX_MAP_COUNT      65536
#define RLIM_INFINITY      (~0ull)
#define STACK_LIMIT_BYTES  0x800000ull /* RLIMIT_STACK where nobody says otherwise */

#define PROT_READ      0x1
#define PROT_WRITE     0x2
#define PROT_EXEC      0x4
#define PROT_MASK      0x7
#define PROT_GROWSDOWN 0x01000000

#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE            0x0f
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_32BIT           0x40
#define MAP_GROWSDOWN       0x0100
#define MAP_LOCKED          0x2000
#define MAP_FIXED_NOREPLACE 0x100000

#define VM_READ      0x0001
#define VM_WRITE     0x0002
#define VM_EXEC      0x0004
#define VM_SHARED    0x0008
#define VM_MAYREAD   0x0010 /* limits for mprotect: VM_xxx << 4 */
#define VM_MAYWRITE  0x0020
#define VM_MAYEXEC   0x0040
#define VM_GROWSDOWN 0x0100
#define VM_LOCKED    0x2000
#define VM_MAY_SHIFT 4
#define VM_RIGHTS    (VM_READ | VM_WRITE | VM_EXEC)
#define VM_MAYRIGHTS (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

#define MREMAP_MAYMOVE   1
#define MREMAP_FIXED     2
#define MREMAP_DONTUNMAP 4
