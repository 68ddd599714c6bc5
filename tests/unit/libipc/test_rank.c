/* SPDX-License-Identifier: MIT */
#include <abi/layout.h>
#include <criterion/criterion.h>
#include <ipc/rank.h>

/* linux > region > cache > ata > slab > frame; linux > console > slab */
Test(rank, calls_only_go_down) {
    static const u32 chain[] = {SRV_LINUX, SRV_REGION, SRV_CACHE, SRV_ATA, SRV_SLAB, SRV_FRAME};
    for (u32 i = 0; i < ARRAY_LEN(chain); i++)
        for (u32 j = 0; j < ARRAY_LEN(chain); j++)
            cr_assert_eq(call_goes_down(chain[i], SERVICE(chain[j])), i < j, "%u calls %u", chain[i],
                         chain[j]);
    cr_assert(call_goes_down(SRV_LINUX, SERVICE(SRV_CONSOLE)) &&
              call_goes_down(SRV_CONSOLE, SERVICE(SRV_SLAB)));
    cr_assert_not(call_goes_down(SRV_ATA, SERVICE(SRV_CONSOLE)));
    for (u32 id = SRV_ROOT; id < SRV_COUNT; id++)
        cr_assert_not(call_goes_down(id, SERVICE(SRV_ROOT)));
}

Test(rank, other_slots_are_not_services) {
    cr_assert(call_goes_down(SRV_FRAME, SLOT_ENDPOINT) && call_goes_down(SRV_FRAME, SLOT_FREE));
}
