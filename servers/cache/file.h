/* SPDX-License-Identifier: MIT */
/* What other servers hold: objects (an inode, by number) and open files (filp: an object with a position). */
#pragma once

#include <abi/types.h>

#include "filemap.h"
#include "handle.h"

struct cache;
struct inode;
struct kmem_cache;

/* Bits of open's flags (Linux: O_xxx on x86-64), and whence of lseek (SEEK_xxx). */
enum { OPEN_ACCMODE = 3, OPEN_TRUNC = 01000, OPEN_DIRECTORY = 0200000, OPEN_PATH = 010000000 };
enum { FROM_SET, FROM_CUR, FROM_END, FROM_DATA, FROM_HOLE };

struct filp {
    struct inode *inode; /* counted */
    u64 number;
    u64 position;
    struct read_ahead ahead;
    u64 border; /* of a directory: behind the name given last, where another one begins */
    u32 count;  /* 1 while open, and 1 for each request under way */
};

struct file_table {
    struct handle_table objects, files;
    struct kmem_cache *filps; /* "cache_filp" */
};

err file_init(struct file_table *ft) must_check;

/* One more reference to a counted inode by its object number, which is made for the first one; takes over the
 * caller's count, also on failure. -E_NOMEM. Short wait. */
err object_reference(struct cache *c, struct inode *inode, u64 *number) must_check;

/* The inode behind an object's number, counted for the caller (iput); NULL: no such object. */
struct inode *object_find(struct cache *c, u64 number) must_check;

/* One reference more to, or one less of, an object that has one. -E_STALE: no such object. */
err object_get(struct cache *c, u64 number) must_check;
err object_put(struct cache *c, u64 number) must_check;

/* Opens an object. -E_STALE; -E_ROFS or -E_ISDIR: it would write; -E_NOTDIR: OPEN_DIRECTORY, and it is none;
 * -E_LOOP: a symbolic link; -E_NXIO: a device, fifo or socket; -E_NOMEM. Short wait. */
err file_open(struct cache *c, u64 object, u64 flags, u64 *number) must_check;

/* The open file, counted for the caller (file_release); NULL: no such file. */
struct filp *file_find(struct cache *c, u64 number) must_check;
void file_release(struct cache *c, struct filp *filp);

/* -E_BADF. A request under way keeps the filp until it is released. */
err file_close(struct cache *c, u64 number) must_check;

/* Sets and returns the position. -E_BADF; -E_INVAL: unknown whence, or before the begin or too far; -E_NXIO:
 * FROM_DATA or FROM_HOLE behind the end. */
err file_seek(struct cache *c, u64 number, i64 offset, u64 whence) must_check;

/* Names of a directory from *pos on as struct linux_dirent64 into buffer; *pos moves behind the last one.
 * border: as for ext2_walk. Returns the bytes, 0 at the end. -E_INVAL: not even one fits; -E_NOTDIR; an
 * error of reading the directory only if it comes before the first name. Long wait. */
err dir_names(struct cache *c, const struct inode *dir, u64 *pos, u64 border, char *buffer,
              u64 bytes) must_check;
