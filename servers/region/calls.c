/* SPDX-License-Identifier: MIT */
/* What linux asks of region: the handlers of its protocol. Regions change at once; what takes time at the
 * page tables goes on in work.c. */
#include <abi/layout.h>
#include <string.h>

#include "object.h"
#include "shell.h"

enum { RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_AS = 9 };
enum { MADV_DONTNEED = 4, MADV_FREE = 8 }; /* the other advices are linux's */

err region_on_attach(struct ipc_ctx *c, const struct region_attach_req *req, struct region_attach_rep *rep) {
    (void)req, (void)rep;
    if (!c->cap)
        return -E_BADCAP;
    if (shell.linux_slot)
        return -E_EXIST;
    shell.linux_slot = c->cap;
    c->cap = 0; /* kept */
    return 0;
}

err region_on_create(struct ipc_ctx *c, const struct region_create_req *req, struct region_create_rep *rep) {
    (void)req;
    err e;
    if (!shell.linux_slot)
        return -E_BADCAP;
    struct space *s = space_create(&e);
    if (!s)
        return e;
    rep->mm = s->mm->id;
    c->send_cap = space_for_linux(s);
    return 0;
}

err region_on_fork(struct ipc_ctx *c, const struct region_fork_req *req, struct region_fork_rep *rep) {
    struct space *s = space_of(req->mm);
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    err e;
    struct space *child = space_create(&e);
    if (!child)
        return e;
    s->value = child->mm->id;
    (void)rep;
    u64 w[MSG_REG_WORDS];
    e = work_start(c, s, WORK_FORK, child, w);
    rep->mm = w[0];
    return e;
}

err region_on_reset(struct ipc_ctx *c, const struct region_reset_req *req, struct region_reset_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    err e = work_start(c, s, WORK_RESET, NULL, w);
    *rep = (struct region_reset_rep){w[0], w[1]};
    return e;
}

/* Called again for the rest of the released objects, the descriptor is gone already. */
static err exit_again(struct ipc_ctx *c, struct region_exit_rep *rep) {
    if (TAILQ_EMPTY(&shell.ctx.released))
        return -E_SRCH;
    rep->released = c->tail_words = released_tail(&rep->again);
    return 0;
}

err region_on_exit(struct ipc_ctx *c, const struct region_exit_req *req, struct region_exit_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    if (!s)
        return exit_again(c, rep);
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    s->faults = s->mm->faults;
    s->fault_key = s->mm->forwards ? s->mm->fault_key : 0;
    err e = work_start(c, s, WORK_EXIT, NULL, w);
    *rep = (struct region_exit_rep){w[0], w[1], w[2], w[3]};
    return e;
}

/* A change that needs nothing at the page tables is over at once: true. */
static bool over_at_once(struct space *s) {
    if (!vm_change_over(&s->work.change))
        return false;
    vm_change_finish(s->mm, &s->work.change);
    return true;
}

err region_on_mmap(struct ipc_ctx *c, const struct region_mmap_req *req, struct region_mmap_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    struct mmap_request r = {.addr = req->addr,
                             .len = req->bytes,
                             .prot = req->prot_flags & PROT_MASK,
                             .flags = req->prot_flags >> 32,
                             .object = req->object,
                             .max_prot = req->prot_flags >> 24 & 0xff,
                             .pgoff = req->index};
    s->first = r.object && !vm_object_is_known(&shell.ctx, r.object);
    s->value = do_mmap(s->mm, &r, &s->work.change);
    if (s->value < 0)
        return s->value;
    if (over_at_once(s)) {
        c->tail_words = released_tail(NULL);
        *rep = (struct region_mmap_rep){(vaddr)s->value, s->first, c->tail_words};
        return 0;
    }
    err e = work_start(c, s, WORK_CHANGE, NULL, w);
    *rep = (struct region_mmap_rep){w[0], w[1], w[2]};
    return e;
}

