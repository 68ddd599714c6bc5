/* SPDX-License-Identifier: MIT */
/* Frames, objects, rights: what the kernel's frame table and capabilities show to user level. */
#pragma once

#include <abi/types.h>

/* What a frame is. One object per frame (a CAPTABLE: 1 to 64 contiguous frames). */
enum frame_kind {
    KIND_RESERVED,
    KIND_DATA,
    KIND_TABLE,
    KIND_SPACE,
    KIND_THREAD,
    KIND_ENDPOINT,
    KIND_CAPTABLE,
    KIND_TRACE,
    /* Not frames; kinds of capabilities only. */
    KIND_ACCOUNT,
    KIND_REPLY,
    KIND_PERMIT,
    KIND_IRQ,
    KIND_IOPORT,
    KIND_TRACING,
    KIND_COUNT
};

enum frame_flag { FRAME_DIRTY = 1, FRAME_ACCESSED = 2, FRAME_QUEUED = 4, FRAME_ZEROED = 8 };

/* Rights of a capability. Which of them a call needs is said at the call. */
enum right {
    RIGHT_CALL = 1,      /* endpoint: call, forward to */
    RIGHT_RECV = 2,      /* endpoint: receive; bind as pager and the like */
    RIGHT_NOTIFY = 4,    /* endpoint: set bits */
    RIGHT_MAP = 8,       /* space, permit: map, unmap, protect; space: scan, clone, permit, wider forwards */
    RIGHT_FEED = 16,     /* space, permit: table pool */
    RIGHT_COPY = 32,     /* space: copy */
    RIGHT_CONTROL = 64,  /* space, thread, table, account: bind, start, stop, regs, open, collect */
    RIGHT_DESTROY = 128, /* objects: destroy; account: close */
    RIGHT_ALL = 255
};

/* Rights of a mapping: bits 0..3 of an item's address word. None of READ, WRITE, EXEC: kept, but not
 * accessible. MAP_PAGER, in a list of map: the second word is an entry of the pager's own (not 0, bit 0
 * clear), not a frame. */
enum map_right { MAP_READ = 1, MAP_WRITE = 2, MAP_EXEC = 4, MAP_MAYWRITE = 8, MAP_PAGER = 16 };

/* A page-table entry as fault messages, scan and unmap show it (x86-64's own layout). */
#define PTE_PRESENT  1ull
#define PTE_WRITE    2ull
#define PTE_USER     4ull
#define PTE_ACCESSED 0x20ull
#define PTE_DIRTY    0x40ull
#define PTE_MAYWRITE 0x200ull
#define PTE_NX       0x8000000000000000ull
#define PTE_FRAME(e) (((e) >> PAGE_SHIFT) & 0xffffffffffull)

#define CAPS_PER_FRAME      128 /* a capability is 32 bytes */
#define CAPTABLE_FRAMES_MAX 64
#define ACCOUNTS            256
#define ACCOUNT_KERNEL      0
#define ACCOUNT_ROOT        1
#define ACCOUNT_FRAME       2
#define ROOT_FRAMES                                                                                          \
    2048 /* frames of account 1 beside the boot modules; they adjoin, and the information page's is first */
#define PERMITS_PER_SPACE 16

/* Slots in root's table at boot. */
enum boot_slot {
    BOOT_TABLE = 1, /* as enum slot: SLOT_TABLE, SLOT_SPACE, SLOT_THREAD, SLOT_ACCOUNT */
    BOOT_SPACE,
    BOOT_THREAD,
    BOOT_ACCOUNT,
    BOOT_FRAME_ACCT = 6, /* account 2: all RAM that is not the kernel's or root's */
    BOOT_IRQ = 8,        /* all lines */
    BOOT_IOPORT = 9,     /* all ports */
    BOOT_TRACE = 10
};
