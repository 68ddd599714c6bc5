/* SPDX-License-Identifier: MIT */
#include "core/cap.h"
#include "core/endpoint.h"
#include "core/reply.h"
#include "core/thread.h"
#include "mm/space.h"

void captable_init(struct captable *t, u32 frames) {
    t->slots = frames * CAPS_PER_FRAME;
}

static bool permit_alive(const struct capability *c) {
    if (cap_generation(c->object) != c->generation)
        return false;
    const struct permit *p = cap_permit(c);
    return p->live && p->generation == c->badge >> 8;
}

bool cap_alive(const struct capability *c) {
    switch ((enum frame_kind)c->kind) {
    case KIND_SPACE:
    case KIND_THREAD:
    case KIND_ENDPOINT:
    case KIND_CAPTABLE:
        return cap_generation(c->object) == c->generation;
    case KIND_ACCOUNT:
        return accounts[c->object].state != ACCOUNT_FREE && accounts[c->object].generation == c->generation;
    case KIND_PERMIT:
        return permit_alive(c);
    case KIND_REPLY:
        return reply_waiter(c) != NULL;
    case KIND_IRQ:
    case KIND_IOPORT:
    case KIND_TRACING:
        return true;
    default:
        return false;
    }
}

struct capability *cap_any(struct captable *t, u64 slot) {
    if (!t || slot >= t->slots || slot == 0)
        return NULL;
    struct capability *c = captable_slots(t) + slot;
    return c->kind != KIND_RESERVED && cap_alive(c) ? c : NULL;
}

struct capability *cap_get(struct captable *t, u64 slot, enum frame_kind kind, u8 rights, err *e) {
    struct capability *c = cap_any(t, slot);
    *e = !c ? -E_BADCAP : c->kind != kind ? -E_KIND : (c->rights & rights) != rights ? -E_RIGHTS : 0;
    return *e ? NULL : c;
}

struct capability *cap_empty_slow(struct captable *t, u64 slot, err *e) {
    if (!t || slot >= t->slots || slot == 0) {
        *e = -E_BADCAP;
        return NULL;
    }
    struct capability *c = captable_slots(t) + slot;
    if (c->kind != KIND_RESERVED && cap_alive(c)) {
        *e = -E_OCCUPIED;
        return NULL;
    }
    return c;
}

void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights) {
    *c = (struct capability){
        .kind = (u8)kind, .rights = rights, .generation = cap_generation((u64)object), .object = (u64)object};
}

void cap_make_account(struct capability *c, u8 account, u8 rights) {
    *c = (struct capability){.kind = KIND_ACCOUNT,
                             .rights = rights,
                             .generation = accounts[account].generation,
                             .object = account};
}
