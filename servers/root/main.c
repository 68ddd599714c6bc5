/* SPDX-License-Identifier: MIT */
#include "root.h"
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <string.h>

const struct info_module *find_module(const char *name) {
    for (u64 i = 0; i < info()->modules_count; i++)
        if (strcmp(info()->modules[i].name, name) == 0)
            return &info()->modules[i];
    return NULL;
}

/* The command of images/run lies in a boot module of its own; linux reads it where it is. */
static void map_command(void) {
    const struct info_module *m = find_module("cmd");
    if (m)
        map_own(LINUX_CMD, m->first, ROUND_UP(m->bytes, PAGE_BYTES) / PAGE_BYTES, MAP_READ,
                ROOT_SLOT(SRV_LINUX, OF_SPACE));
}

static void on_bits(u64 bits) {
    if (!(bits & BIT(0)))
        return;
    bool sound = audit();
    log_raw("quire: exit %lu", ROOT_EXIT_STATUS(bits));
    power_off(sound);
}

int main(void) {
    static const struct server root = {.name = "root",
                                       .endpoint = SLOT_ENDPOINT,
                                       .on_fault = crash_on_fault,
                                       .on_exception = crash_on_exception,
                                       .on_bits = on_bits};
    server_start(SRV_ROOT, PRIO_ROOT, CAPS_PER_FRAME);
    log_name("root");
    power_init();
    pool_init();
    wallclock_init();
    err e = sys_retype(pool_take(1), 1, KIND_ENDPOINT, SLOT_ENDPOINT);
    if (e)
        fail("root's endpoint", e);
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++)
        construct_server(id);
    map_command();
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++)
        wire_server(id);
    pool_give_rest();
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++)
        start_server(id);
    server_run(&root);
}
