/* SPDX-License-Identifier: MIT */
/* Fault policy, copy on write and long work over the model kernel: processes that mmap, unmap, protect, fork
 * and exit at random and at the same time, each of which checks all of its bytes. Memory runs out now and
 * then. In the end every frame is back. */
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>

#include "machine.h"
#include "model/seed.h"
#include "object.h"

static struct machine m;

static void move_bytes(struct process *p, vaddr from, vaddr to, u64 old_pages, u64 new_pages);

static void finish_work(struct process *p) {
    struct process *child = p->child;
    p->working = false;
    p->child = NULL;
    if (p->work.kind == WORK_MREMAP && p->work.result >= 0) {
        const struct mremap_request *r = &p->work.mremap;
        move_bytes(p, r->addr, r->new_addr, r->old_len / PAGE_BYTES, r->new_len / PAGE_BYTES);
        m.moves++;
    } else if (p->work.kind == WORK_MREMAP) {
        cr_assert_eq(p->work.result, -E_NOMEM);
    }
    if (p->work.kind == WORK_EXIT && child) { /* a fork that failed took the child down */
        forget_bytes(child, ARENA, ARENA + ARENA_PAGES * PAGE_BYTES);
        forget_bytes(child, HEAP, HEAP + HEAP_PAGES * PAGE_BYTES);
        forget_bytes(child, STACK - STACK_ARENA_PAGES * PAGE_BYTES, STACK);
        child->mm = NULL;
    } else if (p->work.kind == WORK_EXIT) {
        p->mm = NULL;
    }
}

void machine_work(struct machine *machine) {
    u64 from = pick(machine, PROCESSES);
    for (u64 i = 0; i < PROCESSES; i++) {
        struct process *p = &machine->process[(from + i) % PROCESSES];
        if (p->working) {
            const struct vm_change *change = &p->work.change;
            if (work_slice(&p->work, &machine->kernel)) {
                finish_work(p);
            } else if (p->work.kind == WORK_CHANGE && change->kind == CHANGE_UNMAP) {
                forget_bytes(p, change->start, change->end); /* the next regions' */
            }
            return;
        }
    }
}

static void begin(struct process *p, enum work_kind kind, struct mm_struct *child) {
    work_begin(&p->work, kind, p->mm, child);
    p->working = true;
}

/* A range of pages of one of the three arenas. */
static void pick_range(vaddr *start, u64 *pages) {
    u32 slot = (u32)pick(&m, ARENA_PAGES + HEAP_PAGES);
    u32 end = slot < ARENA_PAGES ? ARENA_PAGES : ARENA_PAGES + HEAP_PAGES;
    u32 most = pick(&m, 4) ? 10 : ARENA_PAGES;
    *start = address_of(slot);
    *pages = 1 + pick(&m, MIN(end - slot, most));
}

static void do_change(struct process *p, bool forget) {
    if (forget)
        forget_bytes(p, p->work.change.start, p->work.change.end);
    begin(p, WORK_CHANGE, NULL);
}

static void step_mmap(struct process *p) {
    vaddr start;
    u64 pages;
    pick_range(&start, &pages);
    struct mmap_request r = {
        .addr = start, .len = pages * PAGE_BYTES, .prot = pick(&m, 8) | (pick(&m, 2) ? 3 : 0)};
    r.flags = MAP_FIXED | MAP_PRIVATE;
    u64 kind = pick(&m, 6);
    if (kind > 3) {
        r.object = OBJECT_FIRST_FILE + (kind == 5);
        r.flags = MAP_FIXED | (pick(&m, 3) ? MAP_PRIVATE : MAP_SHARED);
        r.max_prot = r.flags & MAP_SHARED ? PROT_READ | PROT_EXEC : PROT_MASK;
    } else if (kind == 3) {
        r.object = OBJECT_SHARED;
        r.flags = MAP_FIXED | MAP_SHARED;
        r.max_prot = PROT_MASK;
    }
    if (r.object) {
        if (pages > OBJECT_PAGES)
            return;
        r.pgoff = pick(&m, OBJECT_PAGES - pages + 1);
        r.prot &= r.max_prot;
    }
    i64 a = do_mmap(p->mm, &r, &p->work.change);
    cr_assert_eq(a, (i64)start, "mmap: %s", err_name(a));
    forget_bytes(p, start, start + r.len);
    begin(p, WORK_CHANGE, NULL);
}

