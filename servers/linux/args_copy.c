/* SPDX-License-Identifier: MIT */
/* execve's strings out of the program's memory, with few copies. */
#include <string.h>

#include "call.h"

/* What was copied of the program last: its strings lie side by side, and so do its pointers to them. */
struct window {
    u64 from, bytes;
    char data[512];
};

/* The program's memory at an address: how many bytes of it lie at *at, or as copy_in. */
static i64 look(struct call *k, struct window *w, u64 address, const char **at) {
    if (address - w->from >= w->bytes) {
        /* Not past the page: the next one may be absent. */
        u64 bytes = MIN(sizeof w->data, PAGE_BYTES - (address & PAGE_MASK));
        i64 e = copy_in(k, w->data, address, bytes);
        if (e)
            return e;
        w->from = address;
        w->bytes = bytes;
    }
    *at = w->data + (address - w->from);
    return (i64)(w->from + w->bytes - address);
}

static i64 look_at_pointer(struct call *k, struct window *w, u64 address, u64 *pointer) {
    const char *at;
    i64 n = look(k, w, address, &at);
    if (n < 0)
        return n;
    if (n < (i64)sizeof *pointer)
        return copy_in(k, pointer, address, sizeof *pointer);
    memcpy(pointer, at, sizeof *pointer);
    return 0;
}

static i64 copy_argument(struct call *k, struct args *a, struct window *w, u64 from, bool env) {
    const char *at, *end = NULL;
    while (!end) {
        i64 n = look(k, w, from, &at);
        if (n < 0)
            return n;
        end = memchr(at, 0, (u64)n);
        u64 take = end ? (u64)(end - at) + 1 : (u64)n;
        err e = args_put(a, at, take);
        if (e < 0)
            return e;
        from += take;
    }
    args_end(a, env);
    return 0;
}

i64 args_copy(struct call *k, struct args *a, u64 vector, bool env) {
    struct window pointers, strings;
    u64 pointer;
    pointers.from = pointers.bytes = strings.from = strings.bytes = 0;
    for (; vector; vector += sizeof pointer) {
        i64 e = look_at_pointer(k, &pointers, vector, &pointer);
        if (!e && pointer)
            e = copy_argument(k, a, &strings, pointer, env);
        if (e || !pointer)
            return e;
    }
    return 0;
}
