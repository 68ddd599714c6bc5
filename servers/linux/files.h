/* SPDX-License-Identifier: MIT */
/* A table of file descriptors: numbers to open files, and close-on-exec. Pure over <ipc/slab.h>'s kmalloc; it
 * stores pointers and leaves references of files to its caller. */
#pragma once

#include <abi/types.h>

#define FILES_MAX   1024 /* descriptors of a table at most */
#define FILES_FIRST 32   /* room in a new table */

struct file;
struct files {
    u32 refs;                    /* processes and threads that share it */
    u32 room;                    /* length of `file`, a power of two, at most FILES_MAX */
    u32 lowest;                  /* no free number below it */
    u32 end;                     /* one past the highest that is open */
    struct file **file;          /* below `end`: NULL: free */
    u64 cloexec[FILES_MAX / 64]; /* of those that are open */
};

/* Empty, one reference. -E_NOMEM. */
err files_init(struct files *t) must_check;
/* The array goes; all descriptors are closed already. */
void files_fini(struct files *t);
/* The open file, or NULL. */
static inline struct file *files_get(const struct files *t, u64 fd) {
    return fd < t->end ? t->file[fd] : NULL;
}
/* Puts a file at the lowest free number >= least (< limit). -E_MFILE, -E_INVAL (least too large),
 * -E_NOMEM. */
err files_add(struct files *t, struct file *f, u64 least, u64 limit, bool cloexec) must_check;
/* Puts a file at fd; *old: what was there before or NULL. -E_BADF (fd >= limit), -E_NOMEM. */
err files_set(struct files *t, u64 fd, struct file *f, u64 limit, bool cloexec, struct file **old) must_check;
/* Frees a number; the file that was there, or NULL. */
struct file *files_remove(struct files *t, u64 fd);
static inline bool files_cloexec(const struct files *t, u64 fd) {
    return t->cloexec[fd / 64] >> (fd % 64) & 1;
}
void files_set_cloexec(struct files *t, u64 fd, bool on);
/* The lowest descriptor that is open (and, if so asked, to be closed by exec) at or above `from`; -1:
 * none. */
i64 files_next(const struct files *t, u64 from, bool cloexec_only);
/* `to` (initialised, empty) gets the same files and marks; the caller raises their references. -E_NOMEM. */
err files_copy(struct files *to, const struct files *from) must_check;
