/* SPDX-License-Identifier: MIT */
/* vmalloc and vfree, as Linux 2.4's mm/vmalloc.c has them: get_vm_area finds a place, then frames are taken
 * and mapped one batch after another. An area is in the list as long as anything of it may be mapped, so that
 * threads that run meanwhile keep away from it. */
#include <ipc/vmalloc.h>

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/slab.h>

#include "vmalloc_port.h"

struct vm_struct {
    struct vm_struct *next; /* by address */
    vaddr addr;
    u64 size; /* bytes, with the guard page */
};

static struct vm_struct *vmlist;

/* Puts the area into the first gap for `size` bytes with the guard page; false: there is none. */
static bool get_vm_area(struct vm_struct *area, u64 size) {
    struct vm_struct **link = &vmlist;
    vaddr addr = HEAP_BASE;
    while (*link && (*link)->addr - addr < size) {
        addr = (*link)->addr + (*link)->size;
        link = &(*link)->next;
    }
    if (HEAP_END - addr < size)
        return false;
    *area = (struct vm_struct){.next = *link, .addr = addr, .size = size};
    *link = area;
    return true;
}

static void free_area_pages(vaddr at, u64 pages) {
    pfn frames[VMALLOC_BATCH];
    while (pages) {
        u32 n = (u32)MIN(pages, (u64)VMALLOC_BATCH);
        vport_unmap(at, n, frames);
        for (u32 i = 0; i < n; i++)
            __free_page(frames[i]);
        at += n * PAGE_BYTES;
        pages -= n;
    }
}

/* n pages at an address: all of them, or false and none. */
static bool alloc_batch(vaddr at, u32 n) {
    pfn frames[VMALLOC_BATCH] = {0};
    u32 have = 0;
    while (have < n && (frames[have] = alloc_page(GFP_HIGHUSER)))
        have++;
    if (have == n && !vport_map(at, frames, n))
        return true;
    while (have)
        __free_page(frames[--have]);
    return false;
}

static bool alloc_area_pages(vaddr at, u64 pages) {
    for (u64 done = 0; done < pages;) {
        u32 n = (u32)MIN(pages - done, (u64)VMALLOC_BATCH);
        if (!alloc_batch(at + done * PAGE_BYTES, n)) {
            free_area_pages(at, done);
            return false;
        }
        done += n;
    }
    return true;
}

static void remove_vm_area(struct vm_struct *area) {
    struct vm_struct **link = &vmlist;
    while (*link != area)
        link = &(*link)->next;
    *link = area->next;
    kfree(area);
}

void *vmalloc(u64 size) {
    if (!size || size > HEAP_END - HEAP_BASE - PAGE_BYTES)
        return NULL;
    size = ROUND_UP(size, PAGE_BYTES);
    struct vm_struct *area = kmalloc(sizeof *area, GFP_KERNEL);
    if (!area)
        return NULL;
    if (!get_vm_area(area, size + PAGE_BYTES)) {
        kfree(area);
        return NULL;
    }
    if (alloc_area_pages(area->addr, size / PAGE_BYTES))
        return (void *)area->addr;
    remove_vm_area(area);
    return NULL;
}

void vfree(void *address) {
    struct vm_struct *area = vmlist;
    if (!address)
        return;
    while (area && area->addr != (vaddr)address)
        area = area->next;
    ASSERT(area);
    free_area_pages(area->addr, area->size / PAGE_BYTES - 1);
    remove_vm_area(area);
}
