/* SPDX-License-Identifier: MIT */
/* See boot/root.h. */

#include <elf.h>
#include <string.h>

#include "arch/log.h"
#include "boot/root.h"
#include "core/cap.h"
#include "core/thread.h"

#define ROOT_TABLES       24 /* page tables given at the start; root feeds more itself */
#define ROOT_TABLE_FRAMES 4  /* of its capability table */

/* Frames for root, in order. */
static struct { pfn next, end; } supply;

static pfn take(u64 frames) {
    if (supply.end - supply.next < frames)
        PANIC("root does not fit in %u frames", ROOT_FRAMES);
    supply.next += frames;
    return supply.next - frames;
}

static void *make_object(enum frame_kind kind, u64 frames) {
    pfn first = take(frames);
    err e = frame_begin(first, frames, ACCOUNT_ROOT, kind);
    ASSERT(!e);
    return frame_to_virt(first);
}

static void map(struct space *s, vaddr at, pfn frame, u32 rights) {
    struct window w = window_of_space(s, ACCOUNT_ROOT);
    struct map_item item = {at | rights, frame};
    struct map_result r = mm_map(&w, &item, 1);
    if (r.done != 1)
        PANIC("mapping root's page at %lx: error %lu", at, r.why);
}

static pfn map_new(struct space *s, vaddr at, u32 rights) {
    pfn n = take(1);
    page_clear(frame_to_virt(n));
    map(s, at, n, rights);
    return n;
}

static struct space *create_space(void) {
    struct space *s = make_object(KIND_SPACE, 1);
    space_init(s);
    err e = space_set_account(s, ACCOUNT_ROOT);
    ASSERT(!e);
    u64 tables[ROOT_TABLES];
    for (u32 i = 0; i < ROOT_TABLES; i++)
        tables[i] = take(1);
    i64 fed = space_feed(s, ACCOUNT_ROOT, tables, ROOT_TABLES);
    ASSERT(fed == ROOT_TABLES);
    return s;
}

/* One page of a segment: what the file has of it, the rest zero. */
static void load_page(struct space *s, vaddr at, const Elf64_Phdr *h, const u8 *file) {
    u32 rights = MAP_READ | (h->p_flags & PF_W ? MAP_WRITE : 0) | (h->p_flags & PF_X ? MAP_EXEC : 0);
    u8 *page = frame_to_virt(map_new(s, at, rights));
    u64 from = MAX(at, h->p_vaddr), to = MIN(at + PAGE_BYTES, h->p_vaddr + h->p_filesz);
    if (from < to)
        memcpy(page + (from - at), file + h->p_offset + (from - h->p_vaddr), to - from);
}

static void load_segment(struct space *s, const Elf64_Phdr *h, const u8 *file, u64 bytes) {
    if (h->p_filesz > h->p_memsz || h->p_offset > bytes || h->p_filesz > bytes - h->p_offset ||
        h->p_vaddr > USER_END || h->p_memsz > USER_END - h->p_vaddr)
        PANIC("root: a segment is out of bounds");
    for (vaddr at = h->p_vaddr & ~PAGE_MASK; at < h->p_vaddr + h->p_memsz; at += PAGE_BYTES)
        load_page(s, at, h, file);
}

/* Load all segments; returns the entry. */
static vaddr load(struct space *s, const struct info_module *module) {
    const u8 *file = frame_to_virt(module->first);
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *)file;
    if (module->bytes < sizeof *elf || memcmp(elf->e_ident, ELFMAG "\2\1", 6) || elf->e_type != ET_EXEC ||
        elf->e_machine != EM_X86_64 || elf->e_phentsize != sizeof(Elf64_Phdr) ||
        elf->e_phoff > module->bytes || elf->e_phnum > (module->bytes - elf->e_phoff) / sizeof(Elf64_Phdr))
        PANIC("module root is no static ELF64 program for x86-64");
    const Elf64_Phdr *h = (const Elf64_Phdr *)(file + elf->e_phoff);
    for (u32 i = 0; i < elf->e_phnum; i++)
        if (h[i].p_type == PT_LOAD)
            load_segment(s, &h[i], file, module->bytes);
    return elf->e_entry;
}

static struct captable *create_table(struct space *s, struct thread *t) {
    struct captable *table = make_object(KIND_CAPTABLE, ROOT_TABLE_FRAMES);
    captable_init(table, ROOT_TABLE_FRAMES);
    struct capability *slot = captable_slots(table);
    cap_make(&slot[BOOT_TABLE], KIND_CAPTABLE, table, RIGHT_ALL);
    cap_make(&slot[BOOT_SPACE], KIND_SPACE, s, RIGHT_ALL);
    cap_make(&slot[BOOT_THREAD], KIND_THREAD, t, RIGHT_ALL);
    cap_make_account(&slot[BOOT_ACCOUNT], ACCOUNT_ROOT, RIGHT_ALL);
    cap_make_account(&slot[BOOT_FRAME_ACCT], ACCOUNT_FRAME, RIGHT_ALL);
    slot[BOOT_IRQ] = (struct capability){.kind = KIND_IRQ, .rights = RIGHT_ALL};
    slot[BOOT_IOPORT] = (struct capability){.kind = KIND_IOPORT, .rights = RIGHT_ALL};
    slot[BOOT_TRACE] = (struct capability){.kind = KIND_TRACING, .rights = RIGHT_ALL};
    return table;
}

struct thread *root_create(const struct info_module *module, pfn first, u64 frames, pfn info_frame) {
    supply.next = first;
    supply.end = first + frames;
    struct space *s = create_space();
    struct thread *t = make_object(KIND_THREAD, 1);
    thread_init(t);
    vaddr entry = load(s, module);
    for (u64 i = 1; i <= STACK_PAGES; i++)
        map_new(s, STACK_BASE + STACK_STRIDE - i * PAGE_BYTES, MAP_READ | MAP_WRITE);
    pfn message = map_new(s, MSG_BASE, MAP_READ | MAP_WRITE);
    map(s, INFO_PAGE, info_frame, MAP_READ);
    s->table = create_table(s, t);
    s->table->bound++;
    err e = thread_bind(t, s, 0, message, ACCOUNT_ROOT, PRIO_ROOT, 0);
    ASSERT(!e);
    t->regs.rip = entry;
    t->regs.rsp = STACK_BASE + STACK_STRIDE;
    t->regs.rdi = SRV_ROOT; /* as root starts other servers: libipc's _start */
    t->regs.rsi = PRIO_ROOT;
    t->regs.rdx = ROOT_TABLE_FRAMES * CAPS_PER_FRAME;
    e = thread_start(t);
    ASSERT(!e);
    return t;
}
