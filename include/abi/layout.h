/* SPDX-License-Identifier: MIT */
/* The address map: what lies where in a server's space, and the capability slots that every server starts
 * with. Programs' layouts are region's and linux's business; only the borders of user addresses matter to the
 * kernel. */
#pragma once

#include <abi/types.h>

/* Kernel half. */
#define KERNEL_BASE     0xffffffff80000000ull /* image, linked here, loaded at 1 MiB physical */
#define PHYS_BASE       0xffff800000000000ull /* all RAM, mapped once with large pages */
#define USER_FIRST      0x0000000000001000ull /* page 0 is never mapped */
#define USER_END        0x00007ffffffff000ull /* exclusive: the last page below 2^47 is never mapped */
#define BLOCK_BYTES     0x200000ull           /* what one page table covers; the reach of one fault answer */
#define SPACE_TOP_SLOTS 256                   /* top-level entries that belong to user addresses */

/* Servers. Images are linked at IMAGE_BASE(id) with id from enum server_id. */
#define IMAGE_BASE(id) ((u64)(id) << 24)
#define STACK_BASE     0x20000000ull /* thread i: [STACK_BASE + i*STACK_STRIDE + guard page, ...) */
#define STACK_STRIDE   0x20000ull
#define STACK_PAGES    8ull          /* mapped pages at the top of a stride; the rest is guard */
#define MSG_BASE       0x30000000ull /* message page of thread i at MSG_BASE + i*PAGE_BYTES */
#define MAGAZINES_PAGE 0x3fffe000ull /* struct frame_magazines of this server, as in server.ld */
#define INFO_PAGE      0x3ffff000ull /* struct info_page, read only */
#define HEAP_BASE      0x40000000ull /* vmalloc areas and other big tables */
#define HEAP_END       0x4000000000ull
/* frame's space: the magazines page of each client, read only. */
#define CLIENT_MAGAZINES(id) (0x3ffe0000ull + (id)*PAGE_BYTES)
#define ATA_RING_WINDOW      0x5000000000ull /* ata's space: where cache maps the disk ring (permit from root) */
#define ATA_RING_PAGES       16ull
#define LINUX_CMD                                                                                            \
    0x6000000000ull /* linux: boot module "cmd", read only; its length is in the information page */
#define SLAB_WINDOW                                                                                          \
    0x8000000000ull /* client's space: where slab maps this client's slabs (permit from root) */
#define SLAB_WINDOW_END    0x10000000000ull
#define OWN_WINDOW         0x100000000000ull /* own frame f is seen at OWN_WINDOW + f*PAGE_BYTES, where wanted */
#define OWN_WINDOW_END     0x200000000000ull
#define SERVER_THREADS_MAX 64

/* Servers by number; also the order in which root starts them, and each one's client badge at the others. */
enum server_id {
    SRV_NONE,
    SRV_ROOT,
    SRV_FRAME,
    SRV_SLAB,
    SRV_REGION,
    SRV_CACHE,
    SRV_ATA,
    SRV_LINUX,
    SRV_CONSOLE,
    SRV_COUNT
};

/* Capability slots that root fills in every server's table before it starts. Empty where a server has no
 * need. */
enum slot {
    SLOT_NULL,       /* never holds anything: "none" in every argument */
    SLOT_TABLE,      /* own capability table: cap_copy, cap_drop */
    SLOT_SPACE,      /* own space: MAP, FEED, COPY, CONTROL */
    SLOT_THREAD,     /* own first thread: CONTROL */
    SLOT_ACCOUNT,    /* own account */
    SLOT_ENDPOINT,   /* own endpoint: CALL, RECV, NOTIFY */
    SLOT_FRAME_ACCT, /* frame's account: frames are given back to it */
    SLOT_IRQ,        /* irq authority (ata: 14; console: 3, 4) */
    SLOT_IOPORT,     /* port authority (ata, console) */
    SLOT_SELF_LAST = 15,
    SLOT_SERVICE =
        16, /* + enum server_id: endpoint of that server, badged with the client's own number; CALL, NOTIFY */
    SLOT_CLIENT_ACCT =
        SLOT_SERVICE + SRV_COUNT, /* + enum server_id: that server's account (frame: to give frames) */
    SLOT_WINDOW =
        SLOT_CLIENT_ACCT + SRV_COUNT, /* + enum server_id: permit on that client's slab window (slab),
                                       * on ata's ring window (cache: SLOT_WINDOW + SRV_ATA) */
    SLOT_FREE = 64                    /* first slot that root leaves to the server itself */
};
#define SERVICE(id)     (SLOT_SERVICE + (id))
#define CLIENT_ACCT(id) (SLOT_CLIENT_ACCT + (id))
#define WINDOW(id)      (SLOT_WINDOW + (id))
_Static_assert(SLOT_WINDOW + SRV_COUNT <= SLOT_FREE, "root's slots overlap the servers' own");

/* Priorities, low first; fixed. */
enum priority {
    PRIO_IDLE,
    PRIO_PROGRAM,
    PRIO_LINUX,
    PRIO_CACHE,
    PRIO_REGION,
    PRIO_SLAB,
    PRIO_FRAME,
    PRIO_CONSOLE,
    PRIO_ATA,
    PRIO_ROOT,
    PRIO_COUNT
};
