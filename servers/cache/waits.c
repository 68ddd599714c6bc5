/* SPDX-License-Identifier: MIT */
/* Faults that waited for the disk; see waits.h. Caller: transfer.c. */
#include "waits.h"

void waits_count(struct waits *waits, u64 key) {
    u64 i = key % WAITS_PLACES;
    if (waits->place[i].key != key) {
        waits->place[i].key = key;
        waits->place[i].count = 0;
    }
    waits->place[i].count++;
    waits->total++;
}

u64 waits_of(const struct waits *waits, u64 key) {
    u64 i = key % WAITS_PLACES;
    if (key == 0)
        return waits->total;
    return waits->place[i].key == key ? waits->place[i].count : 0;
}
