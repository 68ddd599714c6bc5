/* SPDX-License-Identifier: MIT */
/* Capabilities: a space's linear table of 32-byte slots. A capability names an object by its kernel address and the
 * generation of the object's frame, so that all capabilities of an object die when its frame gets another use. */
#pragma once

#include <abi/object.h>
#include <abi/types.h>

struct space;

struct capability {
    u8 kind;        /* enum frame_kind; KIND_RESERVED: the slot is empty */
    u8 rights;      /* enum right */
    u16 reserved;
    u32 generation; /* of the object's first frame when the capability was made; 0 for kinds without an object */
    u64 object;     /* space, thread, endpoint, table, permit: kernel address of the object (of the permit's space; of
                     * the waiting thread for a right to reply); account: number; irq, ioport, tracing: 0 */
    u64 badge;      /* endpoint: badge, 0 none; reply: call number; permit: index | serial << 8 */
    u64 extra;      /* reply: range that the answer may map (FORWARD_RANGE's bits), see fault.c */
};
_Static_assert(sizeof(struct capability) * CAPS_PER_FRAME == PAGE_BYTES, "a capability is 32 bytes");

/* Slot 0 of a table never holds a capability; the table's own record lies there. */
struct captable {
    u8 kind; /* KIND_RESERVED */
    u8 pad[3];
    u32 slots; /* in the table, slot 0 counted */
    u32 bound; /* spaces that use it; it is destroyed only when 0 */
    u32 pad2;
    u64 reserved[2];
};
_Static_assert(sizeof(struct captable) == sizeof(struct capability), "slot 0");

/* Make a table of `frames` contiguous cleared frames. */
void captable_init(struct captable *t, u32 frames);

/* The capability in a slot of the table if it is of that kind, has all of those rights and its object is alive; NULL and *e =
 * -E_BADCAP, -E_KIND or -E_RIGHTS otherwise. A reply right is not looked at for life: see reply.c. */
struct capability *cap_get(struct captable *t, u64 slot, enum frame_kind kind, u8 rights, err *e);

/* An empty slot of the table to put a capability into, or NULL and *e = -E_BADCAP or -E_OCCUPIED. */
struct capability *cap_empty(struct captable *t, u64 slot, err *e);

/* Is the object that the capability names still the one it was made for? True for kinds without an object. */
bool cap_alive(const struct capability *c);

/* Fill an empty slot with a capability to the object that lives in a frame (all rights, no badge). */
void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights);

static inline void cap_clear(struct capability *c) { *c = (struct capability){0}; }
static inline struct capability *captable_slots(struct captable *t) { return (struct capability *)t; }
