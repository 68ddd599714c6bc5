/* SPDX-License-Identifier: MIT */
/* execve. A new memory descriptor and a new thread object are made beside the old ones, so that whatever
 * fails leaves the program as it was; then they change places. The new stack is written when the new thread
 * sends its first exception (deliver.c). */
#include <string.h>

#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/cache.def>
#include <proto/region.def>

#include "binfmt_elf.h"
#include "kern.h"
#include "proc_text.h"
#include "state.h"
#include "sys.h"

#define REGION SERVICE(SRV_REGION)
#define CACHE  SERVICE(SRV_CACHE)

#define STACK_TOP         USER_END
#define STACK_SPARE_BYTES 0x20000ull /* mapped below the picture; below that it grows by faults */
#define SCRIPTS_MAX       4          /* interpreters that are scripts themselves */
#define SCRIPT_LINE_MAX   256        /* what is looked at of a #! line */

/* A new program that does not run yet. */
struct program {
    struct mm *mm;
    struct exec_image *image;
    struct elf_plan plan;
    u32 thread;
    pfn frame;
};

/* A file's first bytes: header and segments of most, in one call of cache. */
struct head {
    char bytes[MSG_TAIL_BYTES];
    u64 n;
};

static i64 peek(u64 object, u64 offset, void *to, u64 bytes) {
    u64 done = 0;
    while (done < bytes) {
        struct cache_peek_rep rep;
        struct cache_peek_req req = {object, offset + done, MIN(bytes - done, MSG_TAIL_BYTES)};
        err e = cache_peek(CACHE, &req, 0, &rep);
        if (e < 0)
            return e;
        if (!rep.bytes)
            break;
        if (rep.bytes > req.bytes)
            return -E_PROTO;
        memcpy((char *)to + done, ipc_tail(), rep.bytes);
        done += rep.bytes;
    }
    return (i64)done;
}

/* From w->name to a regular executable file that is no script, in w->result with a reference. The arguments
 * are changed as #! lines say. */
static err find_binary(struct process *p, struct args *a, struct path_walk *w, struct head *head) {
    for (u32 depth = 0; depth <= SCRIPTS_MAX; depth++) {
        err e = walk_from(p, w, 0, NULL);
        if (e < 0)
            return e;
        struct node n = w->result.node;
        char *interpreter, *argument;
        i64 got = 0;
        if (n.fs != FS_DISK || !S_ISREG(n.mode) || !(n.mode & 0111))
            e = -E_ACCES;
        else if ((got = peek(n.id, 0, head->bytes, sizeof head->bytes)) < 0)
            e = got;
        else if (script_parse(head->bytes, MIN((u64)got, SCRIPT_LINE_MAX), &interpreter, &argument) == 0)
            e = args_script(a, interpreter, argument, w->name);
        else if (got < ELF_HEADER_BYTES)
            e = -E_NOEXEC;
        else {
            head->n = (u64)got;
            return 0;
        }
        node_put(&n);
        if (e < 0)
            return e;
        strcpy(w->name, interpreter);
    }
    return -E_LOOP;
}

static err plan_program(struct path_walk *w, const struct head *head, struct elf_plan *plan) {
    struct elf_header h;
    char room[ELF_PHDRS_MAX * ELF_PHDR_BYTES];
    const char *phdrs = room;
    bool interpreter;
    err e = elf_header(head->bytes, &h);
    if (e < 0)
        return e;
    u64 bytes = (u64)h.phnum * ELF_PHDR_BYTES;
    if (h.phoff <= head->n && bytes <= head->n - h.phoff) {
        phdrs = head->bytes + h.phoff;
    } else {
        i64 got = peek(w->result.node.id, h.phoff, room, bytes);
        if (got < (i64)bytes)
            return got < 0 ? got : -E_NOEXEC;
    }
    e = elf_plan(&h, phdrs, w->result.node.size, plan, &interpreter);
    if (interpreter)
        log_line("%s wants a dynamic linker: not supported", w->result.path);
    return e;
}

