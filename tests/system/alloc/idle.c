/* SPDX-License-Identifier: MIT */
/* A server that does nothing, in the place of those that the test does not need. */
#include <abi/layout.h>
#include <ipc/server.h>

static err on_call(struct ipc_ctx *c, u64 label, u64 *w) {
    (void)c, (void)label, (void)w;
    return -E_NOSYS;
}

int main(void) {
    static const struct server idle = {.name = "idle", .endpoint = SLOT_ENDPOINT, .on_call = on_call};
    server_run(&idle);
}
