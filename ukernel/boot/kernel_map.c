/* SPDX-License-Identifier: MIT */
/* See kernel_map.h. */

#include "boot/kernel_map.h"
#include "boot/memory.h"
#include "mm/pt.h"

#define PTE_LARGE      0x80ull
#define IMAGE_TABLES   2 /* page tables of the image: it may end 4 MiB behind KERNEL_BASE */
#define GIB_FRAMES     (1ull << (30 - PAGE_SHIFT))
#define GIB_TABLE_SLOT 510 /* of KERNEL_BASE in its second-level table */

extern char __load_start[], __text_start[], __text_end[], __rodata_end[], __kernel_end[],
    kernel_stack_guard[];

static u64 image_pdpt[TABLE_SLOTS] __attribute__((aligned(4096)));
static u64 image_pd[TABLE_SLOTS] __attribute__((aligned(4096)));
static u64 image_pt[IMAGE_TABLES][TABLE_SLOTS] __attribute__((aligned(4096)));

static u64 image_phys(const void *p) {
    return (u64)p - KERNEL_BASE;
}

pfn kernel_first(void) {
    return (u64)__load_start >> PAGE_SHIFT;
}

u64 kernel_frames(void) {
    return (image_phys(__kernel_end) >> PAGE_SHIFT) - kernel_first();
}

static void map_image(const char *from, const char *to, u64 bits) {
    for (const char *p = from; p < to; p += PAGE_BYTES) {
        u64 page = image_phys(p) >> PAGE_SHIFT;
        ASSERT(page < IMAGE_TABLES * TABLE_SLOTS);
        image_pt[page / TABLE_SLOTS][page % TABLE_SLOTS] = page << PAGE_SHIFT | bits;
    }
}

static u64 map_all_of_image(void) {
    map_image(__text_start, __text_end, PTE_PRESENT);
    map_image(__text_end, __rodata_end, PTE_PRESENT | PTE_NX);
    map_image(__rodata_end, __kernel_end, PTE_PRESENT | PTE_WRITE | PTE_NX);
    map_image(kernel_stack_guard, kernel_stack_guard + PAGE_BYTES, 0);
    for (u64 i = 0; i < IMAGE_TABLES; i++)
        image_pd[i] = image_phys(image_pt[i]) | PTE_PRESENT | PTE_WRITE;
    image_pdpt[GIB_TABLE_SLOT] = image_phys(image_pd) | PTE_PRESENT | PTE_WRITE;
    return image_phys(image_pdpt) | PTE_PRESENT | PTE_WRITE;
}

static bool has_gib_pages(void) {
    u32 r[4];
    cpuid(0x80000001, 0, r);
    return r[3] >> 26 & 1;
}

static u64 *new_table(void) {
    u64 *table = frame_to_virt(memory_take(1));
    page_clear(table);
    return table;
}

/* The physical map of one GiB. */
static u64 map_gib(u64 gib) {
    const u64 bits = PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_LARGE;
    if (has_gib_pages())
        return gib << 30 | bits;
    u64 *pd = new_table();
    for (u64 i = 0; i < TABLE_SLOTS; i++)
        pd[i] = gib << 30 | i << 21 | bits;
    return virt_to_phys(pd) | PTE_PRESENT | PTE_WRITE;
}

void kernel_map(pfn end) {
    u64 *top = new_table();
    u64 *pdpt = new_table();
    for (u64 gib = 0; gib * GIB_FRAMES < end; gib++)
        pdpt[gib] = map_gib(gib);
    kernel_half[pt_index(PHYS_BASE, 3) - SPACE_TOP_SLOTS] = virt_to_phys(pdpt) | PTE_PRESENT | PTE_WRITE;
    kernel_half[pt_index(KERNEL_BASE, 3) - SPACE_TOP_SLOTS] = map_all_of_image();
    for (u64 i = 0; i < SPACE_TOP_SLOTS; i++)
        top[SPACE_TOP_SLOTS + i] = kernel_half[i];
    write_cr3(virt_to_phys(top));
}
