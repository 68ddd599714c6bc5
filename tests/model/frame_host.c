/* SPDX-License-Identifier: MIT */
/* <ipc/frame.h> on the host: see frame_host.h. First fit over a map of bytes: slow and plain. */
#include "model/frame_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
void __asan_poison_memory_region(void const volatile *, size_t);
void __asan_unpoison_memory_region(void const volatile *, size_t);
#else
static void __asan_poison_memory_region(void const volatile *p, size_t n) {
    (void)p, (void)n;
}
static void __asan_unpoison_memory_region(void const volatile *p, size_t n) {
    (void)p, (void)n;
}
#endif

struct host_frame {
    u8 used;
    u8 mapped;
    u8 head; /* order + 1 at the first frame of a block in use */
};

static char *arena;
static struct host_frame frames[FRAME_HOST_FRAMES];
static i64 fail_after = -1;
static u64 limit = FRAME_HOST_FRAMES, in_use;
char *frame_window;

static void die(const char *why, pfn frame) {
    fprintf(stderr, "frame_host: %s (frame %#llx)\n", why, (unsigned long long)frame);
    abort();
}

static void set_access(pfn first, u64 count, bool on) {
    char *p = arena + ((first - FRAME_HOST_FIRST) << PAGE_SHIFT);
    if (on)
        __asan_unpoison_memory_region(p, count << PAGE_SHIFT);
    else
        __asan_poison_memory_region(p, count << PAGE_SHIFT);
}

static struct host_frame *frame_of(pfn frame) {
    if (frame < FRAME_HOST_FIRST || frame >= FRAME_HOST_FIRST + FRAME_HOST_FRAMES)
        die("no such frame", frame);
    return &frames[frame - FRAME_HOST_FIRST];
}

static struct host_frame *used_frame(pfn frame) {
    struct host_frame *f = frame_of(frame);
    if (!f->used)
        die("the frame is not in use", frame);
    return f;
}

void frame_host_reset(void) {
    if (!arena) {
        arena = aligned_alloc(PAGE_BYTES, (u64)FRAME_HOST_FRAMES << PAGE_SHIFT);
        if (!arena)
            abort();
        frame_window = (char *)((uintptr_t)arena - ((uintptr_t)FRAME_HOST_FIRST << PAGE_SHIFT));
    }
    memset(frames, 0, sizeof frames);
    set_access(FRAME_HOST_FIRST, FRAME_HOST_FRAMES, false);
    fail_after = -1;
    limit = FRAME_HOST_FRAMES;
    in_use = 0;
}

err frame_client_init(void) {
    if (!arena)
        frame_host_reset();
    return 0;
}

void frame_host_fail_after(i64 n) {
    fail_after = n;
}
void frame_host_limit(u64 n) {
    limit = n ? n : FRAME_HOST_FRAMES;
}
u64 frame_host_in_use(void) {
    return in_use;
}
bool frame_host_is_used(pfn frame) {
    return frame >= FRAME_HOST_FIRST && frame < FRAME_HOST_FIRST + FRAME_HOST_FRAMES && frame_of(frame)->used;
}

static pfn first_fit(u64 count) {
    for (u64 at = 0; at + count <= FRAME_HOST_FRAMES; at += count) {
        u64 n = 0;
        while (n < count && !frames[at + n].used)
            n++;
        if (n == count)
            return at + FRAME_HOST_FIRST;
    }
    return 0;
}

static pfn take(u32 gfp_mask, u32 order, bool mapped) {
    if (order >= MAX_ORDER || (gfp_mask & ~(u32)GFP_ALL))
        return 0;
    if (!arena)
        frame_host_reset();
    if (fail_after == 0)
        return 0;
    if (fail_after > 0)
        fail_after--;
    u64 count = 1ull << order;
    pfn first = in_use + count <= limit ? first_fit(count) : 0;
    if (!first)
        return 0;
    for (pfn f = first; f < first + count; f++)
        *frame_of(f) = (struct host_frame){.used = 1, .mapped = mapped};
    frame_of(first)->head = (u8)(order + 1);
    in_use += count;
    set_access(first, count, true);
    memset(pfn_to_virt(first), 0xa5, count << PAGE_SHIFT);
    set_access(first, count, mapped);
    return first;
}

static void put(pfn first, u32 order, bool mapped) {
    if (used_frame(first)->head != order + 1)
        die("freed with another order, or not the first of its block", first);
    for (pfn f = first; f < first + (1ull << order); f++) {
        if (used_frame(f)->mapped != mapped)
            die(mapped ? "free_pages of a frame that is not mapped" : "__free_pages of a mapped frame", f);
        *frame_of(f) = (struct host_frame){0};
    }
    in_use -= 1ull << order;
    set_access(first, 1ull << order, false);
}

pfn alloc_pages(u32 gfp_mask, u32 order) {
    return take(gfp_mask, order, false);
}
void __free_pages(pfn first, u32 order) {
    put(first, order, false);
}

vaddr __get_free_pages(u32 gfp_mask, u32 order) {
    pfn first = take(gfp_mask, order, true);
    return first ? (vaddr)pfn_to_virt(first) : 0;
}

vaddr get_free_page(u32 gfp_mask) {
    vaddr page = __get_free_page(gfp_mask);
    if (page)
        memset((void *)page, 0, PAGE_BYTES);
    return page;
}

void free_pages(vaddr address, u32 order) {
    put(virt_to_pfn((void *)address), order, true);
}

void *kmap(pfn frame) {
    used_frame(frame)->mapped = 1;
    set_access(frame, 1, true);
    return pfn_to_virt(frame);
}

void kunmap(pfn frame) {
    used_frame(frame)->mapped = 0;
    set_access(frame, 1, false);
}

err frame_reserve(u32 count) {
    if (count > FRAME_RESERVE_MAX || in_use + count > limit)
        return -E_NOMEM;
    return fail_after >= 0 && (u64)fail_after < count ? -E_NOMEM : 0;
}

u64 drain_magazines(void) {
    return 0;
}
u64 frame_held(void) {
    return 0;
}

void frame_host_peek(pfn frame, void *page) {
    bool mapped = used_frame(frame)->mapped;
    set_access(frame, 1, true);
    memcpy(page, pfn_to_virt(frame), PAGE_BYTES);
    set_access(frame, 1, mapped);
}

void frame_host_poke(pfn frame, const void *page) {
    bool mapped = used_frame(frame)->mapped;
    set_access(frame, 1, true);
    memcpy(pfn_to_virt(frame), page, PAGE_BYTES);
    set_access(frame, 1, mapped);
}
