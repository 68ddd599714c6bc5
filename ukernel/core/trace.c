/* SPDX-License-Identifier: MIT */
/* See trace.h. A reader may look at any moment, of a crashed system too: an event counts once content_size
 * covers it. */

#include "arch/cpu.h"
#include "boot/main.h"
#include "core/sched.h"
#include "core/trace.h"

#define TRACE_ABI 1

struct packet {
    struct trace_packet head;
    struct trace_event events[TRACE_EVENTS];
};
_Static_assert(sizeof(struct packet) == PAGE_BYTES, "a packet is a page");

u64 trace_mask;
static struct packet *ring;
static u64 ring_packets;
static u64 packet_number; /* of the packet that is being filled */
static u32 events;        /* in it; TRACE_EVENTS: begin the next one */

void trace_init(u64 at, u64 frames) {
    ring = phys_to_virt(at);
    ring_packets = frames;
    packet_number = 0;
    events = 0;
    for (u64 i = 0; i < frames; i++)
        ring[i].head.magic = 0; /* what an earlier boot left there is no packet */
}

void trace_set_mask(u64 mask) {
    trace_mask = ring_packets ? mask : 0;
    info_page->trace_mask = trace_mask;
    sched_update();
}

static struct packet *begin_packet(u64 now) {
    struct packet *p = &ring[packet_number % ring_packets];
    p->head = (struct trace_packet){
        .magic = TRACE_MAGIC,
        .packet_size = PAGE_BYTES * 8,
        .content_size = sizeof p->head * 8,
        .timestamp_begin = now,
        .timestamp_end = now,
        .packet_seq_num = packet_number,
        .abi = TRACE_ABI,
    };
    return p;
}

void trace_write(enum trace_kind kind, u32 tid, const u64 payload[6]) {
    u64 now = rdtsc();
    if (events == TRACE_EVENTS) {
        packet_number++;
        events = 0;
    }
    struct packet *p = events ? &ring[packet_number % ring_packets] : begin_packet(now);
    struct trace_event *e = &p->events[events++];
    e->timestamp = now;
    e->id = kind;
    e->tid = tid;
    for (u32 i = 0; i < 6; i++)
        e->payload[i] = payload[i];
    p->head.timestamp_end = now;
    __atomic_signal_fence(__ATOMIC_RELEASE);
    p->head.content_size += sizeof *e * 8;
}
