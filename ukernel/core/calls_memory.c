/* SPDX-License-Identifier: MIT */
/* Plain calls on memory: decode, then mm/ does the work. */
#include "core/reply.h"
#include "core/syscall.h"
#include "core/trace.h"
#include "arch/log.h"
#include "mm/pt.h"

/* What the caller may do in a space, by a capability to the space or a permit. */
static inline err get_window(u64 slot, u8 rights, struct window *w) {
    const struct capability *c = cap_any(caller_table(), slot);
    if (!c)
        return -E_BADCAP;
    if (c->kind != KIND_SPACE && c->kind != KIND_PERMIT)
        return -E_KIND;
    if ((c->rights & rights) != rights)
        return -E_RIGHTS;
    *w = c->kind == KIND_SPACE ? window_of_space(c->space, caller_account())
                               : window_of_permit(c->space, cap_permit(c), caller_account());
    return 0;
}
#define WINDOW_OR_RETURN(name, slot, rights)                                                                 \
    struct window name;                                                                                      \
    err name##_error = get_window(slot, rights, &name);                                                      \
    if (name##_error)                                                                                        \
    return name##_error

static __attribute__((noinline)) void trace_range(enum trace_kind kind, const struct space *s, u64 address,
                                                  u64 frame, u64 flags, u64 pages) {
    const struct thread *t = cpu.current;
    trace(kind, thread_id(t), address, frame, space_frame(s) | flags << 32, pages, t->serving);
}

static i64 range_out(struct range_result r) {
    second_result(r.records | (u64)r.stop << 32);
    return r.next;
}

i64 call_feed(u64 where, u64 count) {
    WINDOW_OR_RETURN(w, where, RIGHT_FEED);
    AREA_OR_RETURN(area);
    return space_feed(w.space, w.account, area, count);
}

i64 call_unfeed(u64 where, u64 count) {
    WINDOW_OR_RETURN(w, where, RIGHT_FEED);
    AREA_OR_RETURN(area);
    return space_unfeed(w.space, w.account, area, count);
}

static __attribute__((noinline)) i64 map_list(u64 where, u64 count) {
    WINDOW_OR_RETURN(w, where, RIGHT_MAP);
    AREA_OR_RETURN(area);
    const struct map_item *items = (const struct map_item *)area;
    struct map_result r = mm_map(&w, items, count);
    second_result(r.why);
    if (trace_on(TRACE_MAP) && r.done > 0)
        trace_range(TRACE_MAP, w.space, items->address & ~PAGE_MASK, items->frame, items->address & PAGE_MASK,
                    (u64)r.done);
    return r.done;
}

i64 call_map(u64 where, u64 count) {
    err e;
    const struct capability *c = cap_get(caller_table(), where, KIND_SPACE, RIGHT_MAP, &e);
    const u64 *area = cpu.current->message;
    bool one = c && area && count == 1 && !trace_on(TRACE_MAP);
    if (one && pt_map_near(c->space, caller_account(), area[AREA_FIRST], area[AREA_FIRST + 1], false))
        return 1;
    return map_list(where, count);
}

i64 call_unmap(u64 where, u64 first, u64 pages, u64 flags) {
    WINDOW_OR_RETURN(w, where, RIGHT_MAP);
    AREA_OR_RETURN(area);
    trace_range(TRACE_UNMAP, w.space, first, 0, flags, pages);
    return range_out(mm_unmap(&w, first, pages, flags, area));
}

i64 call_protect(u64 where, u64 first, u64 pages, u64 rights) {
    WINDOW_OR_RETURN(w, where, RIGHT_MAP);
    return range_out(mm_protect(&w, first, pages, rights));
}

i64 call_scan(u64 space, u64 first, u64 pages, u64 flags) {
    CAP_OR_RETURN(s, space, KIND_SPACE, RIGHT_MAP);
    AREA_OR_RETURN(area);
    return range_out(mm_scan(s->space, first, pages, flags, area));
}

static i64 clone(u64 source, u64 target, u64 first, u64 pages, bool private) {
    CAP_OR_RETURN(from, source, KIND_SPACE, RIGHT_MAP);
    CAP_OR_RETURN(to, target, KIND_SPACE, RIGHT_MAP);
    AREA_OR_RETURN(area);
    trace_range(TRACE_MAP, to->space, first, 0, private, pages);
    return range_out(mm_clone(from->space, to->space, first, pages, private, area));
}

i64 call_clone(u64 from, u64 to, u64 first, u64 pages) {
    return clone(from, to, first, pages, false);
}

i64 call_clone_private(u64 from, u64 to, u64 first, u64 pages) {
    return clone(from, to, first, pages, true);
}

/* One side of a copy: own frames, a space, or the space of a waiting alien call or exception. */
static err get_side(u64 slot, u64 at, struct copy_side *side) {
    *side = (struct copy_side){.at = at, .account = caller_account()};
    if (slot == COPY_FRAMES)
        return 0;
    const struct capability *c = cap_any(caller_table(), slot);
    if (!c)
        return -E_BADCAP;
    if (c->kind == KIND_REPLY) {
        const struct thread *t = c->thread;
        side->space = t->space;
        return t->kind == MSG_ALIEN || t->kind == MSG_EXCEPTION ? 0 : -E_RIGHTS;
    }
    side->space = c->space;
    return c->kind != KIND_SPACE ? -E_KIND : c->rights & RIGHT_COPY ? 0 : -E_RIGHTS;
}

i64 call_copy(u64 to_slot, u64 to_address, u64 from_slot, u64 from_address, u64 bytes) {
    struct copy_side to, from;
    err e = get_side(to_slot, to_address, &to);
    if (!e)
        e = get_side(from_slot, from_address, &from);
    if (e)
        return e;
    struct copy_result r = mm_copy(&to, &from, bytes);
    second_result(r.stopped);
    return r.done;
}

i64 call_permit(u64 space, u64 first, u64 pages, u64 rights, u64 to) {
    CAP_OR_RETURN(c, space, KIND_SPACE, RIGHT_MAP);
    EMPTY_SLOT_OR_RETURN(slot, caller_table(), to);
    struct space *s = c->space;
    i64 index = space_permit(s, first, pages, rights);
    if (index < 0)
        return index;
    cap_make(slot, KIND_PERMIT, s, RIGHT_MAP | (c->rights & RIGHT_FEED));
    slot->badge = (u64)index | (u64)s->permits[index].generation << 8;
    return 0;
}

i64 call_permit_end(u64 permit) {
    CAP_OR_RETURN(c, permit, KIND_PERMIT, 0);
    err e = space_permit_end(c->space, c->badge & 0xff);
    if (!e)
        cap_clear(c);
    return e;
}

i64 call_account_open(u64 parent, u64 to) {
    CAP_OR_RETURN(c, parent, KIND_ACCOUNT, RIGHT_CONTROL);
    EMPTY_SLOT_OR_RETURN(slot, caller_table(), to);
    i64 account = account_open((u8)c->account);
    if (account < 0)
        return account;
    cap_make_account(slot, (u8)account, RIGHT_ALL);
    return 0;
}

i64 call_account_close(u64 account) {
    CAP_OR_RETURN(a, account, KIND_ACCOUNT, RIGHT_DESTROY);
    return account_close((u8)a->account);
}

i64 call_account_bind(u64 account, u64 endpoint, u64 bit) {
    CAP_OR_RETURN(a, account, KIND_ACCOUNT, RIGHT_CONTROL);
    CAP_OR_RETURN(e, endpoint, KIND_ENDPOINT, RIGHT_NOTIFY);
    if (bit >= 64)
        return -E_INVAL;
    account_bind((u8)a->account, endpoint_ref(e->endpoint, (u32)bit));
    return 0;
}

i64 call_give(u64 account, u64 first, u64 count) {
    CAP_OR_RETURN(to, account, KIND_ACCOUNT, 0);
    if (first != GIVE_LIST)
        return frame_give_run(caller_account(), (u8)to->account, first, count);
    AREA_OR_RETURN(area);
    return frame_give_list(caller_account(), (u8)to->account, area, count);
}

i64 call_pin(u64 count) {
    AREA_OR_RETURN(area);
    return frame_pin(caller_account(), area, count, true);
}

i64 call_unpin(u64 count) {
    AREA_OR_RETURN(area);
    return frame_pin(caller_account(), area, count, false);
}

i64 call_frames(u64 account, u64 from, u64 flags) {
    CAP_OR_RETURN(a, account, KIND_ACCOUNT, flags & CLEAR_BITS ? RIGHT_CONTROL : 0);
    AREA_OR_RETURN(area);
    if (flags & ~(u64)CLEAR_BITS)
        return -E_INVAL;
    return range_out(frame_scan((u8)a->account, from, flags, area));
}

i64 call_frames_list(u64 count, u64 flags) {
    AREA_OR_RETURN(area);
    if (flags & ~(u64)CLEAR_BITS)
        return -E_INVAL;
    return caller_account() ? frame_scan_list(caller_account(), count, flags, area) : -E_OWNER;
}

i64 call_collect(u64 account, u64 count) {
    CAP_OR_RETURN(a, account, KIND_ACCOUNT, RIGHT_CONTROL);
    AREA_OR_RETURN(area);
    return frame_collect((u8)a->account, count, area);
}

i64 call_audit(void) {
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
