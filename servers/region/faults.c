/* SPDX-License-Identifier: MIT */
/* From the verdict on a fault to the answer that the loop sends with its next wait: all faults but those that
 * usual.c answers. */
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <proto/cache.def>

#include "shell.h"

/* The right to answer stays with the server; the loop takes another slot for the next one. */
static void keep(struct loop *l) {
    l->spare = slot_alloc();
    ASSERT(l->spare); /* the table has far more slots than faults may be parked and calls be under way */
    l->out = OUT_NONE;
}

#define FORWARDS_MAX 8 /* of one fault in a row, before it is seen whether memory is short */

/* Answers without items: the thread goes on, and faults again if need be. */
static void resume(struct loop *l) {
    l->out = OUT_ITEMS;
    l->io.rax = SYS_fault_reply_wait;
}

static void raise(struct loop *l, u64 code, vaddr address) {
    if (sys_raise(l->reply, code, address) < 0)
        resume(l);
    else
        l->out = OUT_NONE; /* the right is used up, its slot is free for the next */
}

static void one_item(struct loop *l, vaddr page, u64 rights, pfn frame, enum fault_op op) {
    l->out = OUT_ITEMS;
    l->io.w[0] = page | rights;
    l->io.w[1] = ITEM_FRAME(frame, op);
    l->io.rax = SYS_fault_reply_wait | 2 << 8;
}

static void forward(struct loop *l, const struct fault_words *f, const struct fault_verdict *v, u32 space,
                    u64 key) {
    struct cache_page_in_req q = {.object = v->object,
                                  .index = v->index,
                                  .address = f->address,
                                  .rights = v->rights,
                                  .window = v->first | v->count << 16,
                                  .access = FAULT_ACCESS(f->info) | key << 8};
    __builtin_memcpy(l->io.w, &q, sizeof q);
    l->out = OUT_FORWARD;
    l->space = space;
    l->io.label = cache_label_page_in;
    l->io.rax = SYS_forward_wait | MSG_REG_WORDS << 8 | FORWARD_RANGE(v->first, v->count, v->rights);
}

static void wait_for(struct loop *l, const struct fault_words *w, u32 id, bool memory) {
    struct parked p = {l->reply, id, memory, FAULT_FLAGS(w->info) & FAULT_AS};
    keep(l);
    park(p);
}

/* True if the table pool holds what any fault may need. */
static bool tables_suffice(struct mm_struct *mm, u64 pool) {
    if (tables_feed(mm->space, TABLES_FEED) < 0)
        return pool >= TABLES_LOW - 1;
    mm->tables += TABLES_FEED;
    return true;
}

static void fill(struct loop *l, struct mm_struct *mm, const struct fault_words *f,
                 const struct fault_verdict *v) {
    pfn frame = frame_for_page();
    if (!frame) {
        wait_for(l, f, mm->id, true);
        return;
    }
    l->offered = frame;
    one_item(l, f->address & ~PAGE_MASK, v->rights, frame, v->op);
}

/* A file's page that comes again and again: cache has no frame for it. It cannot say so: its answer goes to the
 * program itself, and a notification would name no page. If there is none here either it waits
 * with the others, and is looked at when it is decided who goes. */
static bool starves(struct mm_struct *mm, vaddr page) {
    if (mm->forwarded != page)
        mm->in_a_row = 0;
    mm->forwarded = page;
    if (++mm->in_a_row < FORWARDS_MAX)
        return false;
    mm->in_a_row = 0;
    pfn frame = alloc_page(GFP_HIGHUSER);
    if (frame)
        __free_page(frame);
    return !frame;
}

static void act(struct loop *l, struct mm_struct *mm, const struct fault_words *f,
                const struct fault_verdict *v) {
    vaddr page = f->address & ~PAGE_MASK;
    switch (v->kind) {
    case FAULT_FILL:
        fill(l, mm, f, v);
        return;
    case FAULT_ITEM:
        one_item(l, page, v->rights, v->frame, v->op);
        return;
    case FAULT_FORWARD:
        mm->forwards++;
        if (starves(mm, page))
            wait_for(l, f, mm->id, true);
        else
            forward(l, f, v, mm->space, mm->fault_key);
        return;
    case FAULT_PROTECT:
        (void)shell.kernel.protect(NULL, mm->space, page, 1, v->rights);
        resume(l);
        return;
    case FAULT_RESUME:
        resume(l);
        return;
    case FAULT_WAIT:
        wait_for(l, f, mm->id, false);
        return;
    case FAULT_RAISE:
        if (v->signal == SIGKILL)
            log_line("descriptor %u faults at %#lx again and again: ended", mm->id, f->address);
        raise(l, RAISE_CODE(v->signal, v->code), f->address);
        return;
    }
}

void fault_handle(struct loop *l) {
    const struct fault_words *w = (const struct fault_words *)l->io.w;
    u64 pool = FAULT_POOL(w->info);
    u32 id = (u32)l->io.rbx;
    struct space *s = space_of(id);
    struct fault_verdict v;

    if (__builtin_expect(!s, 0)) {
        raise(l, RAISE_CODE(SIGKILL, 0), w->address);
        return;
    }
    s->mm->faults++;
    if (__builtin_expect(pool < TABLES_LOW, 0) && !tables_suffice(s->mm, pool)) {
        wait_for(l, w, id, true);
        return;
    }
    do_page_fault(s->mm, w, &v);
    act(l, s->mm, w, &v);
}

void fault_answered(struct loop *l, u64 entered) {
    if (entered)
        shell.frames_out++;
    else
        __free_page(l->offered);
    l->offered = 0;
}
