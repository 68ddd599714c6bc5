/* SPDX-License-Identifier: MIT */
/* The table of capabilities keeps the rules of the house: calls only go down, and no one has more than its
 * work needs. */
#include "wiring.h"
#include <criterion/criterion.h>
#include <proto/ranks.h>

Test(wiring, calls_only_go_down) {
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++)
        for (u32 to = SRV_NONE; to < SRV_COUNT; to++)
            if (wirings[id].calls >> to & 1)
                cr_assert_lt(server_rank[to], server_rank[id], "%s calls %s", wirings[id].name,
                             wirings[to].name);
}

Test(wiring, priorities_are_distinct_and_those_of_the_house) {
    static const u32 order[] = {SRV_ROOT, SRV_ATA,    SRV_CONSOLE, SRV_FRAME,
                                SRV_SLAB, SRV_REGION, SRV_CACHE,   SRV_LINUX};
    for (u32 i = 1; i < ARRAY_LEN(order); i++)
        cr_assert_gt(wirings[order[i - 1]].priority, wirings[order[i]].priority);
}

Test(wiring, only_drivers_touch_hardware) {
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++) {
        bool driver = id == SRV_ATA || id == SRV_CONSOLE;
        cr_assert_eq(wirings[id].irqs, driver);
        cr_assert_eq(wirings[id].ports, driver);
    }
}

Test(wiring, only_frame_gives_to_other_accounts) {
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++)
        cr_assert_eq(wirings[id].accounts != 0, id == SRV_FRAME);
}