static void step_munmap(struct process *p) {
    vaddr start;
    u64 pages;
    pick_range(&start, &pages);
    cr_assert_eq(do_munmap(p->mm, start, pages * PAGE_BYTES, &p->work.change), 0);
    do_change(p, p->work.change.kind != CHANGE_NONE);
}

static void step_mprotect(struct process *p) {
    vaddr start;
    u64 pages;
    pick_range(&start, &pages);
    if (do_mprotect(p->mm, start, pages * PAGE_BYTES, pick(&m, 8), &p->work.change) == 0)
        do_change(p, false);
}

static void step_dontneed(struct process *p) {
    vaddr start;
    u64 pages;
    pick_range(&start, &pages);
    if (madvise_dontneed(p->mm, start, pages * PAGE_BYTES, pick(&m, 4) == 0, &p->work.change) == 0)
        do_change(p, true);
}

/* What the program has written moves along in what is known of it; what lay in the new place is forgotten. */
static void move_bytes(struct process *p, vaddr from, vaddr to, u64 old_pages, u64 new_pages) {
    u8 *moved[SLOTS] = {0};
    for (u64 i = 0; i < old_pages; i++) {
        u8 **bytes = &p->bytes[slot_of(from + i * PAGE_BYTES)];
        moved[i] = *bytes;
        *bytes = NULL;
    }
    forget_bytes(p, to, to + new_pages * PAGE_BYTES);
    for (u64 i = 0; i < old_pages; i++)
        if (i < new_pages)
            p->bytes[slot_of(to + i * PAGE_BYTES)] = moved[i];
        else
            free(moved[i]);
}

static bool apart(vaddr a, u64 a_pages, vaddr b, u64 b_pages) {
    return a + a_pages * PAGE_BYTES <= b || b + b_pages * PAGE_BYTES <= a;
}

/* mremap to a fixed place in the same arena, or in the other one. */
static void step_mremap(struct process *p) {
    vaddr from, to;
    u64 pages, more;
    pick_range(&from, &pages);
    pick_range(&to, &more);
    const struct vm_area_struct *vma = find_vma(p->mm, from);
    if (!vma || vma->vm_start > from || !apart(from, pages, to, more))
        return;
    bool keep = pages == more && !vma->vm_object && pick(&m, 3) == 0;
    u64 index = vma->vm_pgoff + ((from - vma->vm_start) >> PAGE_SHIFT);
    pages = MIN(pages, (vma->vm_end - from) >> PAGE_SHIFT);
    if (vma->vm_object && index + more > OBJECT_PAGES)
        return;
    keep &= pages == more;
    p->work.mremap =
        (struct mremap_request){from, pages * PAGE_BYTES, more * PAGE_BYTES,
                                MREMAP_MAYMOVE | MREMAP_FIXED | (keep ? MREMAP_DONTUNMAP : 0), to};
    begin(p, WORK_MREMAP, NULL);
}

static void step_brk(struct process *p) {
    vaddr wish = HEAP + pick(&m, (HEAP_PAGES - 1) * PAGE_BYTES);
    vaddr now = sys_brk(p->mm, wish, &p->work.change);
    cr_assert(now == wish || wish > now);
    do_change(p, now == wish && p->work.change.kind == CHANGE_UNMAP);
}

