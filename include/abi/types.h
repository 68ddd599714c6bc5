/* SPDX-License-Identifier: MIT */
/* Scalar types and the few macros that the kernel, every server and every host test share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

typedef u64 pfn;   /* page frame number: physical address / PAGE_BYTES */
typedef u64 vaddr; /* virtual address in some space */
typedef i64 err;   /* 0 or a positive result; otherwise -E_xxx of errors.h */

#define PAGE_SHIFT 12
#define PAGE_BYTES 4096ull
#define PAGE_MASK  (PAGE_BYTES - 1)

/* Results that must be looked at. (gcc 12 and clang 14 have no [[nodiscard]] in C17.) */
#define must_check __attribute__((warn_unused_result))

#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)             ((a) < (b) ? (a) : (b))
#define MAX(a, b)             ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, n)        (((x) + (n)-1) / (n) * (n))
#define ROUND_DOWN(x, n)      ((x) / (n) * (n))
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))