/* object 0: anonymous. > 0: the object's first region. */
static err map(struct mm *mm, u64 from, u64 end, u64 prot, u64 flags, u64 object, u64 index) {
    struct region_mmap_rep rep;
    if (from >= end)
        return 0;
    flags |= MAP_PRIVATE | MAP_FIXED | (object ? 0 : MAP_ANONYMOUS);
    struct region_mmap_req req = {mm->number, from, end - from, prot | 7ull << 24 | flags << 32,
                                  object,     index};
    err e = region_mmap(REGION, &req, 0, &rep);
    if (e < 0)
        return e;
    object_unmapped(ipc_tail(), rep.released); /* of others: region tells whoever comes next */
    return (err)rep.first;
}

static void add_write(struct exec_image *image, u64 address, u64 bytes, const char *from) {
    if (bytes)
        image->write[image->writes++] = (struct exec_write){address, bytes, from};
}

static err map_segment(struct program *new, const struct elf_load *l, u64 object, bool *first) {
    struct elf_pieces p;
    elf_pieces(l, &p);
    err e = map(new->mm, p.map, p.file_end, l->prot, 0, object, p.index);
    *first |= e > 0;
    if (e >= 0)
        e = map(new->mm, p.file_end, p.memory_end, l->prot, 0, 0, 0);
    if (e >= 0)
        add_write(new->image, p.zero, p.zero_bytes, NULL);
    return e;
}

static err map_segments(struct program *new, struct path_walk *w) {
    const struct elf_plan *plan = &new->plan;
    u64 object = w->result.node.id;
    bool first = false;
    err e = object_map(object, w->result.path, w->result.node.inode, OBJECT_FILE_OURS);
    if (e < 0)
        return e;
    w->result.node.fs = FS_NONE; /* the walk's reference is the mapping's now */
    for (u32 i = 0; i < plan->loads && e >= 0; i++)
        e = map_segment(new, &plan->load[i], object, &first);
    object_mapped(object, first);
    return e;
}

static err build_stack(struct program *new, const struct args *a, const char *path) {
    const struct elf_plan *plan = &new->plan;
    const struct aux aux[] = {{AT_HWCAP, 0x178bfbff},
                              {AT_PAGESZ, PAGE_BYTES},
                              {AT_CLKTCK, 100},
                              {AT_PHDR, plan->phdr_address},
                              {AT_PHENT, ELF_PHDR_BYTES},
                              {AT_PHNUM, plan->phnum},
                              {AT_BASE, 0},
                              {AT_FLAGS, 0},
                              {AT_ENTRY, plan->entry},
                              {AT_UID, 0},
                              {AT_EUID, 0},
                              {AT_GID, 0},
                              {AT_EGID, 0},
                              {AT_SECURE, 0}};
    u64 random[2] = {random_next(), random_next()};
    return stack_build(&new->image->stack, a, path, aux, ARRAY_LEN(aux), (const u8 *)random, STACK_TOP);
}

static err set_layout(struct program *new, const struct rlimit64 *limit) {
    const struct elf_plan *plan = &new->plan;
    const struct stack_image *s = &new->image->stack;
    struct region_layout_rep rep;
    struct region_layout layout = {.start_code = plan->start_code,
                                   .end_code = plan->end_code,
                                   .start_data = plan->start_data,
                                   .end_data = plan->end_data,
                                   .start_brk = plan->brk,
                                   .start_stack = s->sp,
                                   .arg_start = s->arg_start,
                                   .arg_end = s->arg_end,
                                   .limit_data = limit[RLIMIT_DATA].now,
                                   .limit_stack = limit[RLIMIT_STACK].now,
                                   .limit_as = limit[RLIMIT_AS].now};
    memcpy(ipc_tail(), &layout, sizeof layout);
    new->mm->arg_start = s->arg_start;
    new->mm->arg_end = s->arg_end;
    new->mm->env_end = s->env_end;
    return region_layout(REGION, &(struct region_layout_req){new->mm->number}, sizeof layout / 8, &rep);
}

static err map_program(struct program *new, const struct process *p, const struct args *a,
                       struct path_walk *w) {
    err e = map_segments(new, w);
    if (e >= 0)
        e = build_stack(new, a, w->name);
    if (e < 0)
        return e;
    const struct stack_image *s = &new->image->stack;
    add_write(new->image, s->sp, s->n, s->bytes);
    u64 prot = PROT_READ | PROT_WRITE | (new->plan.stack_exec ? PROT_EXEC : 0);
    e = map(new->mm, ROUND_DOWN(s->sp, PAGE_BYTES) - STACK_SPARE_BYTES, STACK_TOP, prot,
            MAP_GROWSDOWN | MAP_STACK, 0, 0);
    return e < 0 ? e : set_layout(new, p->rlimit);
}