/* Regions change at once for what programs ask themselves; true: that was all. *result: what the program is
 * answered, if nothing of the work at the page tables fails. */
bool change_begin(struct space *s, u64 label, u64 a, u64 b, u64 c, u64 d, i64 *result) {
    struct vm_change *change = &s->work.change;
    i64 r = 0;
    switch (label) {
    case region_label_map:
        r = s->value = do_mmap(
            s->mm, &(struct mmap_request){.addr = a, .len = b, .prot = c & PROT_MASK, .flags = (u32)d},
            change);
        break;
    case region_label_munmap:
        r = do_munmap(s->mm, a, b, change);
        break;
    case region_label_mprotect:
        r = do_mprotect(s->mm, a, b, c, change);
        break;
    case region_label_brk:
        r = s->value = (i64)sys_brk(s->mm, a, change);
        break;
    }
    *result = r;
    if (r < 0)
        return true;
    if (change->status)
        *result = change->status; /* as far as it went */
    return over_at_once(s);
}

static err on_change(struct ipc_ctx *c, u64 mm, const u64 *arg, i64 *result) {
    struct space *s = space_of(mm);
    u64 w[MSG_REG_WORDS] = {mm, arg[0], arg[1], arg[2], arg[3]};
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, w, sizeof w);
    if (change_begin(s, c->label, arg[0], arg[1], arg[2], arg[3], result)) {
        released_tell();
        return (err)MIN(*result, 0);
    }
    err e = work_start(c, s, WORK_CHANGE, NULL, w);
    *result = (i64)w[0];
    return e;
}

err region_on_map(struct ipc_ctx *c, const struct region_map_req *req, struct region_map_rep *rep) {
    return on_change(c, req->mm, (u64[]){req->addr, req->bytes, req->prot, req->flags}, &rep->addr);
}

err region_on_munmap(struct ipc_ctx *c, const struct region_munmap_req *req, struct region_munmap_rep *rep) {
    return on_change(c, req->mm, (u64[]){req->addr, req->bytes, 0, 0}, &rep->zero);
}

err region_on_mprotect(struct ipc_ctx *c, const struct region_mprotect_req *req,
                       struct region_mprotect_rep *rep) {
    return on_change(c, req->mm, (u64[]){req->addr, req->bytes, req->prot, 0}, &rep->zero);
}

err region_on_brk(struct ipc_ctx *c, const struct region_brk_req *req, struct region_brk_rep *rep) {
    return on_change(c, req->mm, (u64[]){req->addr, 0, 0, 0}, &rep->brk);
}

err region_on_released(struct ipc_ctx *c, const struct region_released_req *req,
                       struct region_released_rep *rep) {
    (void)req;
    rep->released = c->tail_words = released_tail(&rep->again);
    return 0;
}

err region_on_mremap(struct ipc_ctx *c, const struct region_mremap_req *req, struct region_mremap_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    s->work.mremap =
        (struct mremap_request){req->addr, req->old_bytes, req->new_bytes, req->flags, req->new_addr};
    err e = work_start(c, s, WORK_MREMAP, NULL, w);
    *rep = (struct region_mremap_rep){w[0], w[1]};
    return e;
}

err region_on_madvise(struct ipc_ctx *c, const struct region_madvise_req *req,
                      struct region_madvise_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    (void)rep;
    if (!s)
        return -E_SRCH;
    if (req->advice != MADV_DONTNEED && req->advice != MADV_FREE)
        return -E_INVAL;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    err e = madvise_dontneed(s->mm, req->addr, req->bytes, req->advice == MADV_FREE, &s->work.change);
    err status = s->work.change.status;
    if (e < 0)
        return e;
    return over_at_once(s) ? status : work_start(c, s, WORK_CHANGE, NULL, w);
}

