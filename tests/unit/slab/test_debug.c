/* SPDX-License-Identifier: MIT */
/* What POISON and RED_ZONE catch, and what is caught without them; each time cache, object and callers are
 * told, and nothing else happens. */
#include <criterion/criterion.h>
#include <string.h>

#include "kmem_checks.h"

static struct kmem_cache *cache;

static void begin(void) {
    world_begin(SRV_REGION);
    cr_assert_eq(kmem_cache_init(), 0);
    cache = kmem_cache_create("watched", 50, 0, SLAB_DEBUG, NULL, NULL);
    cr_assert(cache && cache->flags == SLAB_DEBUG);
}

TestSuite(debug, .init = begin, .fini = world_check);

/* Callers with addresses that can be told apart: within these functions. */
static __attribute__((noinline)) void *taker(void) {
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    __asm__ volatile("" ::: "memory");
    return object;
}
static __attribute__((noinline)) void giver(struct kmem_cache *to, void *object) {
    kmem_cache_free(to, object);
    __asm__ volatile("" ::: "memory");
}
static __attribute__((noinline)) void second_giver(struct kmem_cache *to, void *object) {
    kmem_cache_free(to, object);
    __asm__ volatile("" ::: "memory");
}

enum { FUNCTION_BYTES = 128 };
static bool is_in(const void *address, const void *function) {
    return (const char *)address > (const char *)function &&
           (const char *)address < (const char *)function + FUNCTION_BYTES;
}

static void told(const char *what, const char *of, const void *object) {
    cr_assert_eq(world.bugs, 1);
    cr_assert_str_eq(world.bug.what, what);
    cr_assert_str_eq(world.bug.cache, of);
    cr_assert_eq(world.bug.object, object);
}

Test(debug, a_write_past_the_end) {
    u8 *object = taker();
    object[49] = 1;
    object[50] = 2;
    giver(cache, object);
    told("was written past its end", "watched", object);
    cr_assert(is_in(world.bug.taken, taker) && is_in(world.bug.caller, giver) && !world.bug.given_back);
    cr_assert_eq(kmem_cache_active(cache), 1, "it was not given back");
}

Test(debug, a_write_before_the_start) {
    u8 *object = taker();
    object[-1] = 1;
    giver(cache, object);
    told("was written before its start", "watched", object);
}

Test(debug, a_write_after_the_free) {
    u8 *object = taker();
    giver(cache, object);
    object[20] = 1;
    cr_assert_eq(taker(), object);
    told("was written while it was free", "watched", object);
    cr_assert(is_in(world.bug.caller, taker) && is_in(world.bug.taken, taker) &&
              is_in(world.bug.given_back, giver));
}

Test(debug, a_write_after_the_free_when_the_slab_goes) {
    u8 *object = taker();
    giver(cache, object);
    object[49] = 0;
    kmem_cache_shrink(cache);
    told("was written while it was free", "watched", object);
    cr_assert(!world.bug.caller && is_in(world.bug.given_back, giver));
}

Test(debug, a_second_free) {
    void *object = taker();
    giver(cache, object);
    second_giver(cache, object);
    told("is free already", "watched", object);
    cr_assert(is_in(world.bug.caller, second_giver) && is_in(world.bug.given_back, giver));
    kmem_check(cache);
}

Test(debug, a_free_into_the_wrong_cache) {
    struct kmem_cache *other = kmem_cache_create("other", 50, 0, 0, NULL, NULL);
    void *object = taker();
    giver(other, object);
    told("is of another cache", "other", object);
    cr_assert_str_eq(world.bug.owner, "watched");
    cr_assert(is_in(world.bug.caller, giver) && is_in(world.bug.taken, taker));
    kmem_check(cache);
    kmem_check(other);
    world.bugs = 0;
    kfree(object);
    told("is not of kmalloc", "size-N", object);
}

Test(debug, what_is_no_object) {
    char *object = taker(), elsewhere[8] = {0};
    struct kmem_cache *plain = kmem_cache_create("plain", 64, 0, 0, NULL, NULL);
    char *of_plain = kmem_cache_alloc(plain, GFP_KERNEL);
    char *wrong[] = {object + 1, object - 8, of_plain + 8, (char *)kmem_slab_of(of_plain)};
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        world.bugs = 0;
        giver(i < 2 ? cache : plain, wrong[i]);
        told("is the inside of an object, or none", i < 2 ? "watched" : "plain", wrong[i]);
    }
    char *nowhere[] = {NULL, elsewhere, (char *)kport_window, (char *)kport_window + SLAB_CHUNK_BYTES};
    for (u32 i = 0; i < ARRAY_LEN(nowhere); i++) {
        world.bugs = 0;
        giver(cache, nowhere[i]);
        told("is in no slab", "watched", nowhere[i]);
        cr_assert_null(world.bug.owner);
    }
    kmem_check(plain);
}

Test(debug, right_use_is_silent) {
    void *objects[300];
    for (u32 round = 0; round < 5; round++) {
        for (u32 i = 0; i < 300; i++) {
            objects[i] = taker();
            memset(objects[i], (int)i, 50);
        }
        for (u32 i = 0; i < 300; i++)
            giver(cache, objects[i]);
        kmem_check(cache);
    }
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert_eq(world.bugs, 0);
}

/* Each bit of the words around and each byte of the object. */
Test(debug, every_byte_is_watched) {
    u8 *object = taker();
    for (int at = -8; at < 58; at++) {
        bool inside = at >= 0 && at < 50;
        if (inside)
            giver(cache, object);
        world.bugs = 0;
        object[at] ^= 0x10;
        if (inside)
            cr_assert_eq(taker(), object);
        else
            giver(cache, object);
        cr_assert_eq(world.bugs, 1, "byte %d", at);
        object[at] ^= 0x10;
    }
}

/* All general and named caches with it, as the word slab=debug asks for. */
Test(debug, of_everything) {
    world_begin(SRV_CACHE);
    slab_server.registry.debug = true;
    cr_assert_eq(kmem_cache_init(), 0);
    void *objects[100];
    for (u32 i = 0; i < 100; i++)
        cr_assert(objects[i] = kmalloc(8 * i + 1, GFP_KERNEL));
    for (u32 i = 0; i < 100; i++)
        kfree(objects[i]);
    kmem_cache_drain();
    cr_assert_eq(world.bugs, 0);
    u8 *small = kmalloc(64, GFP_KERNEL);
    small[64] = 1;
    kfree(small);
    told("was written past its end", "size-64", small);
}
