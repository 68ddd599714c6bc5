/* SPDX-License-Identifier: MIT */
#include "prd.h"

#include <ipc/assert.h>

/* Adds [paddr, paddr + bytes), cut at the 64 KiB boundary if it crosses one. The controller would silently
 * wrap. */
static u32 prd_add(struct ata_prd *table, u32 n, u64 paddr, u64 bytes) {
    while (bytes > 0) {
        u64 piece = MIN(bytes, PRD_BOUNDARY - paddr % PRD_BOUNDARY);
        ASSERT(n < PRD_MAX);
        ASSERT(paddr % 2 == 0 && piece % 2 == 0 && paddr + piece <= 1ull << 32);
        table[n++] = (struct ata_prd){.paddr = (u32)paddr, .bytes = (u16)piece};
        paddr += piece;
        bytes -= piece;
    }
    return n;
}

u32 prd_build(struct ata_prd table[PRD_MAX], const struct ata_request *request, u32 bounce_paddr) {
    u32 n = 0;
    u64 bounce = bounce_paddr;
    for (u32 i = 0; i < request->segments; i++) {
        const struct ata_segment *s = &request->segment[i];
        u64 paddr = s->paddr;
        if (segment_is_high(s)) {
            paddr = bounce;
            bounce += s->bytes;
        }
        n = prd_add(table, n, paddr, s->bytes);
    }
    ASSERT(n > 0);
    table[n - 1].flags = PRD_LAST;
    return n;
}
