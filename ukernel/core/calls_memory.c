/* SPDX-License-Identifier: MIT */
/* Plain calls on memory: decode, then mm/ does the work. */
#include <string.h>

#include "core/reply.h"
#include "core/syscall.h"
#include "core/trace.h"
#include "arch/log.h"

/* What the caller may do in a space, by a capability to the space or a permit. */
static err get_window(struct call *c, u64 slot, u8 rights, struct window *w) {
    const struct capability *cap = cap_any(c->table, slot);
    if (!cap)
        return -E_BADCAP;
    if (cap->kind != KIND_SPACE && cap->kind != KIND_PERMIT)
        return -E_KIND;
    if ((cap->rights & rights) != rights)
        return -E_RIGHTS;
    *w = cap->kind == KIND_SPACE ? window_of_space(cap_space(cap), c->account)
                                 : window_of_permit(cap_space(cap), cap_permit(cap), c->account);
    return 0;
}

static void trace_range(struct call *c, enum trace_kind kind, const struct space *s, u64 address, u64 frame,
                        u64 flags, u64 pages) {
    if (trace_on(kind))
        trace_write(
            kind, thread_id(c->caller),
            (const u64[6]){address, frame, space_frame(s) | flags << 32, pages, c->caller->serving, 0});
}

static i64 range_out(struct call *c, struct range_result r) {
    c->second = r.records | (u64)r.stop << 32;
    return r.next;
}

/* feed: space or permit, count. */
i64 call_feed(struct call *c) {
    struct window w;
    err e = get_window(c, c->a[0], RIGHT_FEED, &w);
    if (e || !c->area)
        return e ? e : -E_FAULT;
    return space_feed(w.space, c->account, c->area, c->a[1]);
}

i64 call_unfeed(struct call *c) {
    struct window w;
    err e = get_window(c, c->a[0], RIGHT_FEED, &w);
    if (e || !c->area)
        return e ? e : -E_FAULT;
    return space_unfeed(w.space, c->account, c->area, c->a[1]);
}

/* map: space or permit, count; items in the area. */
i64 call_map(struct call *c) {
    struct window w;
    err e = get_window(c, c->a[0], RIGHT_MAP, &w);
    if (e || !c->area)
        return e ? e : -E_FAULT;
    const struct map_item *items = (const struct map_item *)c->area;
    struct map_result r = mm_map(&w, items, c->a[1]);
    c->second = r.why;
    if (r.done > 0)
        trace_range(c, TRACE_MAP, w.space, items->address & ~PAGE_MASK, items->frame,
                    items->address & PAGE_MASK, (u64)r.done);
    return r.done;
}

/* unmap: space or permit, first, pages, flags. */
i64 call_unmap(struct call *c) {
    struct window w;
    err e = get_window(c, c->a[0], RIGHT_MAP, &w);
    if (e || !c->area)
        return e ? e : -E_FAULT;
    trace_range(c, TRACE_UNMAP, w.space, c->a[1], 0, c->a[3], c->a[2]);
    return range_out(c, mm_unmap(&w, c->a[1], c->a[2], c->a[3], c->area));
}

i64 call_protect(struct call *c) {
    struct window w;
    err e = get_window(c, c->a[0], RIGHT_MAP, &w);
    return e ? e : range_out(c, mm_protect(&w, c->a[1], c->a[2], c->a[3]));
}

i64 call_scan(struct call *c) {
    err e;
    const struct capability *s = call_cap(c, c->a[0], KIND_SPACE, RIGHT_MAP, &e);
    if (!s || !c->area)
        return e ? e : -E_FAULT;
    return range_out(c, mm_scan(cap_space(s), c->a[1], c->a[2], c->a[3], c->area));
}

static i64 clone(struct call *c, bool private) {
    err e;
    const struct capability *from = call_cap(c, c->a[0], KIND_SPACE, RIGHT_MAP, &e);
    if (!from)
        return e;
    const struct capability *to = call_cap(c, c->a[1], KIND_SPACE, RIGHT_MAP, &e);
    if (!to || !c->area)
        return e ? e : -E_FAULT;
    trace_range(c, TRACE_MAP, cap_space(to), c->a[2], 0, private, c->a[3]);
    return range_out(c, mm_clone(cap_space(from), cap_space(to), c->a[2], c->a[3], private, c->area));
}

i64 call_clone(struct call *c) {
    return clone(c, false);
}

i64 call_clone_private(struct call *c) {
    return clone(c, true);
}

/* One side of a copy: own frames, a space, or the space of a waiting alien call or exception. */
static err get_side(struct call *c, u64 slot, u64 at, struct copy_side *side) {
    *side = (struct copy_side){.at = at, .account = c->account};
    if (slot == COPY_FRAMES)
        return 0;
    const struct capability *cap = cap_any(c->table, slot);
    if (!cap)
        return -E_BADCAP;
    if (cap->kind == KIND_REPLY) {
        const struct thread *t = reply_waiter(cap);
        side->space = t->space;
        return t->kind == MSG_ALIEN || t->kind == MSG_EXCEPTION ? 0 : -E_RIGHTS;
    }
    side->space = cap_space(cap);
    return cap->kind != KIND_SPACE ? -E_KIND : cap->rights & RIGHT_COPY ? 0 : -E_RIGHTS;
}