/* Pages on which a change is under way may look old or new. */
static bool in_change(const struct process *p, vaddr a) {
    if (!p->working)
        return false;
    const struct vm_change *c = &p->work.change;
    const struct mremap_request *r = &p->work.mremap;
    if (p->work.kind == WORK_MREMAP)
        return !apart(r->addr, r->old_len / PAGE_BYTES, a, 1) ||
               !apart(r->new_addr, r->new_len / PAGE_BYTES, a, 1);
    return p->work.kind != WORK_CHANGE || (c->enter && a >= c->like.vm_start && a < c->like.vm_end) ||
           (c->kind != CHANGE_NONE && a >= c->start && a < c->end);
}

static bool permits(const struct vm_area_struct *vma, enum access access) {
    static const u64 needed[] = {VM_READ | VM_EXEC, VM_WRITE, VM_EXEC};
    return vma->vm_flags & needed[access];
}

static void touch(struct process *p, vaddr a, enum access access) {
    struct vm_area_struct *vma = find_vma(p->mm, a);
    bool growable = vma && vma->vm_start > a && (vma->vm_flags & VM_GROWSDOWN);
    u8 *at;
    u32 code = 0;
    bool busy = p->mm->busy;
    enum outcome o = machine_access(&m, p, a, access, &at, &code);
    if (o == NO_MEMORY) {
        m.parks++;
        return;
    }
    vma = find_vma(p->mm, a); /* the stack may have grown, a call under way may have ended */
    bool inside = vma && vma->vm_start <= a;
    if (o == WAITING) {
        cr_assert(busy);
    } else if (o == RAISED) {
        cr_assert(!inside || !permits(vma, access), "raised %#x though permitted", code);
        cr_assert_eq(code, RAISE_CODE(SIGSEGV, inside ? SEGV_ACCERR : SEGV_MAPERR));
        if (growable && !inside)
            cr_assert(vma->vm_end - a > p->mm->rlim_stack);
    } else {
        cr_assert(inside, "an access without a region succeeded");
        cr_assert(permits(vma, access) || (access == ACCESS_READ && (vma->vm_flags & VM_WRITE)),
                  "an access that is not permitted succeeded");
        cr_assert_eq(*at, expected_byte(&m, p, vma, a), "a byte is wrong");
        if (access == ACCESS_WRITE) {
            *at = (u8)pick(&m, 256);
            note_write(&m, p, vma, a, *at);
        }
    }
}

static void step_touch(struct process *p) {
    for (int i = 0; i < 8 && p->mm; i++) {
        vaddr a = address_of((u32)pick(&m, SLOTS)) + pick(&m, PAGE_BYTES);
        enum access access = (enum access)(pick(&m, 5) ? pick(&m, 2) : ACCESS_EXEC);
        bool forking = (p->working && p->work.kind == WORK_FORK) || p->mm->busy;
        if (in_change(p, a) || (forking && !p->working) ||
            (access == ACCESS_WRITE && forking && p->work.kind == WORK_FORK))
            continue;
        touch(p, a, access);
    }
}

/* All bytes of all pages that p may read. */
static void check_all_bytes(struct process *p) {
    struct vm_area_struct *vma;
    u8 *at, page[PAGE_BYTES];
    u32 code;
    TAILQ_FOREACH(vma, &p->mm->mmap, vm_list) {
        for (vaddr a = vma->vm_start; a < vma->vm_end && (vma->vm_flags & VM_READ); a += PAGE_BYTES) {
            if (machine_access(&m, p, a, ACCESS_READ, &at, &code) != DONE)
                return;
            for (u64 i = 0; i < PAGE_BYTES; i++)
                page[i] = expected_byte(&m, p, vma, a + i);
            cr_assert(memcmp(at, page, PAGE_BYTES) == 0, "the page at %#llx is wrong", (unsigned long long)a);
        }
    }
}

static struct process *unused_process(void) {
    for (int i = 0; i < PROCESSES; i++)
        if (!m.process[i].mm)
            return &m.process[i];
    return NULL;
}

