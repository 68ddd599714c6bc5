/* SPDX-License-Identifier: MIT */
#include "core/cap.h"

struct captable captable_none = {.kind = KIND_COUNT};

void captable_init(struct captable *t, u64 frames) {
    t->kind = KIND_COUNT;
    t->slots = frames * CAPS_PER_FRAME;
}

bool cap_alive_without_frame(const struct capability *c) {
    const struct account *a = &accounts[c->account % ACCOUNTS];
    switch ((enum frame_kind)c->kind) {
    case KIND_ACCOUNT:
        return a->generation == c->generation;
    case KIND_REPLY:
        return c->object;
    default:
        return c->kind >= KIND_IRQ && c->kind <= KIND_TRACING;
    }
}

struct capability *cap_empty(struct captable *t, u64 slot, err *e) {
    *e = slot >= t->slots || slot == 0 ? -E_BADCAP : cap_alive(captable_slots(t) + slot) ? -E_OCCUPIED : 0;
    return *e ? NULL : captable_slots(t) + slot;
}

void cap_make(struct capability *c, enum frame_kind kind, void *object, u8 rights) {
    const struct frame *f = &frame_table[virt_to_frame(object)];
    *c = (struct capability){(u8)kind, rights, 0, f->generation, {object}, 0, f};
}

void cap_make_account(struct capability *c, u8 account, u8 rights) {
    *c = (struct capability){.kind = KIND_ACCOUNT,
                             .rights = rights,
                             .generation = accounts[account].generation,
                             .account = account};
}
