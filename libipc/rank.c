/* SPDX-License-Identifier: MIT */
#include <ipc/rank.h>
#include <proto/ranks.h>

bool call_goes_down(u32 from, u32 slot) {
    bool service = slot >= SERVICE(0) && slot < SERVICE(SRV_COUNT);
    return !service || server_rank[slot - SERVICE(0)] < server_rank[from];
}
