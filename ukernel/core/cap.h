/* SPDX-License-Identifier: MIT */
/* Capabilities: a space's linear table of 32-byte slots. A capability names an object by its kernel address
 * and the generation of the object's frame, so that all capabilities of an object die when its frame gets
 * another use. */
#pragma once

#include "mm/space.h"

struct capability {
    u8 kind;   /* enum frame_kind; KIND_RESERVED: the slot is empty */
    u8 rights; /* enum right */
    u16 reserved;
    u32 generation; /* of the object's first frame, or of the account, when the capability was made */
    union {
        void *object; /* kernel address of what it names; NULL: a right to reply whose thread waits no more */
        struct space *space; /* a permit's too */
        struct thread *thread;
        struct endpoint *endpoint;
        struct captable *table;
        u64 account; /* its number */
    };
    u64 badge;                 /* endpoint: 0 none; permit: index | generation << 8 */
    const struct frame *frame; /* the object's first one; NULL: none, or a right to reply */
};
_Static_assert(sizeof(struct capability) * CAPS_PER_FRAME == PAGE_BYTES, "a capability is 32 bytes");

/* Slot 0 of a table never holds a capability, nor is it empty; the table's own record lies there. */
struct captable {
    u8 kind; /* KIND_COUNT */
    u8 pad[3];
    u32 bound;  /* spaces that use it; it is destroyed only when 0 */
    u64 slots;  /* in the table, slot 0 counted */
    u64 cursor; /* destroy: slots below are empty */
    u64 unused;
};
_Static_assert(sizeof(struct captable) == sizeof(struct capability), "slot 0");

/* What a space has that was bound to none: no slots. */
extern struct captable captable_none;

/* Make a table of `frames` contiguous cleared frames. */
void captable_init(struct captable *t, u64 frames);

static inline struct capability *captable_slots(struct captable *t) {
    return (struct capability *)t;
}

/* The endpoint that is referred to, or NULL if there is none or it has been destroyed. */
static inline struct endpoint *endpoint_ref_get(const struct endpoint_ref *ref) {
    return ref->frame && ref->frame->generation == ref->generation ? ref->endpoint : NULL;
}

static inline struct permit *cap_permit(const struct capability *c) {
    return &c->space->permits[c->badge & (PERMITS_PER_SPACE - 1)];
}

/* Is the object that the capability names still the one it was made for? */
bool cap_alive_without_frame(const struct capability *c);
static inline bool cap_alive(const struct capability *c) {
    if (!c->frame)
        return cap_alive_without_frame(c);
    return c->frame->generation == c->generation &&
           (c->kind != KIND_PERMIT || cap_permit(c)->generation == c->badge >> 8);
}

/* The live capability in a slot; NULL if there is none. */
static inline struct capability *cap_any(struct captable *t, u64 slot) {
    return slot < t->slots && cap_alive(captable_slots(t) + slot) ? captable_slots(t) + slot : NULL;
}

/* The live capability in a slot if it is of that kind and has all of those rights. NULL: *e = -E_BADCAP,
 * -E_KIND or -E_RIGHTS. */
static inline struct capability *cap_get(struct captable *t, u64 slot, enum frame_kind kind, u8 rights,
                                         err *e) {
    struct capability *c = cap_any(t, slot);
    *e = !c ? -E_BADCAP : c->kind != kind ? -E_KIND : (c->rights & rights) != rights ? -E_RIGHTS : 0;
    return *e ? NULL : c;
}

/* A slot to put a capability into: empty, or holding a dead one. NULL: *e = -E_BADCAP (no such slot) or
 * -E_OCCUPIED. */
struct capability *cap_empty(struct captable *t, u64 slot, err *e);

/* Fill a slot with a capability to the object that lives at a kernel address, or to an account; no badge. */
void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights);
void cap_make_account(struct capability *c, u8 account, u8 rights);

static inline void cap_clear(struct capability *c) {
    *c = (struct capability){0};
}
