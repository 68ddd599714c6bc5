/* SPDX-License-Identifier: MIT */
/* frame: the page-frame server. The shell: one loop, one thread; clients are known by their badge (enum
 * server_id). */
#include <abi/info.h>
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

pfn kernel_frames(u32 whose, pfn from, struct frame_record *records, u32 *count) {
    struct pair p = sys_frames(whose == SRV_FRAME ? (u32)SLOT_ACCOUNT : CLIENT_ACCT(whose), from, 0);
    *count = p.r < 0 ? 0 : MIN((u32)p.second, (u32)CENSUS_RECORDS);
    memcpy(records, ipc_area(), *count * sizeof *records);
    return p.r < 0 ? 0 : (pfn)p.r;
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
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    log_name(server.name);
    frame_server.ram = info->ranges;
    frame_server.ranges = info->ranges_count;
    boot_zones(zones);
    log_line("%lu frames free: DMA %lu, Normal %lu, High %lu", zones_free(zones),
             zones->zone[ZONE_DMA].buddy.free, zones->zone[ZONE_NORMAL].buddy.free,
             zones->zone[ZONE_HIGH].buddy.free);
    server_run(&server);
}
