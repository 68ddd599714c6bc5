/* SPDX-License-Identifier: MIT */
#include "core/object.h"
#include "arch/cpu.h"
#include "core/reply.h"

#define DESTROY_SLOTS 512 /* of a capability table in one step */
#define DESTROY_WAKES 32

err object_create(struct capability *slot, pfn first, u64 count, u64 kind, u8 account) {
    if (kind != KIND_SPACE && kind != KIND_THREAD && kind != KIND_ENDPOINT && kind != KIND_CAPTABLE)
        return -E_KIND;
    if (count == 0 || count > (kind == KIND_CAPTABLE ? CAPTABLE_FRAMES_MAX : 1))
        return -E_INVAL;
    err e = frame_begin(first, count, account, (enum frame_kind)kind);
    if (e)
        return e;
    void *object = frame_to_virt(first);
    if (kind == KIND_THREAD)
        thread_init(object);
    else if (kind == KIND_ENDPOINT)
        endpoint_init(object);
    else if (kind == KIND_CAPTABLE)
        captable_init(object, (u32)count);
    else {
        space_init(object);
        ((struct space *)object)->table = &captable_none;
    }
    cap_make(slot, (enum frame_kind)kind, object, RIGHT_ALL);
    return 0;
}

static err destroy_thread(struct thread *t) {
    thread_stop(t);
    thread_unbind(t);
    if (t == cpu.current)
        cpu.current = NULL;
    return 0;
}

static err destroy_space(struct space *s) {
    if (s->threads)
        return -E_BUSY;
    err e = space_destroy_step(s);
    if (e)
        return e;
    s->table->bound--;
    arch_ports_close(s);
    return space_set_account(s, 0);
}

/* Rights to reply in the table are dropped: whoever waits for them goes on. True: that was the last. */
static bool destroy_table(struct captable *t) {
    u32 wakes = 0;
    u64 end = MIN(t->cursor + DESTROY_SLOTS, t->slots);
    for (; t->cursor < end && wakes < DESTROY_WAKES; t->cursor++) {
        struct capability *c = captable_slots(t) + t->cursor;
        if (c->kind != KIND_REPLY)
            continue;
        reply_drop(c);
        wakes++;
    }
    return t->cursor == t->slots;
}

/* One step. Nothing is put into a table and nobody comes to an endpoint that is half destroyed: all
 * capabilities to it die with the first step but the one that is used to destroy it, and that is good for
 * nothing else. */
static err destroy_shared(struct capability *cap) {
    if (cap->kind == KIND_CAPTABLE && cap->table->bound)
        return -E_BUSY;
    if (cap->kind == KIND_ENDPOINT ? endpoint_drain(cap->endpoint) : destroy_table(cap->table))
        return 0;
    cap->generation = ++frame_table[virt_to_frame(cap->object)].generation;
    cap->rights = RIGHT_DESTROY;
    return -E_AGAIN;
}

err object_destroy(struct capability *cap) {
    pfn first = virt_to_frame(cap->object);
    cpu.checks += cap->kind == KIND_ENDPOINT;
    u64 frames = cap->kind == KIND_CAPTABLE ? cap->table->slots / CAPS_PER_FRAME : 1;
    err e = -E_KIND;
    if (cap->kind == KIND_THREAD)
        e = destroy_thread(cap->thread);
    else if (cap->kind == KIND_SPACE)
        e = destroy_space(cap->space);
    else if (cap->kind == KIND_ENDPOINT || cap->kind == KIND_CAPTABLE)
        e = destroy_shared(cap);
    if (!e)
        frame_end(first, frames);
    return e;
}
