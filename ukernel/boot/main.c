/* SPDX-License-Identifier: MIT */
/* kmain: from the loader's tables to root's first instruction. */

#include <string.h>

#include "arch/cpu.h"
#include "arch/log.h"
#include "boot/kernel_map.h"
#include "boot/main.h"
#include "boot/memory.h"
#include "boot/root.h"
#include "core/sched.h"
#include "core/trace.h"

#define TRACE_FRAMES     256ull /* of the ring, if the command line says nothing */
#define TRACE_FRAMES_ALL 4096ull
#define TRACE_FRAMES_MAX 16384ull

struct info_page *info_page;
static struct boot_info boot;

extern char kernel_stack_top[];
void kmain(u32 magic, u64 information);

/* The words of the command line. trace=FRAMES: size of the ring. trace=all: every kind of event from the
 * start, and, if the machine (of `end` frames) is not small, a larger ring. Returns its size. */
static u64 read_trace_words(pfn end, bool *all) {
    u64 frames = 0;
    bool given = false;
    for (const char *w = boot.cmdline; (w = boot_word(w, "trace"));) {
        if (!memcmp(w, "all", 3))
            *all = true;
        else
            for (given = true, frames = 0; *w >= '0' && *w <= '9'; w++)
                frames = MIN(frames * 10 + (u64)(*w - '0'), TRACE_FRAMES_MAX);
    }
    return given ? frames : *all ? MAX(TRACE_FRAMES, MIN(TRACE_FRAMES_ALL, end / 32)) : TRACE_FRAMES;
}

/* The frame table and the ring get their places; RAM is divided. Returns root's first frame. */
static pfn lay_out_memory(u64 ring_frames) {
    pfn end = memory_end();
    kernel_map(end);
    pfn table = memory_take(ROUND_UP(end * sizeof(struct frame), PAGE_BYTES) >> PAGE_SHIFT);
    pfn ring = ring_frames ? memory_take(ring_frames) : 0;
    frame_table = frame_to_virt(table);
    frame_count = end;
    pfn root = memory_divide(ROOT_FRAMES);
    for (u64 i = 0; i < ring_frames; i++)
        frame_table[ring + i].state = KIND_TRACE;
    info_page = frame_to_virt(root);
    page_clear(info_page);
    info_page->trace_first = ring;
    info_page->trace_frames = ring_frames;
    trace_init(ring << PAGE_SHIFT, ring_frames);
    return root;
}

static void fill_info_page(void) {
    info_page->magic = INFO_MAGIC;
    info_page->tsc_per_ms = tsc_per_ms;
    info_page->boot_tsc = rdtsc();
    info_page->frames = frame_count;
    info_page->kernel_first = kernel_first();
    info_page->kernel_frames = kernel_frames();
    info_page->modules_count = boot.modules_count;
    memcpy(info_page->modules, boot.modules, sizeof boot.modules);
    info_page->ranges_count = boot.ranges_count;
    memcpy(info_page->ranges, boot.ranges, sizeof boot.ranges);
    memcpy(info_page->cmdline, boot.cmdline, sizeof boot.cmdline);
}

static const struct info_module *root_module(void) {
    for (u64 i = 0; i < boot.modules_count; i++)
        if (!memcmp(boot.modules[i].name, "root", sizeof "root"))
            return &boot.modules[i];
    PANIC("there is no boot module named root");
}

void kmain(u32 magic, u64 information) {
    timer_begin();
    err e = boot_info_read(&boot, magic, information);
    if (e)
        PANIC("the loader's tables: error %lu", (u64)-e);
    memory_init(&boot, kernel_first(), kernel_frames());
    bool trace_all = false;
    pfn root = lay_out_memory(read_trace_words(memory_end(), &trace_all));
    arch_init(kernel_stack_top);
    sched_init();
    if (trace_all)
        trace_set_mask(~0ull);
    klog("quire: %lu MiB, %lu frames, %lu modules\n", frame_count >> 8, frame_count, boot.modules_count);
    klog("quire: trace ring at %lx frames %lu\n", info_page->trace_first << PAGE_SHIFT,
         info_page->trace_frames);
    /* The information page is root's first frame; its pin keeps it what it is. */
    e = frame_pin_one(root, ACCOUNT_ROOT);
    ASSERT(!e);
    struct thread *first = root_create(root_module(), root + 1, ROOT_FRAMES - 1, root);
    timer_init();
    fill_info_page();
    sched_start(first);
}
