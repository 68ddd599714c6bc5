/* SPDX-License-Identifier: MIT */
#include "core/object.h"
#include "arch/cpu.h"
#include "core/reply.h"

#define DESTROY_SLOTS 512 /* of a capability table in one step */
#define DESTROY_WAKES 32

static void space_create(struct space *s) {
    space_init(s);
    s->table = &captable_none;
}

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
    else if (kind == KIND_SPACE)
        space_create(object);
    else if (kind == KIND_CAPTABLE)
        captable_init(object, (u32)count);
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

/* Nothing is put into a table and nobody comes to an endpoint that is half destroyed: all capabilities to it
 * die with the first step but the one that is used to destroy it, and that is good for nothing else. */
static err go_on_later(struct capability *cap) {
    cap->generation = ++frame_table[virt_to_frame((void *)cap->object)].generation;
    cap->rights = RIGHT_DESTROY;
    return -E_AGAIN;
}

err object_destroy(struct capability *cap) {
    void *object = (void *)cap->object;
    u64 frames = 1;
    err e;
    switch ((enum frame_kind)cap->kind) {
    case KIND_THREAD:
        e = destroy_thread(object);
        break;
    case KIND_ENDPOINT:
        e = endpoint_drain(object) ? 0 : go_on_later(cap);
        break;
    case KIND_SPACE:
        e = destroy_space(object);
        break;
    case KIND_CAPTABLE:
        frames = ((struct captable *)object)->slots / CAPS_PER_FRAME;
        e = ((struct captable *)object)->bound ? -E_BUSY : destroy_table(object) ? 0 : go_on_later(cap);
        break;
    default:
        e = -E_KIND;
    }
    if (!e)
        frame_end(virt_to_frame(object), frames);
    return e;
}
