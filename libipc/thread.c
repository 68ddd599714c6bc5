/* SPDX-License-Identifier: MIT */
/* Threads and endpoints that a server makes for itself, out of frames of its own. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <string.h>

void thread_start(void); /* crt.asm */

static vaddr stack_top(u32 index) {
    return STACK_BASE + (index + 1) * STACK_STRIDE;
}

/* Stack and message page, mapped; the message page's frame is items[0].frame. */
static err map_thread_pages(u32 index, struct map_item *items) {
    u32 n = 0;
    for (; n <= STACK_PAGES; n++) {
        pfn f = alloc_pages(GFP_KERNEL | __GFP_HIGHMEM, 0);
        if (!f)
            break;
        vaddr at = n ? stack_top(index) - n * PAGE_BYTES : MSG_BASE + index * PAGE_BYTES;
        items[n] = (struct map_item){at | MAP_READ | MAP_WRITE, f};
    }
    if (n == STACK_PAGES + 1)
        return space_map(SLOT_SPACE, items, n);
    while (n)
        __free_pages(items[--n].frame, 0);
    return -E_NOMEM;
}

static err bind_and_start(u32 thread, u32 index, pfn message, void (*entry)(void *), void *argument) {
    struct user_regs regs = {.rip = (u64)thread_start,
                             .rsp = stack_top(index),
                             .rdi = (u64)entry,
                             .rsi = (u64)argument,
                             .rflags = 0x202};
    err e = sys_thread_bind(thread, SLOT_SPACE, index, message, server_priority, 0);
    if (e)
        return e;
    memcpy(ipc_area(), &regs, sizeof regs);
    e = sys_regs_write(thread, REGS_GENERAL);
    return e ? e : sys_start(thread);
}

static void name_thread(u32 thread, const char *name) {
    size_t n = MIN(strlen(name), 39u);
    char *area = (char *)ipc_area();
    memcpy(area, name, n);
    area[n] = 0;
    (void)sys_trace_name(thread); /* a name is a convenience */
}

err thread_spawn(u32 index, void (*entry)(void *argument), void *argument, const char *name) {
    struct map_item items[STACK_PAGES + 1];
    ASSERT(index > 0 && index < SERVER_THREADS_MAX);
    u32 slot = slot_alloc();
    pfn object = alloc_pages(GFP_KERNEL | __GFP_HIGHMEM, 0);
    if (!slot || !object)
        goto no_memory;
    err e = map_thread_pages(index, items);
    if (e)
        goto no_memory;
    /* From here on nothing can fail but by a mistake of ours. */
    e = sys_retype(object, 1, KIND_THREAD, slot);
    ASSERT(e == 0);
    name_thread(slot, name);
    e = bind_and_start(slot, index, items[0].frame, entry, argument);
    ASSERT(e == 0);
    return 0;
no_memory:
    if (object)
        __free_pages(object, 0);
    if (slot)
        slot_free(slot);
    return -E_NOMEM;
}

u32 endpoint_create(void) {
    u32 slot = slot_alloc();
    pfn object = slot ? alloc_pages(GFP_KERNEL | __GFP_HIGHMEM, 0) : 0;
    if (object && sys_retype(object, 1, KIND_ENDPOINT, slot) == 0)
        return slot;
    if (object)
        __free_pages(object, 0);
    if (slot)
        slot_free(slot);
    return 0;
}