/* copy: to, address, from, address, bytes. */
i64 call_copy(struct call *c) {
    struct copy_side to, from;
    err e = get_side(c, c->a[0], c->a[1], &to);
    if (!e)
        e = get_side(c, c->a[2], c->a[3], &from);
    if (e)
        return e;
    struct copy_result r = mm_copy(&to, &from, c->a[4]);
    c->second = r.stopped;
    return r.done;
}

/* permit: space, first, pages, rights (MAP_xxx), slot. */
i64 call_permit(struct call *c) {
    err e;
    const struct capability *cap = call_cap(c, c->a[0], KIND_SPACE, RIGHT_MAP, &e);
    if (!cap)
        return e;
    struct capability *slot = cap_empty(c->table, c->a[4], &e);
    if (!slot)
        return e;
    struct space *s = cap_space(cap);
    i64 index = space_permit(s, c->a[1], c->a[2], c->a[3]);
    if (index < 0)
        return index;
    cap_make(slot, KIND_PERMIT, s, RIGHT_MAP | (cap->rights & RIGHT_FEED));
    slot->badge = (u64)index | (u64)s->permits[index].generation << 8;
    return 0;
}

i64 call_permit_end(struct call *c) {
    err e;
    struct capability *cap = call_cap(c, c->a[0], KIND_PERMIT, 0, &e);
    if (!cap)
        return e;
    e = space_permit_end(cap_space(cap), cap->badge & 0xff);
    if (!e)
        cap_clear(cap);
    return e;
}

i64 call_account_open(struct call *c) {
    err e;
    const struct capability *parent = call_cap(c, c->a[0], KIND_ACCOUNT, RIGHT_CONTROL, &e);
    if (!parent)
        return e;
    struct capability *slot = cap_empty(c->table, c->a[1], &e);
    if (!slot)
        return e;
    i64 account = account_open((u8)parent->object);
    if (account < 0)
        return account;
    cap_make_account(slot, (u8)account, RIGHT_ALL);
    return 0;
}

i64 call_account_close(struct call *c) {
    err e;
    const struct capability *a = call_cap(c, c->a[0], KIND_ACCOUNT, RIGHT_DESTROY, &e);
    return a ? account_close((u8)a->object) : e;
}

/* account_bind: account, endpoint, bit. */
i64 call_account_bind(struct call *c) {
    err e;
    const struct capability *a = call_cap(c, c->a[0], KIND_ACCOUNT, RIGHT_CONTROL, &e);
    if (!a)
        return e;
    const struct capability *to = call_cap(c, c->a[1], KIND_ENDPOINT, RIGHT_NOTIFY, &e);
    if (!to)
        return e;
    if (c->a[2] >= 64)
        return -E_INVAL;
    account_bind((u8)a->object, endpoint_ref(cap_endpoint(to), (u32)c->a[2]));
    return 0;
}

/* give: account, first or GIVE_LIST, count. */
i64 call_give(struct call *c) {
    err e;
    const struct capability *to = call_cap(c, c->a[0], KIND_ACCOUNT, 0, &e);
    if (!to)
        return e;
    if (c->a[1] != GIVE_LIST)
        return frame_give_run(c->account, (u8)to->object, c->a[1], c->a[2]);
    return c->area ? frame_give_list(c->account, (u8)to->object, c->area, c->a[2]) : -E_FAULT;
}

i64 call_pin(struct call *c) {
    return c->area ? frame_pin(c->account, c->area, c->a[0]) : -E_FAULT;
}

i64 call_unpin(struct call *c) {
    return c->area ? frame_unpin(c->account, c->area, c->a[0]) : -E_FAULT;
}

/* frames: account, from, flags. */
i64 call_frames(struct call *c) {
    err e;
    u64 flags = c->a[2];
    const struct capability *a =
        call_cap(c, c->a[0], KIND_ACCOUNT, flags & CLEAR_BITS ? RIGHT_CONTROL : 0, &e);
    if (!a || !c->area)
        return e ? e : -E_FAULT;
    if (flags & ~(u64)CLEAR_BITS)
        return -E_INVAL;
    return range_out(c, frame_scan((u8)a->object, c->a[1], flags, c->area));
}

i64 call_frames_list(struct call *c) {
    if (!c->area)
        return -E_FAULT;
    if (c->a[1] & ~(u64)CLEAR_BITS)
        return -E_INVAL;
    return c->account ? frame_scan_list(c->account, c->a[0], c->a[1], c->area) : -E_OWNER;
}

/* collect: account, count. */
i64 call_collect(struct call *c) {
    err e;
    const struct capability *a = call_cap(c, c->a[0], KIND_ACCOUNT, RIGHT_CONTROL, &e);
    if (!a || !c->area)
        return e ? e : -E_FAULT;
    return frame_collect((u8)a->object, c->a[1], c->area);
}

i64 call_audit(struct call *c) {
    (void)c;
#ifdef DEBUG
    pfn where;
    const char *what = mm_audit(&where);
    if (!what)
        return 0;
    klog("quire: audit: FAILED %s, frame %lx\n", what, where);
    return -E_PROTO;
#else
    return -E_NOSYS;
#endif
}
