/* SPDX-License-Identifier: MIT */
/* frame: the page-frame server. The shell: one loop, one thread; clients are known by their badge (enum
 * server_id). */
#include <abi/layout.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <string.h>

#include "boot.h"
#include "serve.h"
#include "port.h"

static u64 frames_of(const struct runs *runs) {
    u64 frames = 0;
    for (u32 i = 0; i < runs->count; i++)
        frames += RUN_COUNT(runs->word[i]);
    return frames;
}

err kernel_give(u32 to, const struct runs *runs) {
    u32 account = to == SRV_FRAME ? (u32)SLOT_ACCOUNT : CLIENT_ACCT(to);
    u64 frames = frames_of(runs);
    err given;
    if (runs->count == 1) {
        given = sys_give(account, RUN_FIRST(runs->word[0]), frames);
    } else {
        memcpy(ipc_area(), runs->word, runs->count * sizeof runs->word[0]);
        given = sys_give(account, GIVE_LIST, runs->count);
    }
    return given == (err)frames ? 0 : given < 0 ? given : -E_OWNER;
}

err kernel_notify(u32 client, u64 bits) {
    return sys_notify(SERVICE(client), bits);
}

const struct frame_magazines *client_magazines(u32 client) {
    return (const struct frame_magazines *)CLIENT_MAGAZINES(client);
}

void port_log(u32 client, const char *what, err why) {
    log_line("client %u: %s: %s", client, what, err_name(why));
}

int main(void) {
    static const struct server server = {.name = "frame", .endpoint = SLOT_ENDPOINT, .on_call = frame_call};
    struct zones *zones = &frame_server.holders.zones;
    log_name(server.name);
    boot_zones(zones);
    log_line("%lu frames free: DMA %lu, Normal %lu, High %lu", zones_free(zones),
             zones->zone[ZONE_DMA].buddy.free, zones->zone[ZONE_NORMAL].buddy.free,
             zones->zone[ZONE_HIGH].buddy.free);
    server_run(&server);
}
