/* SPDX-License-Identifier: MIT */
/* A hostile server: in the place of any of them, with its real capabilities, it looks at what it holds, makes
 * random calls of the kernel and of every server that it may call, and then dies of a wild access. */
#include "random.h"

enum { CALLS = 12000, HAMMERS = 40, WAIT_MS = 40 };
static volatile u64 calls;

static void hammer(void *unused) {
    (void)unused;
    while (calls < CALLS) {
        calls = calls + 1;
        switch (rnd(4)) {
        case 0:
            server_call();
            break;
        case 1:
            if (rnd(8) == 0)
                notify_others();
            break;
        default:
            kernel_call();
        }
    }
    for (;;)
        (void)sys_yield();
}

static _Noreturn void end(void) {
    err e = sys_audit();
    log_line("%lu calls, %lu of the kernel succeeded, %lu were answered by servers", calls, succeeded,
             answered);
    log_line("audit %s", e == -E_PROTO ? "FAILED" : "ok");
    log_line("done");
    *(volatile u32 *)0x123000 = 1;
    for (;;)
        ;
}

int main(void) {
    log_name("hostile");
    look(true);
    if (server_id == SRV_FRAME || server_id == SRV_SLAB) {
        while (calls < CALLS) { /* who they call answers at once */
            calls = calls + 1;
            if (server_id == SRV_SLAB && rnd(4) == 0)
                server_call();
            else
                kernel_call();
        }
        end();
    }
    if (frame_client_init())
        log_line("frame does not answer");
    while (owned < FRAMES && (own[owned] = alloc_page(GFP_HIGHUSER)))
        owned++;
    for (u32 made = 1; calls < CALLS && made < HAMMERS;) {
        u64 before = calls;
        (void)ipc_sleep(SLOT_ENDPOINT, ms_from_now(WAIT_MS));
        if (calls == before &&
            thread_spawn(made++, hammer, NULL, "hammer")) /* the one before waits for an answer */
            break;
    }
    end();
}
