/* SPDX-License-Identifier: MIT */
/* Multiboot 1 and 2, as their specifications have them. */

#include "boot/bootinfo.h"
#include "mm/phys.h"

enum { MB1_CMDLINE = 1 << 2, MB1_MODULES = 1 << 3, MB1_MMAP = 1 << 6 };
enum { MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MMAP = 6 };
enum { MEMORY_RAM = 1 };

struct mb1_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, modules_count, modules, symbols[4], mmap_bytes,
        mmap;
};
struct mb1_module {
    u32 start, end, string, reserved;
};
struct mb1_range {
    u32 size; /* of the rest */
    u64 base, bytes;
    u32 type;
} __attribute__((packed));

struct mb2_info {
    u32 bytes, reserved;
};
struct mb2_tag {
    u32 type, size;
};
struct mb2_module {
    struct mb2_tag tag;
    u32 start, end;
    char string[];
};
struct mb2_mmap {
    struct mb2_tag tag;
    u32 entry_size, version;
};
struct mb2_range {
    u64 base, bytes;
    u32 type, zero;
};

static void copy_string(char *to, u64 bytes, const char *from) {
    u64 i = 0;
    for (; i + 1 < bytes && from[i]; i++)
        to[i] = from[i];
    to[i] = 0;
}

/* The base name of the first word, without ".elf". */
static void copy_name(char *to, u64 bytes, const char *word) {
    const char *name = word, *end = word;
    for (; *end && *end != ' '; end++)
        if (*end == '/')
            name = end + 1;
    u64 n = (u64)(end - name);
    if (n > 4 && end[-4] == '.' && end[-3] == 'e' && end[-2] == 'l' && end[-1] == 'f')
        n -= 4;
    n = MIN(n, bytes - 1);
    copy_string(to, n + 1, name);
}

static err add_module(struct boot_info *info, u64 start, u64 end, const char *string) {
    if (info->modules_count == INFO_MODULES)
        return -E_2BIG;
    if (start & PAGE_MASK || end < start)
        return -E_INVAL;
    struct info_module *m = &info->modules[info->modules_count++];
    m->first = start >> PAGE_SHIFT;
    m->bytes = end - start;
    copy_name(m->name, sizeof m->name, string);
    return 0;
}

static void add_range(struct boot_info *info, u64 base, u64 bytes, u32 type) {
    u64 end = MIN(base + bytes, BOOT_RAM_MAX);
    u64 first = ROUND_UP(base, PAGE_BYTES) >> PAGE_SHIFT;
    if (type != MEMORY_RAM || info->ranges_count == INFO_RANGES || end >> PAGE_SHIFT <= first)
        return;
    info->ranges[info->ranges_count++] = (struct info_range){first, (end >> PAGE_SHIFT) - first};
}

static err read_mb1(struct boot_info *info, const struct mb1_info *mb) {
    if (!(mb->flags & MB1_MMAP))
        return -E_PROTO;
    if (mb->flags & MB1_CMDLINE)
        copy_string(info->cmdline, sizeof info->cmdline, phys_to_virt(mb->cmdline));
    for (u64 at = mb->mmap; at < (u64)mb->mmap + mb->mmap_bytes;) {
        const struct mb1_range *r = phys_to_virt(at);
        add_range(info, r->base, r->bytes, r->type);
        at += r->size + sizeof r->size;
    }
    const struct mb1_module *m = phys_to_virt(mb->modules);
    for (u32 i = 0; mb->flags & MB1_MODULES && i < mb->modules_count; i++) {
        err e = add_module(info, m[i].start, m[i].end, phys_to_virt(m[i].string));
        if (e)
            return e;
    }
    return 0;
}

static void read_mb2_ranges(struct boot_info *info, const struct mb2_mmap *map) {
    const u8 *end = (const u8 *)map + map->tag.size;
    for (const u8 *p = (const u8 *)(map + 1); p + sizeof(struct mb2_range) <= end; p += map->entry_size) {
        const struct mb2_range *r = (const struct mb2_range *)p;
        add_range(info, r->base, r->bytes, r->type);
    }
}

static err read_mb2(struct boot_info *info, const struct mb2_info *mb) {
    const u8 *end = (const u8 *)mb + mb->bytes;
    const struct mb2_tag *tag = (const struct mb2_tag *)(mb + 1);
    while ((const u8 *)(tag + 1) <= end && tag->type != MB2_END) {
        err e = 0;
        if (tag->type == MB2_CMDLINE)
            copy_string(info->cmdline, sizeof info->cmdline, (const char *)(tag + 1));
        else if (tag->type == MB2_MMAP)
            read_mb2_ranges(info, (const struct mb2_mmap *)tag);
        else if (tag->type == MB2_MODULE) {
            const struct mb2_module *m = (const struct mb2_module *)tag;
            e = add_module(info, m->start, m->end, m->string);
        }
        if (e)
            return e;
        tag = (const struct mb2_tag *)((const u8 *)tag + ROUND_UP(MAX(tag->size, sizeof *tag), 8));
    }
    return 0;
}

err boot_info_read(struct boot_info *info, u32 magic, u64 at) {
    err e = -E_PROTO;
    if (magic == MULTIBOOT1_MAGIC)
        e = read_mb1(info, phys_to_virt(at));
    else if (magic == MULTIBOOT2_MAGIC)
        e = read_mb2(info, phys_to_virt(at));
    return e ? e : info->ranges_count ? 0 : -E_PROTO;
}

const char *boot_word(const char *cmdline, const char *key) {
    for (const char *p = cmdline; *p;) {
        const char *k = key;
        for (; *k && *p == *k; k++)
            p++;
        if (!*k && *p == '=')
            return p + 1;
        while (*p && *p != ' ')
            p++;
        while (*p == ' ')
            p++;
    }
    return NULL;
}
