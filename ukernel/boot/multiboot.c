/* SPDX-License-Identifier: MIT */
/* Multiboot (version 1), as its specification has it. */

#include "boot/bootinfo.h"
#include "mm/phys.h"

enum { MB_CMDLINE = 1 << 2, MB_MODULES = 1 << 3, MB_MMAP = 1 << 6 };
enum { MEMORY_RAM = 1 };

struct multiboot_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, modules_count, modules, symbols[4], mmap_bytes,
        mmap;
};
struct multiboot_module {
    u32 start, end, string, reserved;
};
struct multiboot_range {
    u32 size; /* of the rest */
    u64 base, bytes;
    u32 type;
} __attribute__((packed));

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

err boot_info_read(struct boot_info *info, u32 magic, u64 at) {
    const struct multiboot_info *mb = phys_to_virt(at);
    if (magic != MULTIBOOT_MAGIC || !(mb->flags & MB_MMAP))
        return -E_PROTO;
    if (mb->flags & MB_CMDLINE)
        copy_string(info->cmdline, sizeof info->cmdline, phys_to_virt(mb->cmdline));
    for (u64 r_at = mb->mmap; r_at < (u64)mb->mmap + mb->mmap_bytes;) {
        const struct multiboot_range *r = phys_to_virt(r_at);
        add_range(info, r->base, r->bytes, r->type);
        r_at += r->size + sizeof r->size;
    }
    const struct multiboot_module *m = phys_to_virt(mb->modules);
    for (u32 i = 0; mb->flags & MB_MODULES && i < mb->modules_count; i++) {
        err e = add_module(info, m[i].start, m[i].end, phys_to_virt(m[i].string));
        if (e)
            return e;
    }
    return info->ranges_count ? 0 : -E_PROTO;
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
