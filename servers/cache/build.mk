# SPDX-License-Identifier: MIT
CACHE_LOGIC := cache.c bio.c buffer.c page.c filemap.c reclaim.c inode.c dentry.c handle.c file.c getdents.c waits.c \
               ext2_super.c ext2_inode.c ext2_bmap.c ext2_dir.c
CACHE_SHELL := main.c memory.c disk.c workers.c serve.c transfer.c