err region_on_layout(struct ipc_ctx *c, const struct region_layout_req *req, struct region_layout_rep *rep) {
    struct space *s = space_of(req->mm);
    struct region_layout layout;
    (void)rep;
    if (!s)
        return -E_SRCH;
    if (c->words < MSG_REG_WORDS + sizeof layout / 8)
        return -E_INVAL;
    memcpy(&layout, c->tail, sizeof layout);
    if (layout.start_brk > TASK_SIZE)
        return -E_INVAL;
    struct mm_struct *mm = s->mm;
    mm->start_code = layout.start_code;
    mm->end_code = layout.end_code;
    mm->start_data = layout.start_data;
    mm->end_data = layout.end_data;
    mm->start_brk = mm->brk = layout.start_brk;
    mm->start_stack = layout.start_stack;
    mm->arg_start = layout.arg_start;
    mm->arg_end = layout.arg_end;
    mm->rlim_data = layout.limit_data;
    mm->rlim_stack = layout.limit_stack;
    mm->rlim_as = layout.limit_as;
    return 0;
}

err region_on_limit(struct ipc_ctx *c, const struct region_limit_req *req, struct region_limit_rep *rep) {
    struct space *s = space_of(req->mm);
    (void)c, (void)rep;
    if (!s)
        return -E_SRCH;
    switch (req->resource) {
    case RLIMIT_DATA:
        s->mm->rlim_data = req->value;
        return 0;
    case RLIMIT_STACK:
        s->mm->rlim_stack = req->value;
        return 0;
    case RLIMIT_AS:
        s->mm->rlim_as = req->value;
        return 0;
    default:
        return -E_INVAL;
    }
}

static u64 name_of(const struct mm_struct *mm, const struct vm_area_struct *vma) {
    if (vma->vm_flags & VM_GROWSDOWN && vma->vm_start <= mm->start_stack && mm->start_stack <= vma->vm_end)
        return REGION_STACK;
    if (!vma->vm_object && vma->vm_start < mm->brk && vma->vm_end > mm->start_brk)
        return REGION_HEAP;
    return REGION_PLAIN;
}

/* As in struct region_map. */
static u64 map_flags(const struct mm_struct *mm, const struct vm_area_struct *vma) {
    u64 type = vma->vm_flags & VM_SHARED ? MAP_SHARED : MAP_PRIVATE;
    return (vma->vm_flags & VM_RIGHTS) | type << 8 | name_of(mm, vma) << 16;
}

err region_on_maps(struct ipc_ctx *c, const struct region_maps_req *req, struct region_maps_rep *rep) {
    struct space *s = space_of(req->mm);
    u32 words = sizeof(struct region_map) / 8;
    if (!s)
        return -E_SRCH;
    struct vm_area_struct *vma = find_vma(s->mm, req->from);
    for (; vma && c->tail_words + words <= MSG_TAIL_WORDS; vma = vma_next(vma), c->tail_words += words) {
        struct region_map map = {.start = vma->vm_start,
                                 .end = vma->vm_end,
                                 .flags = map_flags(s->mm, vma),
                                 .object = vma->vm_object ? vma->vm_object->id : 0,
                                 .index = vma->vm_pgoff};
        memcpy(c->tail + c->tail_words, &map, sizeof map);
        rep->count++;
    }
    rep->next = vma ? vma->vm_start : 0;
    return 0;
}

err region_on_lock(struct ipc_ctx *c, const struct region_lock_req *req, struct region_lock_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    (void)rep;
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    err e = do_mlock(s->mm, req->addr, req->bytes, req->lock, &s->work.change);
    err status = s->work.change.status;
    if (e < 0)
        return e;
    return over_at_once(s) ? status : work_start(c, s, WORK_CHANGE, NULL, w);
}

err region_on_lock_all(struct ipc_ctx *c, const struct region_lock_all_req *req,
                       struct region_lock_all_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    (void)rep;
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    do_mlockall(s->mm, req->now, req->future, &s->work.change);
    return over_at_once(s) ? 0 : work_start(c, s, WORK_CHANGE, NULL, w);
}

