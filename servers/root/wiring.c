/* SPDX-License-Identifier: MIT */
#include "wiring.h"

#define TO(id) (1u << (id))

/* Calls only go down: linux > region > cache > ata > slab > frame; linux > console > slab. What goes up is
 * notify. */
const struct wiring wirings[SRV_COUNT] = {
    [SRV_NONE] = {.name = "none"},
    [SRV_ROOT] = {.name = "root", .priority = PRIO_ROOT},
    [SRV_FRAME] = {.name = "frame",
                   .priority = PRIO_FRAME,
                   .table_frames = 1,
                   .notifies = TO(SRV_SLAB) | TO(SRV_REGION) | TO(SRV_CACHE) | TO(SRV_ATA) | TO(SRV_LINUX) |
                               TO(SRV_CONSOLE),
                   .accounts = TO(SRV_ROOT) | TO(SRV_SLAB) | TO(SRV_REGION) | TO(SRV_CACHE) | TO(SRV_ATA) |
                               TO(SRV_LINUX) | TO(SRV_CONSOLE)},
    [SRV_SLAB] = {.name = "slab",
                  .priority = PRIO_SLAB,
                  .table_frames = 1,
                  .calls = TO(SRV_FRAME),
                  .notifies = TO(SRV_REGION) | TO(SRV_CACHE) | TO(SRV_LINUX) | TO(SRV_CONSOLE) | TO(SRV_ATA),
                  .windows = TO(SRV_REGION) | TO(SRV_CACHE) | TO(SRV_ATA) | TO(SRV_LINUX) | TO(SRV_CONSOLE)},
    [SRV_REGION] = {.name = "region",
                    .priority = PRIO_REGION,
                    .table_frames = 24,
                    .calls = TO(SRV_FRAME) | TO(SRV_SLAB) | TO(SRV_CACHE)},
    [SRV_CACHE] = {.name = "cache",
                   .priority = PRIO_CACHE,
                   .table_frames = 16,
                   .calls = TO(SRV_FRAME) | TO(SRV_SLAB) | TO(SRV_ATA),
                   .windows = TO(SRV_ATA)},
    [SRV_ATA] = {.name = "ata",
                 .priority = PRIO_ATA,
                 .table_frames = 1,
                 .calls = TO(SRV_FRAME) | TO(SRV_SLAB),
                 .copies = TO(SRV_CACHE),
                 .irqs = true,
                 .ports = true},
    [SRV_LINUX] = {.name = "linux",
                   .priority = PRIO_LINUX,
                   .table_frames = 32,
                   .calls = TO(SRV_FRAME) | TO(SRV_SLAB) | TO(SRV_REGION) | TO(SRV_CACHE) | TO(SRV_CONSOLE),
                   .notifies = TO(SRV_ROOT)},
    [SRV_CONSOLE] = {.name = "console",
                     .priority = PRIO_CONSOLE,
                     .table_frames = 1,
                     .calls = TO(SRV_FRAME) | TO(SRV_SLAB),
                     .notifies = TO(SRV_LINUX),
                     .irqs = true,
                     .ports = true},
};
