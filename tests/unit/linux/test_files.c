/* SPDX-License-Identifier: MIT */
/* Descriptor tables against a plain array, in random sequences: the lowest free number, marks, copies,
 * limits, no memory. */
#include <criterion/criterion.h>

#include <abi/errors.h>
#include "files.h"
#include "model/seed.h"
#include "model/slab_host.h"

static struct files table;
static struct file *model[FILES_MAX];
static bool cloexec[FILES_MAX];
static char things[4096];

static struct file *some_file(u64 *seed) {
    return (struct file *)&things[seed_next(seed, sizeof things)];
}

static u64 lowest_free(u64 least) {
    while (least < FILES_MAX && model[least])
        least++;
    return least;
}

static void check_all(const struct files *t) {
    i64 next = -1;
    for (u64 fd = 0; fd < FILES_MAX; fd++) {
        cr_assert_eq(files_get(t, fd), model[fd], "descriptor %llu", (unsigned long long)fd);
        if (!model[fd])
            continue;
        cr_assert_eq(files_cloexec(t, fd), cloexec[fd]);
        next = files_next(t, (u64)(next + 1), false);
        cr_assert_eq(next, (i64)fd);
    }
    cr_assert_null(files_get(t, FILES_MAX));
    cr_assert_null(files_get(t, ~0ull));
}

static void add(u64 *seed, u64 limit) {
    struct file *f = some_file(seed);
    bool mark = seed_next(seed, 2);
    u64 least = seed_next(seed, 3) ? 0 : seed_next(seed, FILES_MAX + 10), fd = lowest_free(least);
    err e = files_add(&table, f, least, limit, mark);
    if (least >= MIN(limit, FILES_MAX))
        cr_assert_eq(e, least ? -E_INVAL : -E_MFILE);
    else if (fd >= limit)
        cr_assert_eq(e, -E_MFILE);
    else {
        cr_assert_eq(e, (err)fd);
        model[fd] = f;
        cloexec[fd] = mark;
    }
}

static void set(u64 *seed, u64 limit) {
    struct file *f = some_file(seed), *old = NULL;
    u64 fd = seed_next(seed, FILES_MAX + 10);
    bool mark = seed_next(seed, 2);
    err e = files_set(&table, fd, f, limit, mark, &old);
    if (fd >= limit) {
        cr_assert_eq(e, -E_BADF);
        return;
    }
    cr_assert_eq(e, (err)fd);
    cr_assert_eq(old, model[fd]);
    model[fd] = f;
    cloexec[fd] = mark;
}

Test(files, random) {
    u64 seed = seed_begin(2);
    cr_assert_eq(files_init(&table), 0);
    for (u32 step = 0; step < 30000; step++) {
        u64 limit = seed_next(&seed, 5) ? FILES_MAX : 1 + seed_next(&seed, FILES_MAX);
        u64 fd = seed_next(&seed, FILES_MAX);
        switch (seed_next(&seed, 4)) {
        case 0:
            add(&seed, limit);
            break;
        case 1:
            set(&seed, limit);
            break;
        default:
            cr_assert_eq(files_remove(&table, fd), model[fd]);
            model[fd] = NULL;
            cloexec[fd] = false;
        }
        if (step % 500 == 0)
            check_all(&table);
    }
    struct files copy;
    cr_assert_eq(files_init(&copy), 0);
    cr_assert_eq(files_copy(&copy, &table), 0);
    check_all(&copy);
    files_fini(&copy);
    files_fini(&table);
    cr_assert_eq(slab_host_in_use(), 0);
}

Test(files, no_memory_changes_nothing) {
    struct file *old;
    cr_assert_eq(files_init(&table), 0);
    slab_host_fail_after(0);
    for (u32 fd = 0; fd < FILES_FIRST; fd++) {
        model[fd] = (struct file *)&things[fd];
        cr_assert_eq(files_add(&table, model[fd], 0, FILES_MAX, false), fd);
    }
    cr_assert_eq(files_add(&table, model[0], 0, FILES_MAX, false), -E_NOMEM);
    cr_assert_eq(files_set(&table, 700, model[0], FILES_MAX, false, &old), -E_NOMEM);
    check_all(&table);
    slab_host_fail_after(-1);
    files_fini(&table);
}
