/* SPDX-License-Identifier: MIT */
#include "world.h"
#include "arch/log.h"
#include "boot/main.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLB_SLOTS 256

struct cpu cpu;
u64 notified;
u64 word_area[AREA_WORDS];
static struct info_page info;
struct info_page *info_page = &info;
static struct frame table[WORLD_FRAMES];
static _Alignas(4096) u8 memory[WORLD_FRAMES * PAGE_BYTES];
static struct {
    vaddr va;
    u64 entry;
} tlb[TLB_SLOTS];

void endpoint_ref_notify(const struct endpoint_ref *ref) {
    notified += ref->endpoint != NULL;
}

void panic_at(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    va_end(args);
    abort();
}

u64 rdtsc(void) {
    static u64 now;
    return now += 10;
}

void arch_invlpg(vaddr va) {
    for (u32 i = 0; i < TLB_SLOTS; i++)
        if (tlb[i].va == va)
            tlb[i].entry = 0;
}

void sched_update(void) {}

void arch_leave_space(void) {
    world_enter(NULL);
}

void world_enter(struct space *s) {
    memset(tlb, 0, sizeof tlb);
    cpu.space = s;
}

static u64 *tlb_slot(vaddr va) {
    u32 free = 0;
    for (u32 i = 0; i < TLB_SLOTS; i++) {
        if (tlb[i].entry && tlb[i].va == va)
            return &tlb[i].entry;
        if (!tlb[i].entry)
            free = i;
    }
    tlb[free].va = va;
    return &tlb[free].entry;
}

bool world_access(vaddr va, enum access access) {
    u64 *cached = tlb_slot(va);
    u64 *entry = pt_leaf(cpu.space, va);
    if (!*cached && entry)
        *cached = *entry;
    /* TCG and real processors walk again before a fault that more rights would avoid, and to set the dirty
     * bit. */
    if (!mm_allows(*cached, access) || (access == ACCESS_WRITE && !(*cached & PTE_DIRTY)))
        *cached = entry ? *entry : 0;
    if (!mm_allows(*cached, access)) {
        *cached = 0;
        return false;
    }
    *entry |= PTE_ACCESSED | (access == ACCESS_WRITE ? PTE_DIRTY : 0);
    *cached = *entry;
    return true;
}

bool world_tlb_is_stale(void) {
    for (u32 i = 0; i < TLB_SLOTS; i++) {
        if (!tlb[i].entry)
            continue;
        const u64 *entry = pt_leaf(cpu.space, tlb[i].va);
        u64 now = entry ? *entry : 0, had = tlb[i].entry;
        bool more = (had & (PTE_WRITE | PTE_USER)) & ~now || (now & ~had & PTE_NX);
        if (!(now & PTE_PRESENT) || PTE_FRAME(now) != PTE_FRAME(had) || more)
            return true;
        /* A dirty bit that was cleared is seen again only if the TLB forgets it. */
        if (had & ~now & PTE_HARVEST)
            return true;
    }
    return false;
}

u64 content(pfn n) {
    u64 v;
    memcpy(&v, frame_to_virt(n), sizeof v);
    return v;
}

void set_content(pfn n, u64 value) {
    memcpy(frame_to_virt(n), &value, sizeof value);
}

void world_init(void) {
    phys_base = memory;
    frame_table = table;
    frame_count = WORLD_FRAMES;
    memset(table, 0, sizeof table);
    memset(accounts, 0, sizeof accounts);
    memset(memory, 0, sizeof memory);
    world_enter(NULL);
    notified = 0;
    for (u8 a = 1; a <= 3; a++)
        accounts[a] = (struct account){.state = ACCOUNT_OPEN, .parent = (u8)(a - 1)};
    for (pfn n = FIRST_FREE; n < WORLD_FRAMES; n++) {
        table[n] = (struct frame){.account = 2, .state = KIND_DATA};
        set_content(n, 0x1000 + n);
    }
    for (u32 i = 0; i < SPACE_TOP_SLOTS; i++)
        kernel_half[i] = i == 255 ? 0x77000 | PTE_PRESENT : 0;
}

static pfn take(void) {
    static pfn at = FIRST_FREE;
    for (u32 tries = 0; tries < WORLD_FRAMES; tries++) {
        at = at + 1 < WORLD_FRAMES ? at + 1 : FIRST_FREE;
        if (frame_own(at, 2) && frame_is_idle(&table[at]))
            return at;
    }
    abort();
}

struct space *world_space(u8 account, u64 tables) {
    pfn n = take();
    if (frame_begin(n, 1, 2, KIND_SPACE))
        abort();
    struct space *s = frame_to_virt(n);
    if (space_set_account(s, account))
        abort();
    for (u64 i = 0; i < tables; i++) {
        u64 t = take();
        if (space_feed(s, 2, &t, 1) != 1)
            abort();
    }
    return s;
}

void own(pfn n, u8 account) {
    if (frame_give_run(2, account, n, 1) != 1)
        abort();
}
