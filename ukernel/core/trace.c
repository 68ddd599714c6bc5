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
struct trace_now trace_now;
static struct packet *ring;
static u64 ring_packets;
static u64 packets; /* that have been begun */

void trace_init(u64 at, u64 frames) {
    ring = phys_to_virt(at);
    ring_packets = frames;
    for (u64 i = 0; i < frames; i++)
        ring[i].head.magic = 0; /* what an earlier boot left there is no packet */
}

void trace_set_mask(u64 mask) {
    trace_mask = ring_packets ? mask : 0;
    info_page->trace_mask = trace_mask;
    if (trace_mask && !trace_now.packet)
        trace_next_packet();
    sched_update();
}

void trace_next_packet(void) {
    u64 now = rdtsc();
    struct packet *p = &ring[packets % ring_packets];
    p->head = (struct trace_packet){.magic = TRACE_MAGIC,
                                    .packet_size = PAGE_BYTES * 8,
                                    .content_size = sizeof p->head * 8,
                                    .timestamp_begin = now,
                                    .timestamp_end = now,
                                    .packet_seq_num = packets++,
                                    .abi = TRACE_ABI};
    trace_now = (struct trace_now){&p->head, p->events, p->events + TRACE_EVENTS};
}
