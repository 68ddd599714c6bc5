/* SPDX-License-Identifier: MIT */
/* A small machine for tests of region: its logic over the model kernel, with the least of a shell, a cache
 * with three objects, and processes whose every byte is known. */
#pragma once

#include "fault.h"
#include "model/kernel_model.h"
#include "region_fixture.h"
#include "slice.h"

enum { ACCT_REGION = 4, ACCT_CACHE = 5 };
enum { OBJECT_PAGES = 48, OBJECT_FIRST_FILE = 1, OBJECT_LAST_FILE = 2, OBJECT_SHARED = 3, OBJECTS = 4 };
enum { ARENA_PAGES = 96, HEAP_PAGES = 32, STACK_ARENA_PAGES = 40 };
enum { SLOTS = ARENA_PAGES + HEAP_PAGES + STACK_ARENA_PAGES, PROCESSES = 7 };

#define ARENA TASK_UNMAPPED_BASE
#define HEAP  0x10000000ull
#define STACK (TASK_SIZE - 0x10000)

struct process {
    struct mm_struct *mm; /* NULL: unused */
    u8 *bytes[SLOTS]; /* what a private page must hold; NULL: never written (zeroes, or the object's page) */
    bool working;     /* a call is under way, `work` */
    struct vm_work work;
    struct process *child; /* of a fork under way */
};

struct machine {
    struct kernel_model k;
    struct vm_context ctx;
    struct vm_kernel kernel;
    pfn free[4096];
    u64 free_count;
    u64 frames_at_first;
    pfn object_frame[OBJECTS][OBJECT_PAGES];
    u8 (*object_bytes)[OBJECT_PAGES][PAGE_BYTES];
    struct process process[PROCESSES];
    u64 seed;
    u64 faults, forwards, upgrades, fills, stale, waits, parks, moves;
};

enum outcome { DONE, RAISED, WAITING, NO_MEMORY };

void machine_init(struct machine *m, u64 frames, u64 seed);
/* After all processes have gone: every frame must be back. */
void machine_end(struct machine *m);

pfn take_frame(struct machine *m);
void put_frame(struct machine *m, pfn frame);
/* An empty descriptor with a space, or NULL. */
struct mm_struct *machine_mm(struct machine *m);

/* What thread of p sees when it accesses one byte: its address in *at if DONE, signal code in *code if
 * RAISED. */
enum outcome machine_access(struct machine *m, struct process *p, vaddr address, enum access access, u8 **at,
                            u32 *code);
/* A slice of the work of some process, if there is any. */
void machine_work(struct machine *m);

/* Which of the known pages an address is; SLOTS if none. And back. */
u32 slot_of(vaddr address);
vaddr address_of(u32 slot);
/* The byte that p must see at an address of a region. */
u8 expected_byte(struct machine *m, struct process *p, struct vm_area_struct *vma, vaddr address);
/* A program's write of one byte: into what must be seen later. */
void note_write(struct machine *m, struct process *p, struct vm_area_struct *vma, vaddr address, u8 byte);
void forget_bytes(struct process *p, vaddr start, vaddr end);

static inline u64 pick(struct machine *m, u64 n) {
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return (m->seed >> 11) % n;
}