static void undo(struct program *new) {
    if (new->thread)
        kern_thread_destroy(new->thread, new->frame);
    if (new->mm)
        mm_put(new->mm, NULL);
    exec_image_free(new->image);
}

static err make_program(struct task *t, struct program *new, const struct args *a, struct path_walk *w) {
    new->image = kmalloc(sizeof *new->image, GFP_KERNEL);
    if (!new->image)
        return -E_NOMEM;
    *new->image = (struct exec_image){.writes = 0};
    new->mm = mm_create();
    if (!new->mm)
        return -E_NOMEM;
    new->mm->exe = string_copy(w->result.path);
    err e = map_program(new, t->process, a, w);
    if (e >= 0)
        e = kern_thread_create(new->mm->space, t->tid, &new->thread, &new->frame);
    if (e < 0)
        return e;
    /* The FPU is as a new thread's. */
    struct user_regs *regs = kern_regs_room();
    memset(regs, 0, offsetof(struct user_regs, fpu));
    regs->rip = new->plan.entry;
    regs->rsp = new->image->stack.sp;
    regs->rflags = 0x202;
    return kern_regs_write(new->thread, REGS_GENERAL);
}

static void set_comm(struct task *t, const char *path) {
    const char *base = path;
    for (const char *c = path; *c; c++)
        base = *c == '/' ? c + 1 : base;
    memset(t->comm, 0, sizeof t->comm);
    memcpy(t->comm, base, MIN(strlen(base), sizeof t->comm - 1));
}

static void kill_other_tasks(struct process *p, const struct task *stays) {
    struct task *t, *next;
    for (t = TAILQ_FIRST(&p->tasks); t; t = next) {
        next = TAILQ_NEXT(t, sibling);
        if (t != stays)
            task_kill(t);
    }
}

/* The point of no return: none of this fails. */
static void change_places(struct task *t, struct program *new, const char *name) {
    struct process *p = t->process;
    struct mm *old = p->mm;
    kill_other_tasks(p, t);
    if (t->thread)
        kern_thread_destroy(t->thread, t->frame);
    exec_image_free(t->image);
    t->thread = new->thread;
    t->frame = new->frame;
    t->image = new->image;
    p->mm = new->mm;
    p->execed = true;
    t->set_child_tid = t->clear_child_tid = 0;
    t->altstack = (struct linux_stack){.flags = SS_DISABLE};
    t->restart = RESTART_NONE;
    sighand_exec(p->sighand);
    set_comm(t, name);
    for (i64 fd = files_next(p->files, 0, true); fd >= 0; fd = files_next(p->files, (u64)fd + 1, true))
        file_put(files_remove(p->files, (u64)fd));
    p->vfork = false;
    wake(&p->vfork_done);
    if (old)
        mm_put(old, p);
}

err exec_start(struct task *t, struct args *a, struct path_walk *w) {
    struct program new = {0};
    struct head head;
    err e = find_binary(t->process, a, w, &head);
    if (e < 0)
        return e;
    e = plan_program(w, &head, &new.plan);
    if (e >= 0)
        e = make_program(t, &new, a, w);
    node_put(&w->result.node);
    if (e >= 0 && t->ending)
        e = -E_INTR;
    if (e < 0) {
        undo(&new);
        return e;
    }
    change_places(t, &new, w->name);
    if (!t->ending)
        kern_thread_start(t->thread);
    return 0;
}

i64 linux_execve(struct call *k) {
    struct path_walk *w = walk_buffer();
    struct args a;
    args_init(&a);
    i64 e = args_copy(k, &a, k->w[1], false);
    if (!e)
        e = args_copy(k, &a, k->w[2], true);
    if (!e && !a.argc)
        e = args_add(&a, "", false);
    if (!e)
        e = copy_string(k, w->name, k->w[0], sizeof w->name);
    if (e >= 0)
        e = exec_start(k->task, &a, w);
    if (e >= 0 && k->verdict == ANSWER)
        k->verdict = GONE;
    args_release(&a);
    return e;
}