/* Sets a bit for each present (write: and writable) page of [start, start + pages). */
static void find_resident(u32 space, vaddr start, u64 pages, bool write, u64 *bits) {
    struct range_record entry[MOVE_PAGES];
    u64 needed = PTE_PRESENT | (write ? PTE_WRITE : 0), count;
    vaddr end = start + pages * PAGE_BYTES;
    for (vaddr at = start; at < end;) {
        at = (vaddr)shell.kernel.entries(NULL, space, at, (end - at) >> PAGE_SHIFT, entry, &count);
        for (u64 i = 0; i < count; i++) {
            u64 page = (entry[i].address - start) >> PAGE_SHIFT;
            bits[page / 64] |= (u64)((entry[i].value & needed) == needed) << page % 64;
        }
    }
}

err region_on_resident(struct ipc_ctx *c, const struct region_resident_req *req,
                       struct region_resident_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 bits[REGION_RESIDENT_MAX / 64] = {0};
    if (!s)
        return -E_SRCH;
    if (req->addr & PAGE_MASK)
        return -E_INVAL;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    const struct vm_area_struct *vma = find_vma(s->mm, req->addr);
    if (!vma)
        return 0;
    vaddr start = MAX(req->addr, vma->vm_start);
    u64 wanted = req->pages - MIN(req->pages, (start - req->addr) >> PAGE_SHIFT);
    u64 pages = MIN(MIN(wanted, (vma->vm_end - start) >> PAGE_SHIFT), (u64)REGION_RESIDENT_MAX);
    find_resident(s->mm->space, start, pages, req->write, bits);
    u64 index = vma->vm_object ? vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT) : 0;
    *rep = (struct region_resident_rep){start, pages, map_flags(s->mm, vma),
                                        vma->vm_object ? vma->vm_object->id : 0, index};
    memcpy(c->tail, bits, sizeof bits);
    c->tail_words = ARRAY_LEN(bits);
    return 0;
}

void stat_fill(const struct mm_struct *mm, const struct vm_counts *c, struct region_stat *st) {
    *st = (struct region_stat){.total_pages = mm->total_vm,
                               .rss_pages = c->resident,
                               .shared_pages = c->shared,
                               .stack_pages = c->stack,
                               .data_pages = c->data,
                               .text_pages = c->text,
                               .locked_pages = mm->locked_vm,
                               .faults = mm->faults,
                               .fault_key = mm->fault_key,
                               .table_pages = mm->tables,
                               .descriptors = mm->map_count};
}

/* The sums over all descriptors; resident pages are not counted. */
static void stat_all(struct region_stat *st) {
    *st = (struct region_stat){0};
    for (u32 id = 1; id < SPACES_MAX; id++) {
        const struct space *s = shell.space[id];
        if (!s)
            continue;
        st->total_pages += s->mm->total_vm;
        st->locked_pages += s->mm->locked_vm;
        st->faults += s->mm->faults;
        st->table_pages += s->mm->tables;
        st->descriptors++;
    }
    st->anonymous_pages = shell.frames_out - MIN(shell.frames_out, st->table_pages);
}

err region_on_stat(struct ipc_ctx *c, const struct region_stat_req *req, struct region_stat_rep *rep) {
    struct space *s = space_of(req->mm);
    u64 w[MSG_REG_WORDS];
    struct region_stat st;
    (void)rep;
    if (req->mm == 0) {
        stat_all(&st);
        memcpy(c->tail, &st, sizeof st);
        c->tail_words = sizeof st / 8;
        return 0;
    }
    if (!s)
        return -E_SRCH;
    if (s->mm->busy)
        return work_defer(c, s, req, sizeof *req);
    return work_start(c, s, WORK_COUNT, NULL, w);
}

PROTO_DISPATCH(region, REGION_OPS)

err call_dispatch(struct ipc_ctx *c, u64 label, u64 *w) {
    if (c->badge != SRV_LINUX || (c->kind == MSG_ALIEN && !is_programs(label)))
        return -E_PERM;
    return region_dispatch(c, label, w);
}
