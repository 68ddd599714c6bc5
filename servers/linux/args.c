/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <string.h>

#include <abi/errors.h>
#include <ipc/assert.h>
#include <ipc/slab.h>

#include "uapi.h"

void args_init(struct args *a) {
    *a = (struct args){0};
}

void args_release(struct args *a) {
    kfree(a->strings);
    *a = (struct args){0};
}

/* Room for `more` bytes at strings + used. */
static err args_room(struct args *a, u64 more) {
    u64 need = a->used + more;
    if (need + 8 * ((u64)a->argc + a->envc + 1) > ARGS_BYTES_MAX)
        return -E_2BIG;
    if (need <= a->room)
        return 0;
    u64 room = a->room ? a->room : 1024;
    while (room < need)
        room *= 2;
    char *strings = kmalloc(room, GFP_KERNEL);
    if (!strings)
        return -E_NOMEM;
    if (a->used)
        memcpy(strings, a->strings, a->used);
    kfree(a->strings);
    a->strings = strings;
    a->room = (u32)room;
    return 0;
}

err args_put(struct args *a, const char *piece, u64 bytes) {
    err e = args_room(a, bytes);
    if (e)
        return e;
    memcpy(a->strings + a->used, piece, bytes);
    a->used += (u32)bytes;
    return 0;
}

void args_end(struct args *a, bool env) {
    if (env)
        a->envc++;
    else
        a->argc++;
}

err args_add(struct args *a, const char *string, bool env) {
    err e = args_put(a, string, strlen(string) + 1);
    if (!e)
        args_end(a, env);
    return e;
}

err args_script(struct args *a, const char *interpreter, const char *argument, const char *path) {
    const char *put[3] = {interpreter, argument ? argument : path, argument ? path : NULL};
    u64 old = a->argc ? strlen(a->strings) + 1 : 0, bytes = 0;
    u32 count = argument ? 3 : 2;
    for (u32 i = 0; i < count; i++)
        bytes += strlen(put[i]) + 1;
    err e = args_room(a, bytes);
    if (e)
        return e;
    memmove(a->strings + bytes, a->strings + old, a->used - old);
    char *to = a->strings;
    for (u32 i = 0; i < count; i++) {
        u64 n = strlen(put[i]) + 1;
        memcpy(to, put[i], n);
        to += n;
    }
    a->used = (u32)(a->used - old + bytes);
    a->argc += count - (a->argc ? 1 : 0);
    return 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

err script_parse(char *line, u64 bytes, char **interpreter, char **argument) {
    if (bytes < 4 || line[0] != '#' || line[1] != '!')
        return -E_NOEXEC;
    char *end = memchr(line, '\n', bytes);
    if (!end)
        return -E_NOEXEC;
    while (end > line && is_blank(end[-1]))
        end--;
    *end = 0;
    char *p = line + 2;
    while (is_blank(*p))
        p++;
    if (!*p)
        return -E_NOEXEC;
    *interpreter = p;
    while (*p && !is_blank(*p))
        p++;
    *argument = NULL;
    if (*p) {
        *p++ = 0;
        while (is_blank(*p))
            p++;
        *argument = p;
    }
    return 0;
}

/* A run of `count` strings that will lie at `address`: their addresses are stored at `to`, with a final 0. */
static u64 *store_pointers(u64 *to, const char **strings, u64 *address, u32 count) {
    for (u32 i = 0; i < count; i++) {
        u64 n = strlen(*strings) + 1;
        *to++ = *address;
        *strings += n;
        *address += n;
    }
    *to++ = 0;
    return to;
}

err stack_build(struct stack_image *image, const struct args *a, const char *path, const struct aux *aux,
                u32 n_aux, const u8 random[16], u64 top) {
    u64 path_bytes = strlen(path) + 1;
    u64 path_at = top - 8 - path_bytes, strings_at = path_at - a->used,
        random_at = (strings_at - 16) & ~15ull;
    u64 words = 1 + a->argc + 1 + a->envc + 1 + 2ull * (n_aux + 3);
    u64 sp = (random_at - words * 8) & ~15ull, n = top - sp;
    if (n > KMEM_SIZE_MAX)
        return -E_2BIG;
    char *bytes = kmalloc(n, GFP_KERNEL);
    if (!bytes)
        return -E_NOMEM;
    memset(bytes, 0, n);
    memcpy(bytes + (path_at - sp), path, path_bytes);
    if (a->used)
        memcpy(bytes + (strings_at - sp), a->strings, a->used);
    memcpy(bytes + (random_at - sp), random, 16);
    u64 *w = (u64 *)bytes, address = strings_at;
    const char *strings = a->strings;
    *w++ = a->argc;
    w = store_pointers(w, &strings, &address, a->argc);
    u64 arg_end = address;
    w = store_pointers(w, &strings, &address, a->envc);
    ASSERT(address == path_at);
    memcpy(w, aux, n_aux * sizeof *aux);
    w += 2ull * n_aux;
    const struct aux ends[3] = {{AT_RANDOM, random_at}, {AT_EXECFN, path_at}, {AT_NULL, 0}};
    memcpy(w, ends, sizeof ends);
    *image = (struct stack_image){bytes, n, sp, strings_at, arg_end, address};
    return 0;
}
