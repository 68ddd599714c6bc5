/* SPDX-License-Identifier: MIT */
/* Spaces: the table pool, permits, the account, the end. */

#include "mm/pt.h"

u64 kernel_half[SPACE_TOP_SLOTS];

void space_init(struct space *s) {
    s->cr3 = cpu.kernel_cr3;
    for (u32 i = 0; i < ARRAY_LEN(s->handlers); i++)
        s->handlers[i] = (struct endpoint_ref){.frame = frame_table, .generation = ~0u}; /* none */
    s->ports_at = PORTS_CLOSED;
}

static err feed_one(struct space *s, u8 account, pfn n) {
    struct frame *f = frame_own(n, account);
    if (!f)
        return -E_OWNER;
    if (!frame_is_idle(f))
        return -E_MAPPED;
    if (!frame_has(f, FRAME_ZEROED))
        page_clear(frame_to_virt(n));
    f->state = KIND_TABLE;
    if (s->top) {
        pool_push(s, f);
        return 0;
    }
    f->next = 0;
    s->top = s->cr3 = n << PAGE_SHIFT;
    copy_bytes((u64 *)frame_to_virt(n) + SPACE_TOP_SLOTS, kernel_half, sizeof kernel_half);
    return 0;
}

i64 space_feed(struct space *s, u8 account, const u64 *list, u64 count) {
    if (count > FEED_MAX || s->dying)
        return -E_INVAL;
    for (u64 i = 0; i < count; i++) {
        err e = feed_one(s, account, list[i]);
        if (e)
            return i ? (i64)i : e;
    }
    return (i64)count;
}

/* A table that is out of every tree and pool becomes DATA; its page is zero. */
static void table_to_data(struct frame *f) {
    f->state = KIND_DATA | FRAME_ZEROED << 4;
    f->next = 0;
}

i64 space_unfeed(struct space *s, u8 account, u64 *list, u64 count) {
    if (count > FEED_MAX)
        return -E_INVAL;
    u64 done = 0;
    for (u64 left = MIN(s->pool_count, (u32)RANGE_VISITS_MAX); left && done < count; left--) {
        struct frame *f = pool_pop(s);
        if (f->account != account) {
            pool_push(s, f);
            continue;
        }
        list[done++] = frame_number(f);
        table_to_data(f);
    }
    return (i64)done;
}

err space_set_account(struct space *s, u8 account) {
    if (s->account == account)
        return 0;
    if (space_has_entries(s))
        return -E_MAPPED;
    if (s->dying || (account && accounts[account].state != ACCOUNT_OPEN))
        return -E_BADCAP;
    if (s->account)
        accounts[s->account].spaces--;
    if (account)
        accounts[account].spaces++;
    s->account = account;
    return 0;
}

i64 space_permit(struct space *s, vaddr first, u64 pages, u64 rights) {
    if (first & PAGE_MASK || first < USER_FIRST || first > USER_END || !pages ||
        pages > (USER_END - first) >> PAGE_SHIFT || rights & ~(u64)MAP_ALL)
        return -E_INVAL;
    for (u32 i = 0; i < PERMITS_PER_SPACE; i++) {
        struct permit *p = &s->permits[i];
        if (p->live)
            continue;
        *p = (struct permit){first, first + (pages << PAGE_SHIFT), p->generation, (u8)rights, true};
        return i;
    }
    return -E_NOSPC;
}

err space_permit_end(struct space *s, u64 index) {
    if (index >= PERMITS_PER_SPACE || !s->permits[index].live)
        return -E_INVAL;
    s->permits[index].live = false;
    s->permits[index].generation++;
    return 0;
}

/* Destroy. */

err space_destroy_step(struct space *s) {
    ASSERT(!s->threads);
    if (!s->dying) {
        s->dying = true;
        s->epoch++;
        s->near.bytes = 0;
        s->cursor = USER_FIRST;
        if (arch_current_space() == s)
            arch_leave_space();
    }
    struct frame *top = &frame_table[s->top >> PAGE_SHIFT]; /* of frame 0 where there is none */
    struct walk walk = {s, s->cursor, top->next ? USER_END : s->cursor, RANGE_VISITS_MAX};
    walk_take_down(&walk);
    s->cursor = walk.at;
    for (u64 left = walk.left; s->pool && left && !top->next; left--) {
        struct frame *f = pool_pop(s);
        table_to_data(f);
        frame_queue(f);
    }
    if (s->pool || top->next)
        return -E_AGAIN;
    if (s->top) {
        table_to_data(top);
        frame_clear(top, FRAME_ZEROED); /* the kernel's half is in it */
        frame_queue(top);
        s->top = 0;
    }
    if (s->account)
        accounts[s->account].spaces--;
    s->account = ACCOUNT_KERNEL;
    return 0;
}
