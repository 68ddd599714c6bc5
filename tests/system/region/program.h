/* SPDX-License-Identifier: MIT */
/* The little program of this test: where it lies, and its calls. */
#pragma once

#define PROGRAM_TEXT    0x400000ull
#define PROGRAM_HEAP    0x600000ull
#define PROGRAM_DATA    0x10000000ull
#define PROGRAM_STACK   0x7ffff0000000ull
#define PROGRAM_NOWHERE 0x123456789000ull
#define DATA_PAGES      600

/* CALL_CHECK: step, wrong, address, value. CALL_TICKS: four figures. CALL_FORK: 0 in the child. */
enum program_call { CALL_CHECK = 1, CALL_TICKS, CALL_FORK, CALL_PROTECT, CALL_UNMAP, CALL_BRK, CALL_EXIT };

/* Its code: position independent, and shorter than this. */
#define PROGRAM_BYTES 8192
void program(void);
