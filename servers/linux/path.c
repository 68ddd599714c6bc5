/* SPDX-License-Identifier: MIT */
#include "path.h"

#include <string.h>

#include <abi/errors.h>

/* Appends a component to the canonical path, or takes one away for "..". */
static err canonical_step(char *path, const char *name, u32 bytes) {
    u64 length = strlen(path);
    if (bytes == 2 && name[0] == '.' && name[1] == '.') {
        while (length > 1 && path[length - 1] != '/')
            length--;
        if (length > 1)
            length--;
        path[length] = 0;
        return 0;
    }
    if (length + 1 + bytes + 1 > PATH_BYTES_MAX)
        return -E_NAMETOOLONG;
    if (length > 1)
        path[length++] = '/';
    memcpy(path + length, name, bytes);
    path[length + bytes] = 0;
    return 0;
}

struct walk {
    struct path_walk *w;
    const struct path_ops *ops;
    const struct node *root;
    char *at; /* in w->rest */
    u32 links;
    bool at_root; /* the result's node is *root itself, whose reference is another's: nobody takes it away */
};

static void leave(struct walk *k) {
    if (!k->at_root)
        k->ops->put(k->ops->of, &k->w->result.node);
    k->at_root = false;
}

static void move_to(struct walk *k, const struct node *n) {
    leave(k);
    k->w->result.node = *n;
}

static void move_to_root(struct walk *k) {
    move_to(k, k->root);
    k->at_root = true;
    strcpy(k->w->result.path, "/");
}

/* The link's target takes the place of the component; what follows stays. */
static err follow(struct walk *k, const struct node *link) {
    struct path_walk *w = k->w;
    if (++k->links > PATH_LINKS_MAX)
        return -E_LOOP;
    err e = k->ops->readlink(k->ops->of, link, w->target);
    if (e)
        return e;
    u64 target = strlen(w->target), rest = strlen(k->at);
    if (!target)
        return -E_NOENT;
    if (target + 1 + rest + 1 > sizeof w->rest)
        return -E_NAMETOOLONG;
    memmove(w->rest + target + 1, k->at, rest + 1);
    memcpy(w->rest, w->target, target);
    w->rest[target] = '/';
    if (!rest)
        w->rest[target] = 0;
    k->at = w->rest;
    if (*k->at == '/')
        move_to_root(k);
    return 0;
}

/* One component [name, name + bytes); k->at is behind it. */
static err step(struct walk *k, const char *name, u32 bytes, bool last, u32 flags) {
    struct path_result *r = &k->w->result;
    struct node found;
    if (!S_ISDIR(r->node.mode))
        return -E_NOTDIR;
    if (bytes > NAME_BYTES_MAX)
        return -E_NAMETOOLONG;
    if (bytes == 1 && name[0] == '.')
        return 0;
    if (bytes == 2 && name[0] == '.' && name[1] == '.' && !r->path[1])
        return 0;
    err e = k->ops->lookup(k->ops->of, &r->node, r->path, name, bytes, &found);
    if (e)
        return e;
    if (S_ISLNK(found.mode) && !(last && (flags & PATH_NOFOLLOW))) {
        e = follow(k, &found);
        k->ops->put(k->ops->of, &found);
        return e;
    }
    e = canonical_step(r->path, name, bytes);
    if (e) {
        k->ops->put(k->ops->of, &found);
        return e;
    }
    move_to(k, &found);
    return 0;
}

static err walk_all(struct walk *k, u32 flags, bool *last_missing) {
    while (*k->at) {
        while (*k->at == '/')
            k->at++;
        if (!*k->at)
            break;
        const char *name = k->at;
        while (*k->at && *k->at != '/')
            k->at++;
        u32 bytes = (u32)(k->at - name);
        const char *next = k->at;
        while (*next == '/')
            next++;
        /* A slash behind the last component asks for a directory, and so for the link's target. */
        bool last = !*k->at;
        err e = step(k, name, bytes, last, flags);
        if (e) {
            *last_missing = e == -E_NOENT && !*next;
            return e;
        }
    }
    return 0;
}

err path_walk(struct path_walk *w, const struct path_ops *ops, const struct node *root,
              const struct node *start, const char *start_path, u32 flags, bool *last_missing) {
    bool ignored, slash;
    u64 bytes = strlen(w->name);
    if (!last_missing)
        last_missing = &ignored;
    *last_missing = false;
    if (!bytes)
        return -E_NOENT;
    bool absolute = w->name[0] == '/';
    slash = w->name[bytes - 1] == '/';
    struct walk k = {w, ops, root, w->rest, 0, absolute};
    memcpy(w->rest, w->name, bytes + 1);
    w->result.node = absolute ? *root : *start;
    strcpy(w->result.path, absolute ? "/" : start_path);
    if (!absolute)
        ops->get(ops->of, &w->result.node);
    err e = walk_all(&k, flags, last_missing);
    if (!e && (slash || (flags & PATH_DIRECTORY)) && !S_ISDIR(w->result.node.mode))
        e = -E_NOTDIR;
    if (e)
        leave(&k);
    else if (k.at_root)
        ops->get(ops->of, &w->result.node);
    return e;
}
