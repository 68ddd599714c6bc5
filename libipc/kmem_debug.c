/* SPDX-License-Identifier: MIT */
/* Red zones and poison. A cell with debugging (proto/slab.def):
 *
 *     | word | object: size bytes | word | fill to 8 | who took it last | who gave it back last |
 *       `--- SLAB_RED_ZONE only ----'
 *
 * The words say whether the object is in use; whoever writes past it (or before it) destroys one. A free
 * object is filled with poison; when it is taken, or its slab leaves, the poison must be whole. */
#include <string.h>

#include "kmem.h"
#include "kmem_port.h"

/* As in Linux 2.4. */
#define RED_INACTIVE 0x5a2cf071ull
#define RED_ACTIVE   0x170fc2a5ull
enum { POISON_BYTE = 0x5a, POISON_END = 0xa5 };

/* The word after the object may lie anywhere. */
static char *word_before(const void *object) {
    return (char *)(uintptr_t)object - SLAB_ZONE_BYTES;
}
static char *word_after(const struct kmem_cache *cache, const void *object) {
    return (char *)(uintptr_t)object + cache->size;
}

static const void **callers_of(const struct kmem_cache *cache, const void *object) {
    return (const void **)(void *)((char *)(uintptr_t)object - cache->offset + cache->stride -
                                   SLAB_CALLERS_BYTES);
}

static void set_zones(const struct kmem_cache *cache, void *object, u64 value) {
    if (!(cache->flags & SLAB_RED_ZONE))
        return;
    memcpy(word_before(object), &value, sizeof value);
    memcpy(word_after(cache, object), &value, sizeof value);
}

static bool zones_are(const struct kmem_cache *cache, const void *object, u64 value, const char **what) {
    u64 before, after;
    if (!(cache->flags & SLAB_RED_ZONE))
        return true;
    memcpy(&before, word_before(object), sizeof before);
    memcpy(&after, word_after(cache, object), sizeof after);
    *what = after != value ? "was written past its end" : "was written before its start";
    return before == value && after == value;
}

static void poison(const struct kmem_cache *cache, void *object) {
    if (!(cache->flags & SLAB_POISON))
        return;
    memset(object, POISON_BYTE, cache->size);
    ((u8 *)object)[cache->size - 1] = POISON_END;
}

static bool poison_is_whole(const struct kmem_cache *cache, const void *object) {
    const u8 *at = object;
    if (!(cache->flags & SLAB_POISON))
        return true;
    for (u32 i = 0; i + 1 < cache->size; i++)
        if (at[i] != POISON_BYTE)
            return false;
    return at[cache->size - 1] == POISON_END;
}

void kmem_debug_tell(const char *what, const char *cache, const struct slab *slab, const void *object,
                     const void *caller) {
    struct kmem_bug bug = {.what = what, .cache = cache, .object = object, .caller = caller};
    if (slab) {
        const struct kmem_cache *owner = slab->cache;
        u64 offset = (u64)((const char *)object - slab->objects);
        bug.owner = owner->name;
        if (owner->flags & SLAB_DEBUG && offset % owner->stride == 0 &&
            offset / owner->stride < owner->objects) {
            bug.taken = callers_of(owner, object)[0];
            bug.given_back = callers_of(owner, object)[1];
        }
    }
    kport_bug(&bug);
}

static void tell(const char *what, const struct kmem_cache *cache, const void *object, const void *caller) {
    kmem_debug_tell(what, cache->name, kmem_slab_of(object), object, caller);
}

void kmem_debug_fresh(const struct kmem_cache *cache, void *object) {
    callers_of(cache, object)[0] = callers_of(cache, object)[1] = NULL;
    set_zones(cache, object, RED_INACTIVE);
    poison(cache, object);
}

static void check_free(const struct kmem_cache *cache, const void *object, const void *caller) {
    const char *what;
    if (!zones_are(cache, object, RED_INACTIVE, &what))
        tell(what, cache, object, caller);
    else if (!poison_is_whole(cache, object))
        tell("was written while it was free", cache, object, caller);
}

void kmem_debug_taken(const struct kmem_cache *cache, void *object, const void *caller) {
    check_free(cache, object, caller);
    set_zones(cache, object, RED_ACTIVE);
    callers_of(cache, object)[0] = caller;
}

bool kmem_debug_given_back(const struct kmem_cache *cache, void *object, const void *caller) {
    const char *what;
    if (!zones_are(cache, object, RED_ACTIVE, &what)) {
        tell(what, cache, object, caller);
        return false;
    }
    set_zones(cache, object, RED_INACTIVE);
    poison(cache, object);
    callers_of(cache, object)[1] = caller;
    return true;
}

void kmem_debug_leaving(const struct kmem_cache *cache, const void *object) {
    check_free(cache, object, NULL);
}
