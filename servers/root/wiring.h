/* SPDX-License-Identifier: MIT */
/* Who gets what: the one table from which root starts the servers and docs/wiring.md is printed. */
#pragma once

#include <abi/layout.h>
#include <abi/types.h>

struct port_range {
    u16 first, count;
};

struct wiring {
    const char *name; /* of the boot module, too */
    enum priority priority;
    u32 table_frames; /* of its capability table: CAPS_PER_FRAME slots each */
    u32 calls;        /* bit = enum server_id: its endpoint, CALL and NOTIFY */
    u32 notifies;     /* bit = enum server_id: its endpoint, NOTIFY only */
    u32 accounts;     /* bit = enum server_id: their accounts, to give frames to */
    u32 windows; /* bit = enum server_id: a permit on that server's window (slab's clients' slabs; ata's ring)
                  */
    u32 copies;  /* bit = enum server_id: COPY on that server's space */
    bool irqs, ports; /* authority to bind irq lines, I/O ports */
};

/* Indexed by enum server_id; the entries of SRV_NONE and SRV_ROOT are empty but for the name. */
extern const struct wiring wirings[SRV_COUNT];
