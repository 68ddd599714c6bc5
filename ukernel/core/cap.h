/* SPDX-License-Identifier: MIT */
/* Capabilities: a space's linear table of 32-byte slots. A capability names an object by its kernel address
 * and the generation of the object's frame, so that all capabilities of an object die when its frame gets
 * another use. */
#pragma once

#include <abi/object.h>
#include <abi/types.h>

#include "mm/space.h"

struct capability {
    u8 kind;   /* enum frame_kind; KIND_RESERVED: the slot is empty */
    u8 rights; /* enum right */
    u16 reserved;
    u32 generation; /* of the object's first frame, or of the account, when the capability was made */
    u64 object; /* space, thread, endpoint, table: kernel address of the object; permit: of its space; right
                 * to reply: of the waiting thread; account: its number; irq, ioport, tracing: 0 */
    u64 badge;  /* endpoint: 0 none; right to reply: the call's number; permit: index | generation << 8 */
    u64 unused;
};
_Static_assert(sizeof(struct capability) * CAPS_PER_FRAME == PAGE_BYTES, "a capability is 32 bytes");

/* Slot 0 of a table never holds a capability; the table's own record lies there. */
struct captable {
    u8 kind; /* KIND_RESERVED */
    u8 pad[3];
    u32 slots;  /* in the table, slot 0 counted */
    u32 bound;  /* spaces that use it; it is destroyed only when 0 */
    u32 cursor; /* destroy: slots below are empty */
    u64 reserved[2];
};
_Static_assert(sizeof(struct captable) == sizeof(struct capability), "slot 0");

/* Make a table of `frames` contiguous cleared frames. */
void captable_init(struct captable *t, u32 frames);

static inline struct capability *captable_slots(struct captable *t) {
    return (struct capability *)t;
}

/* The generation of the frame that a kernel object lives in. */
static inline u32 cap_generation(u64 object) {
    return frame_table[virt_to_frame((const void *)object)].generation;
}

/* The endpoint that is referred to, or NULL if there is none or it has been destroyed. */
static inline struct endpoint *endpoint_ref_get(const struct endpoint_ref *ref) {
    if (!ref->endpoint || cap_generation((u64)ref->endpoint) != ref->generation)
        return NULL;
    return ref->endpoint;
}

/* Is the object that the capability names still the one it was made for? */
bool cap_alive(const struct capability *c);

/* The live capability in a slot; NULL if there is none. A table that is NULL has no slots. */
struct capability *cap_any(struct captable *t, u64 slot);

/* The live capability in a slot if it is of that kind and has all of those rights. NULL: *e = -E_BADCAP,
 * -E_KIND or -E_RIGHTS. */
struct capability *cap_get(struct captable *t, u64 slot, enum frame_kind kind, u8 rights, err *e);

/* The endpoint that a slot gives that right on; NULL if cap_get would say no. The short way for IPC. */
static inline struct capability *cap_get_endpoint(struct captable *t, u32 slot, u8 right) {
    if (!t || slot >= t->slots)
        return NULL;
    struct capability *c = captable_slots(t) + slot;
    bool good = c->kind == KIND_ENDPOINT && c->rights & right && cap_generation(c->object) == c->generation;
    return good ? c : NULL;
}

/* A slot to put a capability into: empty, or holding a dead one. NULL: *e = -E_BADCAP (no such slot) or
 * -E_OCCUPIED. */
struct capability *cap_empty_slow(struct captable *t, u64 slot, err *e);
static inline struct capability *cap_empty(struct captable *t, u64 slot, err *e) {
    if (t && slot < t->slots && slot && captable_slots(t)[slot].kind == KIND_RESERVED)
        return captable_slots(t) + slot;
    return cap_empty_slow(t, slot, e);
}

/* Fill a slot with a capability to the object that lives at a kernel address, or to an account; no badge. */
void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights);
void cap_make_account(struct capability *c, u8 account, u8 rights);

static inline void cap_clear(struct capability *c) {
    *c = (struct capability){0};
}
static inline struct endpoint *cap_endpoint(const struct capability *c) {
    return (struct endpoint *)c->object;
}
static inline struct thread *cap_thread(const struct capability *c) {
    return (struct thread *)c->object;
}
static inline struct space *cap_space(const struct capability *c) {
    return (struct space *)c->object;
}
static inline struct permit *cap_permit(const struct capability *c) {
    return &cap_space(c)->permits[c->badge & (PERMITS_PER_SPACE - 1)];
}
