/* SPDX-License-Identifier: MIT */
/* Names of a directory as getdents64 gives them: from an entry of ext2 straight to Linux's record. A directory
 * has many, so each costs little: entries have been checked before, and names are copied by words. */
#include "file.h"

#include <string.h>

#include "cache.h"
#include "ext2_format.h"

/* Linux's struct linux_dirent64. */
struct dirent_head {
    u64 ino;
    i64 next;
    u16 bytes; /* of the record, a multiple of 8 */
    u8 type;
    char name[]; /* ends by 0 */
} __attribute__((packed));

/* A buffer of records that is being filled. */
struct names {
    char *buffer;
    u64 bytes, filled;
    u64 position; /* of the next name to take */
};

/* Of Linux's d_type, by the type that the entry has: file, dir, char, block, fifo, socket, link. Where the
 * file system has none it is 0. */
static u8 linux_type(u8 type) {
    static const u8 types[] = {0, 8, 4, 2, 6, 1, 12, 10};
    return type < ARRAY_LEN(types) ? types[type] : 0;
}

enum { NAME_WORD = 4 }; /* what entries are multiples of: the last word of a name is all the entry's */

/* The record of an entry, in so many bytes, with zeroes behind the name. */
static void put_record(char *to, u64 bytes, const struct ext2_dir_entry *entry, u64 next) {
    struct dirent_head head = {entry->inode, (i64)next, (u16)bytes, linux_type(entry->file_type)};
    u32 word, len = entry->name_len, whole = len & ~(u32)(NAME_WORD - 1);
    __builtin_memset(to + bytes - 8, 0, 8); /* these are stores, not calls */
    __builtin_memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (u32 i = 0; i < whole; i += NAME_WORD)
        __builtin_memcpy(to + i, entry->name + i, NAME_WORD);
    if (len > whole) {
        __builtin_memcpy(&word, entry->name + whole, NAME_WORD);
        word &= (1u << (len - whole) * 8) - 1;
        __builtin_memcpy(to + whole, &word, NAME_WORD);
    }
}
_Static_assert(sizeof(struct dirent_head) == 19,
               "the last word of a name is within 8 bytes of the record's end");

/* True: the next one does not fit. */
static bool take_names(void *arg, const struct ext2_entries *in) {
    struct names *n = arg;
    u64 filled = n->filled, position = n->position;
    bool full = false;
    for (u32 offset = in->first; offset < in->end;) {
        const struct ext2_dir_entry *entry = (const struct ext2_dir_entry *)(in->data + offset);
        u64 at = in->base + offset;
        offset += entry->rec_len;
        if (!entry->inode || at < position)
            continue;
        u64 bytes = ROUND_UP(sizeof(struct dirent_head) + entry->name_len + 1u, 8);
        full = filled + bytes > n->bytes;
        if (full)
            break;
        position = in->base + offset;
        put_record(n->buffer + filled, bytes, entry, position);
        filled += bytes;
    }
    n->filled = filled;
    n->position = position;
    return full;
}

err dir_names(struct cache *c, const struct inode *dir, u64 *pos, u64 border, char *buffer, u64 bytes) {
    if (dir->kind != INODE_DIR)
        return -E_NOTDIR;
    struct names n = {.buffer = buffer, .bytes = bytes, .position = *pos};
    err e = ext2_walk(c, dir, *pos, border, take_names, &n);
    if (n.filled == 0 && e)
        return e > 0 ? -E_INVAL : e;
    *pos = n.position; /* an error behind them is the next call's */
    return (err)n.filled;
}
