/* SPDX-License-Identifier: MIT */
/* The kernel word that moves the borders of the zones. */
#include <criterion/criterion.h>

#include "borders.h"

static bool parse(const char *cmdline, u32 dma, u32 normal) {
    u32 dma_end = 4096, normal_end = 1048576;
    bool good = borders_parse(cmdline, &dma_end, &normal_end);
    return good ? dma_end == dma && normal_end == normal : dma_end == 4096 && normal_end == 1048576 && !dma;
}

Test(borders, words) {
    cr_assert(parse("", 4096, 1048576));
    cr_assert(parse("quiet xzones=dma:4M", 4096, 1048576));
    cr_assert(parse("zones=dma:4M,normal:64M", 1024, 16384));
    cr_assert(parse("a b zones=normal:1G c", 4096, 262144));
    cr_assert(parse("zones=dma:2048K", 512, 1048576));
}

Test(borders, nonsense_changes_nothing) {
    static const char *const bad[] = {"zones=",
                                      "zones=dma:",
                                      "zones=dma:4",
                                      "zones=dma:3M",
                                      "zones=low:4M",
                                      "zones=dma:4M,",
                                      "zones=dma:4Mx",
                                      "zones=dma:0M",
                                      "zones=dma:64M,normal:32M",
                                      "zones=normal:99999999999G",
                                      "zones=dma:-2M"};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++)
        cr_assert(parse(bad[i], 0, 0), "%s", bad[i]);
}