static void step_fork(struct process *p) {
    struct process *child = unused_process();
    if (!child || !(child->mm = machine_mm(&m)))
        return;
    for (int s = 0; s < SLOTS; s++)
        if (p->bytes[s]) {
            child->bytes[s] = malloc(PAGE_BYTES);
            cr_assert(child->bytes[s]);
            memcpy(child->bytes[s], p->bytes[s], PAGE_BYTES);
        }
    p->child = child;
    begin(p, WORK_FORK, child->mm);
}

static void step_exit(struct process *p) {
    forget_bytes(p, ARENA, ARENA + ARENA_PAGES * PAGE_BYTES);
    forget_bytes(p, HEAP, HEAP + HEAP_PAGES * PAGE_BYTES);
    forget_bytes(p, STACK - STACK_ARENA_PAGES * PAGE_BYTES, STACK);
    begin(p, WORK_EXIT, NULL);
}

static void step_new(struct process *p) {
    p->mm = machine_mm(&m);
    if (!p->mm)
        return;
    p->mm->start_brk = p->mm->brk = HEAP;
    p->mm->rlim_stack = (STACK_ARENA_PAGES - 4) * PAGE_BYTES;
    struct mmap_request r = {
        .addr = STACK - 2 * PAGE_BYTES, .len = 2 * PAGE_BYTES, .prot = PROT_READ | PROT_WRITE};
    r.flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN;
    cr_assert_eq(do_mmap(p->mm, &r, &p->work.change), (i64)r.addr);
}

static void step(struct process *p) {
    static void (*const changes[])(struct process *) = {
        step_mmap,     step_mmap, step_mmap,     step_munmap, step_mprotect,
        step_mprotect, step_brk,  step_dontneed, step_mremap, step_mremap};
    u64 what = pick(&m, 100);
    if (!p->mm) {
        if (what < 10)
            step_new(p);
    } else if (p->mm->busy || p->working) {
        if (p->working && what < 50)
            step_touch(p);
        else
            machine_work(&m);
    } else if (what < 2) {
        step_exit(p);
    } else if (what < 8) {
        step_fork(p);
    } else if (what < 40) {
        changes[pick(&m, ARRAY_LEN(changes))](p);
    } else if (what < 44) {
        check_all_bytes(p);
    } else {
        step_touch(p);
    }
}

static void end_all(void) {
    u64 id;
    for (int i = 0; i < PROCESSES; i++) {
        struct process *p = &m.process[i];
        while (p->mm && (p->mm->busy || p->working))
            machine_work(&m);
        if (p->mm)
            step_exit(p);
        while (p->working)
            machine_work(&m);
    }
    while (vm_object_take_released(&m.ctx, &id)) {
    }
}

static void run(u64 frames, u64 steps) {
    machine_init(&m, frames, seed_begin(0x5eed0002));
    for (u64 i = 0; i < steps; i++) {
        m.ctx.piece = 1 + (u32)pick(&m, i % 2 ? 3 : PIECE_REGIONS);
        step(&m.process[pick(&m, PROCESSES)]);
        if (i % 32 == 0) {
            const char *wrong = model_check(&m.k);
            cr_assert(wrong == NULL, "step %llu: %s", (unsigned long long)i, wrong);
        }
    }
    cr_assert(m.moves > 100);
    printf("faults %llu forwards %llu fills %llu upgrades %llu stale %llu waits %llu parks %llu\n",
           (unsigned long long)m.faults, (unsigned long long)m.forwards, (unsigned long long)m.fills,
           (unsigned long long)m.upgrades, (unsigned long long)m.stale, (unsigned long long)m.waits,
           (unsigned long long)m.parks);
    end_all();
    machine_end(&m);
    cr_assert_eq(slab_host_in_use(), 0, "descriptors were lost");
}

Test(memory, every_process_sees_its_bytes) {
    run(2000, 15000);
}

Test(memory, every_process_sees_its_bytes_when_memory_is_short) {
    run(420, 15000);
}
