/* SPDX-License-Identifier: MIT */
/* Objects of cache that are mapped somewhere: linux holds one reference of each from its first region to its
 * last (region tells which those are), and its path for /proc/PID/maps. */
#include <string.h>

#include <abi/layout.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "kern.h"
#include "state.h"

struct mapped {
    struct mapped *next;
    u64 object, inode;
    u32 held, asked; /* references; calls of region under way that may bring one */
    bool on_disk;
    char path[];
};
#define BUCKETS 64
static struct mapped *bucket[BUCKETS];

static struct mapped **find(u64 object) {
    struct mapped **m = &bucket[object * 0x9e3779b97f4a7c15ull >> 58];
    while (*m && (*m)->object != object)
        m = &(*m)->next;
    return m;
}

struct object_name object_name(u64 object) {
    const struct mapped *m = *find(object);
    return m ? (struct object_name){m->path, m->inode, m->on_disk} : (struct object_name){.path = ""};
}

static void put(u64 object) {
    struct cache_put_rep rep;
    err e = cache_put(SERVICE(SRV_CACHE), &(struct cache_put_req){object}, &rep);
    (void)e; /* cache forgets it or has forgotten it */
}

/* Forgets the object if it is neither mapped nor about to be. */
static void forget_unused(struct mapped **place) {
    struct mapped *m = *place;
    if (!m || m->held || m->asked)
        return;
    *place = m->next;
    kfree(m);
}

static void settle(u64 object, bool first) {
    struct mapped **place = find(object);
    if (*place) {
        (*place)->asked--;
        (*place)->held += first;
        forget_unused(place);
    }
}

err object_map(u64 object, const char *path, u64 inode, enum object_source source) {
    struct mapped **place = find(object), *m = NULL;
    if (!*place && !(m = kmalloc(sizeof *m + strlen(path) + 1, GFP_KERNEL)))
        return -E_NOMEM;
    place = find(object); /* other workers may have been here meanwhile */
    if (!*place) {
        *m = (struct mapped){.object = object, .inode = inode, .on_disk = source != OBJECT_SHARED_OURS};
        strcpy(m->path, path);
        *place = m;
        m = NULL;
    }
    (*place)->asked++;
    kfree(m);
    if (source != OBJECT_FILE)
        return 0;
    struct cache_get_rep rep;
    err e = cache_get(SERVICE(SRV_CACHE), &(struct cache_get_req){object}, &rep);
    if (e < 0)
        settle(object, false);
    return e;
}

void object_mapped(u64 object, bool first) {
    settle(object, first);
    if (!first)
        put(object);
}

void object_unmapped(const u64 *released, u64 n) {
    u64 object[MSG_TAIL_WORDS]; /* the message page is used again by the calls below */
    if (!n)
        return;
    n = MIN(n, MSG_TAIL_WORDS);
    memcpy(object, released, n * sizeof *object);
    for (u64 i = 0; i < n; i++) {
        struct mapped **place = find(object[i]);
        if (*place && (*place)->held)
            (*place)->held--;
        forget_unused(place);
        put(object[i]);
    }
}

void objects_released(void) {
    struct region_released_rep rep;
    do {
        rep = (struct region_released_rep){0};
        if (region_released(SERVICE(SRV_REGION), &(struct region_released_req){0}, 0, &rep) < 0)
            return;
        object_unmapped(ipc_tail(), rep.released);
    } while (rep.again);
}
