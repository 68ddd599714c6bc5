/* SPDX-License-Identifier: MIT */
/* Faults that find no frame, where nothing of ours can be dropped either. They wait in the queue until frames
 * are back (BIT_MEMORY_BACK). region, which ends programs when its own faults find none, does not see these:
 * so here, too, one of them is ended when nothing has come back for a while. */
#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/log.h>

#include "shell.h"

enum {
    SIGKILL = 9,
    HUNGER_MS = 500, /* as region's faults */
};

u64 hunger_deadline;

static u64 after_a_while(u64 now) {
    return now + HUNGER_MS * ((const struct info_page *)INFO_PAGE)->tsc_per_ms;
}

err hunger_of(struct ipc_ctx *c) {
    u64 now = __builtin_ia32_rdtsc();
    if (!hunger_deadline)
        hunger_deadline = after_a_while(now);
    if (now < hunger_deadline)
        return -E_AGAIN;
    hunger_deadline = after_a_while(now);
    log_line("out of memory: descriptor %u is ended, no frame for a page of a file", c->badge);
    err e = sys_raise(c->reply, RAISE_CODE(SIGKILL, 0), 0);
    ASSERT(e == 0);
    ipc_answered(c);
    return 0;
}

void hunger_over(void) {
    hunger_deadline = 0;
}

void hunger_time(void) {
    u64 passed = hunger_deadline;
    workers_run_queue();
    if (hunger_deadline == passed) /* nobody was hungry any more */
        hunger_deadline = 0;
}
