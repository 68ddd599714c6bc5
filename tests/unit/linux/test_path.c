/* SPDX-License-Identifier: MIT */
/* Path walk over a small tree: links, dots, slashes, errors; every reference that was taken is given back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errors.h>
#include "model/seed.h"
#include "path.h"

static const struct {
    u32 dir, mode;
    const char *name, *target;
} tree[] = {{0, S_IFDIR, "", NULL},          {0, S_IFDIR, "a", NULL},      {1, S_IFDIR, "b", NULL},
            {2, S_IFREG, "file", NULL},      {0, S_IFLNK, "up", "a/b"},    {2, S_IFLNK, "rel", "../b/file"},
            {1, S_IFLNK, "abs", "/up/file"}, {0, S_IFLNK, "loop", "loop"}, {0, S_IFLNK, "lost", "no/where"},
            {2, S_IFLNK, "top", "/"}};

static i64 held;
static struct path_walk w;

static err lookup(void *of, const struct node *dir, const char *path, const char *name, u32 bytes,
                  struct node *found) {
    (void)of, (void)path;
    u32 at = (u32)dir->id - 1;
    if (bytes == 2 && !memcmp(name, "..", 2)) {
        held++;
        *found = (struct node){FS_DISK, S_IFDIR, tree[at].dir + 1, 0, 0};
        return 0;
    }
    for (u32 i = 1; i < ARRAY_LEN(tree); i++) {
        if (tree[i].dir == at && strlen(tree[i].name) == bytes && !memcmp(tree[i].name, name, bytes)) {
            held++;
            *found = (struct node){FS_DISK, tree[i].mode, i + 1, 0, 0};
            return 0;
        }
    }
    return -E_NOENT;
}
static err readlink_of(void *of, const struct node *n, char *to) {
    (void)of;
    strcpy(to, tree[n->id - 1].target);
    return 0;
}
static void get(void *of, const struct node *n) {
    (void)of, (void)n;
    held++;
}
static void put(void *of, const struct node *n) {
    (void)of, (void)n;
    held--;
}

static err walk(const char *path, u32 flags, bool *missing) {
    const struct path_ops ops = {lookup, readlink_of, get, put, NULL};
    const struct node root = {FS_DISK, S_IFDIR, 1, 0, 0}, a = {FS_DISK, S_IFDIR, 2, 0, 0};
    strcpy(w.name, path);
    err e = path_walk(&w, &ops, &root, &a, "/a", flags, missing);
    cr_assert_eq(held, e ? 0 : 1, "%s: %lld references", path, (long long)held);
    held = 0;
    return e;
}

static void leads(const char *path, u32 flags, const char *canonical, u32 node) {
    cr_assert_eq(walk(path, flags, NULL), 0, "%s", path);
    cr_assert_str_eq(w.result.path, canonical, "%s", path);
    cr_assert_eq(w.result.node.id, node + 1, "%s", path);
}

Test(path, leads_there) {
    leads("/", 0, "/", 0);
    leads("///", 0, "/", 0);
    leads("b/file", 0, "/a/b/file", 3);
    leads(".", 0, "/a", 1);
    leads("..", 0, "/", 0);
    leads("/../..//a/./b/../b/", 0, "/a/b", 2);
    leads("/up", 0, "/a/b", 2);
    leads("/up", PATH_NOFOLLOW, "/up", 4);
    leads("/up/", PATH_NOFOLLOW, "/a/b", 2);
    leads("/up/file", PATH_NOFOLLOW, "/a/b/file", 3);
    leads("b/rel", 0, "/a/b/file", 3);
    leads("abs", 0, "/a/b/file", 3);
    leads("/a/b/top/up/top/a", PATH_DIRECTORY, "/a", 1);
    leads("/up/..", 0, "/a", 1);
}

Test(path, errors) {
    bool missing;
    cr_assert_eq(walk("", 0, NULL), -E_NOENT);
    cr_assert_eq(walk("/loop", 0, NULL), -E_LOOP);
    cr_assert_eq(walk("/a/b/file/x", 0, NULL), -E_NOTDIR);
    cr_assert_eq(walk("/a/b/file/", 0, NULL), -E_NOTDIR);
    cr_assert_eq(walk("/a/b/file", PATH_DIRECTORY, NULL), -E_NOTDIR);
    cr_assert_eq(walk("/new", 0, &missing), -E_NOENT);
    cr_assert(missing);
    cr_assert_eq(walk("/new/", 0, &missing), -E_NOENT);
    cr_assert(missing);
    cr_assert_eq(walk("/new/file", 0, &missing), -E_NOENT);
    cr_assert(!missing);
    char long_name[400];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    cr_assert_eq(walk(long_name, 0, NULL), -E_NAMETOOLONG);
}

Test(path, random_paths_end_and_leak_nothing) {
    static const char *const part[] = {"a", "b",    "up",   "rel",  "abs", "top", "..",
                                       ".", "file", "loop", "lost", "/",   ""};
    u64 seed = seed_begin(6);
    for (u32 step = 0; step < 50000; step++) {
        char path[200] = "";
        for (u64 n = seed_next(&seed, 12); n; n--) {
            strcat(path, part[seed_next(&seed, ARRAY_LEN(part))]);
            strcat(path, "/");
        }
        err e = walk(path, (u32)seed_next(&seed, 4), NULL);
        if (!e)
            cr_assert(w.result.path[0] == '/' && !strstr(w.result.path, "//") &&
                      !strstr(w.result.path, "/."));
    }
}
