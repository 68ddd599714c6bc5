/* SPDX-License-Identifier: MIT */
/* Spaces: made of one frame, bound to this server as pager and to linux for everything else. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/slab.h>

#include "shell.h"

enum { COPY_PAGER, COPY_LINUX, COPY_SPACE };

struct space *space_of(u64 id) {
    return id < SPACES_MAX ? shell.space[id] : NULL;
}

/* Numbers go round, so that a number that linux has just given up does not come back at once. */
static u32 free_id(void) {
    for (u32 i = 0; i < SPACES_MAX; i++) {
        u32 id = shell.next_id++ % SPACES_MAX;
        if (id != 0 && !shell.space[id])
            return id;
    }
    return 0;
}

/* Puts a copy of an endpoint with a badge into one of the slots kept for that. */
static err badged_copy(u32 which, u32 source, u32 badge) {
    return sys_cap_copy(SLOT_TABLE, shell.badge_slots[which], source, RIGHT_ALL, badge);
}

static err bind(u32 slot, u32 id) {
    err e = badged_copy(COPY_PAGER, SLOT_ENDPOINT, id);
    if (e < 0)
        return e;
    e = badged_copy(COPY_LINUX, shell.linux_slot, id);
    if (e == 0) {
        u32 pager = shell.badge_slots[COPY_PAGER], linux = shell.badge_slots[COPY_LINUX];
        e = sys_space_bind(slot, pager, linux, linux, 0, 0, SPACE_WX);
        ASSERT(sys_cap_drop(SLOT_TABLE, linux) == 0);
    }
    ASSERT(sys_cap_drop(SLOT_TABLE, shell.badge_slots[COPY_PAGER]) == 0);
    return e;
}

/* The kernel's side: object, tables, bindings. 0 or an error, and nothing is left. */
static err make_object(struct space *s, u32 id) {
    u32 slot = slot_alloc();
    if (!slot)
        return -E_NOMEM;
    s->frame = frame_for_table();
    if (!s->frame)
        goto no_frame;
    if (sys_retype(s->frame, 1, KIND_SPACE, slot) < 0)
        goto no_object;
    if (tables_feed(slot, TABLES_NEW) < 0 || bind(slot, id) < 0)
        goto no_tables;
    s->mm->tables = TABLES_NEW;
    s->mm->space = slot;
    s->mm->id = id;
    s->mm->fault_key = id | ++shell.spaces_made << FAULT_KEY_SHIFT;
    return 0;
no_tables:
    while (sys_destroy(slot) == -E_AGAIN) {
    }
no_object:
    __free_page(s->frame);
no_frame:
    slot_free(slot);
    return -E_NOMEM;
}

struct space *space_create(err *why) {
    u32 id = free_id();
    struct space *s = id ? kmem_cache_alloc(shell.space_cachep, GFP_KERNEL) : NULL;
    *why = id ? -E_NOMEM : -E_AGAIN;
    if (!s)
        return NULL;
    *s = (struct space){.mm = mm_alloc(&shell.ctx)};
    if (s->mm && make_object(s, id) == 0) {
        TAILQ_INIT(&s->waiting);
        shell.space[id] = s;
        return s;
    }
    if (s->mm)
        mm_free(s->mm);
    kmem_cache_free(shell.space_cachep, s);
    return NULL;
}

void space_forget(u32 id) {
    struct space *s = shell.space[id];
    struct deferred *d;

    shell.space[id] = NULL;
    while ((d = TAILQ_FIRST(&s->waiting))) {
        TAILQ_REMOVE(&s->waiting, d, link);
        (void)!ipc_answer(d->reply, -E_SRCH, NULL, 0, 0);
        slot_free(d->reply);
        kmem_cache_free(shell.deferred_cachep, d);
    }
    kmem_cache_free(shell.space_cachep, s);
}

u32 space_for_linux(const struct space *s) {
    u32 slot = shell.badge_slots[COPY_SPACE];
    (void)!sys_cap_drop(SLOT_TABLE, slot); /* the one of the answer before this; empty at first */
    return sys_cap_copy(SLOT_TABLE, slot, s->mm->space, RIGHT_COPY | RIGHT_CONTROL, 0) == 0 ? slot : 0;
}
