/* SPDX-License-Identifier: MIT */
#include "core/cap.h"
#include "core/endpoint.h"
#include "core/thread.h"
#include "mm/space.h"

struct captable captable_none = {.kind = KIND_COUNT};

void captable_init(struct captable *t, u64 frames) {
    t->kind = KIND_COUNT;
    t->slots = frames * CAPS_PER_FRAME;
}

bool cap_alive(const struct capability *c) {
    switch ((enum frame_kind)c->kind) {
    case KIND_SPACE:
    case KIND_THREAD:
    case KIND_ENDPOINT:
    case KIND_CAPTABLE:
        return c->frame->generation == c->generation;
    case KIND_ACCOUNT:
        return accounts[c->object].state != ACCOUNT_FREE && accounts[c->object].generation == c->generation;
    case KIND_PERMIT:
        return c->frame->generation == c->generation && cap_permit(c)->live &&
               cap_permit(c)->generation == c->badge >> 8;
    case KIND_REPLY:
        return c->object;
    case KIND_IRQ:
    case KIND_IOPORT:
    case KIND_TRACING:
        return true;
    default:
        return false;
    }
}

struct capability *cap_any(struct captable *t, u64 slot) {
    return slot < t->slots && cap_alive(captable_slots(t) + slot) ? captable_slots(t) + slot : NULL;
}

struct capability *cap_get(struct captable *t, u64 slot, enum frame_kind kind, u8 rights, err *e) {
    struct capability *c = cap_any(t, slot);
    *e = !c ? -E_BADCAP : c->kind != kind ? -E_KIND : (c->rights & rights) != rights ? -E_RIGHTS : 0;
    return *e ? NULL : c;
}

struct capability *cap_empty(struct captable *t, u64 slot, err *e) {
    *e = slot >= t->slots || slot == 0 ? -E_BADCAP : cap_alive(captable_slots(t) + slot) ? -E_OCCUPIED : 0;
    return *e ? NULL : captable_slots(t) + slot;
}

void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights) {
    const struct frame *f = &frame_table[virt_to_frame(object)];
    *c = (struct capability){(u8)kind, rights, 0, f->generation, (u64)object, 0, f};
}

void cap_make_account(struct capability *c, u8 account, u8 rights) {
    *c = (struct capability){.kind = KIND_ACCOUNT,
                             .rights = rights,
                             .generation = accounts[account].generation,
                             .object = account};
}
