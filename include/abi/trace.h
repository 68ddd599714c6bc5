/* SPDX-License-Identifier: MIT */
/* The trace ring: CTF 1.8 packets of 4 KiB, a 64-byte header and 63 events of 64 bytes. */
#pragma once

#include <abi/types.h>

#define TRACE_MAGIC      0xC1FC1FC1u
#define TRACE_EVENTS     63
#define TRACE_NAME_BYTES 40

struct trace_packet {
    u32 magic, stream_id;
    u64 packet_size, content_size; /* bits */
    u64 timestamp_begin, timestamp_end;
    u64 events_discarded, packet_seq_num;
    u32 cpu_id, abi;
};
_Static_assert(sizeof(struct trace_packet) == 64, "packet header");

/* Kinds: the event's id, and its bit in the mask. */
enum trace_kind {
    TRACE_IPC_CALL = 1, /* u32 endpoint frame, u16 label, u16 nwords, u64 call, u64 words[4] */
    TRACE_IPC_REPLY,    /* u32 to tid, u16 label, u16 nwords, u64 call, i64 status, u64 words[3] */
    TRACE_IPC_RECV,     /* u32 endpoint, u16 label, u16 nwords, u64 call, u64 badge, u64 tag, u64 unused[2] */
    TRACE_FORWARD,      /* as ipc_call */
    TRACE_PAGE_FAULT,   /* u64 address, ip, u32 space, u32 access, u64 call, u64 entry, u64 sp */
    TRACE_RESUME, /* the faulting thread goes on: u64 address, call, u32 space, u32 entered, u64 unused[3] */
    TRACE_MAP,    /* u64 virt, frame, u32 space, u32 flags, u64 pages, u64 call, u64 unused */
    TRACE_UNMAP,  /* as map */
    TRACE_IRQ,    /* u32 vector, u32 line, u64 count, u64 unused[4] */
    TRACE_NOTIFY, /* u32 endpoint, u32 unused, u64 bits, u64 call, u64 unused[3] */
    TRACE_USER,   /* a server's own: u32 what (enum trace_user), u32 server tid, u64 call, u64 words[4] */
    TRACE_THREAD_NAME, /* u32 subject tid, u32 space, char name[40] */
    TRACE_SWITCH,      /* u32 to tid, u32 to space, u64 unused[5] */
    TRACE_EXCEPTION,   /* u64 kind, code, address, ip, call, sp */
    TRACE_KINDS
};

struct trace_event {
    u64 timestamp;
    u32 id;  /* enum trace_kind */
    u32 tid; /* frame of the thread */
    u64 payload[6];
};
_Static_assert(sizeof(struct trace_event) == 64, "event");

/* U(name, number, word names...): events of servers. */
#define TRACE_USERS(U)                                                                                       \
    U(cache_hit, 1, inode, index, pages, unused)                                                             \
    U(cache_miss, 2, inode, index, pages, unused)                                                            \
    U(disk_request, 3, lba, sectors, slot, op)                                                               \
    U(disk_irq, 4, slot, status, unused, unused2)                                                            \
    U(disk_done, 5, lba, sectors, slot, error)                                                               \
    U(reclaim, 6, wanted, freed, unused, unused2)                                                            \
    U(exec, 7, pid, unused, unused2, unused3)
enum trace_user {
#define U(name, number, a, b, c, d) TRACE_USER_##name = number,
    TRACE_USERS(U)
#undef U
};
