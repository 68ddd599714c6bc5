/* SPDX-License-Identifier: MIT */
/* Random trees on the host and images that mke2fs makes of them. */
#pragma once

#include <abi/types.h>

struct tree {
    char base[64];  /* a directory of its own under /tmp */
    char root[96];  /* the tree */
    char image[96]; /* the image file */
};

/* An empty tree. */
void tree_begin(struct tree *t);
/* Removes all of it. */
void tree_end(struct tree *t);

/* Files of many sizes, sparse ones, short and long names and links, one directory of 300 names, all by the
 * seed. */
void tree_fill(struct tree *t, u64 seed);
/* A file with a few pieces of random data at the given offsets, and holes between them. */
void tree_sparse(struct tree *t, const char *name, const u64 *offsets, u32 n, u64 size, u64 seed);

/* Runs mke2fs: block size, kilobytes, further options ("" for none). */
void tree_image(struct tree *t, u32 block_bytes, u32 kilobytes, const char *options);
