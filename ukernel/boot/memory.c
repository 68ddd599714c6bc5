/* SPDX-License-Identifier: MIT */
/* See memory.h. */

#include "arch/log.h"
#include "boot/memory.h"
#include "mm/frame.h"
#include "mm/phys.h"

#define TAKEN_MAX (INFO_MODULES + 8)
#define LOW_END   (1ull << (32 - PAGE_SHIFT)) /* frames below 4 GiB are mapped from the start */

struct taken {
    pfn first, end;
};

static const struct boot_info *boot;
static struct taken taken[TAKEN_MAX];
static u32 taken_count;

static void take(pfn first, u64 frames) {
    ASSERT(taken_count < TAKEN_MAX);
    taken[taken_count++] = (struct taken){first, first + frames};
}

static u64 module_frames(const struct info_module *m) {
    return ROUND_UP(m->bytes, PAGE_BYTES) >> PAGE_SHIFT;
}

void memory_init(const struct boot_info *info, pfn first, u64 frames) {
    boot = info;
    take(0, 1); /* frame 0 ends lists */
    take(first, frames);
    for (u64 i = 0; i < info->modules_count; i++)
        take(info->modules[i].first, module_frames(&info->modules[i]));
}

/* The highest piece of `frames` frames in [first, end) that nobody took; 0 if there is none. */
static pfn find_in(pfn first, pfn end, u64 frames) {
    for (u32 i = 0; i < taken_count && first + frames <= end; i++) {
        if (taken[i].first < end && end - frames < taken[i].end) {
            end = taken[i].first;
            i = (u32)-1; /* look at all of them again */
        }
    }
    return first + frames <= end ? end - frames : 0;
}

pfn memory_take(u64 frames) {
    pfn best = 0;
    for (u64 i = 0; i < boot->ranges_count; i++) {
        const struct info_range *r = &boot->ranges[i];
        if (r->first < LOW_END)
            best = MAX(best, find_in(r->first, MIN(r->first + r->frames, LOW_END), frames));
    }
    if (!best)
        PANIC("no room for %lu frames at boot", frames);
    take(best, frames);
    return best;
}

pfn memory_end(void) {
    pfn end = 0;
    for (u64 i = 0; i < boot->ranges_count; i++)
        end = MAX(end, boot->ranges[i].first + boot->ranges[i].frames);
    return end;
}

_Static_assert(ACCOUNT_KERNEL == 0 && KIND_RESERVED == 0, "a frame of zeroes is reserved");

/* All else in their entries is zero. Each entry is copied from the one before. */
static void set_frames(pfn first, pfn end, u8 account, enum frame_kind kind) {
    struct frame *f = &frame_table[first];
    end = MIN(end, frame_count);
    if (first >= end)
        return;
    *f = (struct frame){.tag = frame_idle_tag(account, kind, 0)};
    copy_bytes(f + 1, f, (end - first - 1) * sizeof *f);
}

pfn memory_divide(u64 root_frames) {
    pfn end = 0; /* of what has been set; ranges may come in any order */
    for (u64 i = 0; i < boot->ranges_count; i++) {
        const struct info_range *r = &boot->ranges[i];
        set_frames(end, r->first, ACCOUNT_KERNEL, KIND_RESERVED);
        set_frames(r->first, r->first + r->frames, ACCOUNT_FRAME, KIND_DATA);
        end = MAX(end, r->first + r->frames);
    }
    for (u32 i = 0; i < taken_count; i++)
        set_frames(taken[i].first, taken[i].end, ACCOUNT_KERNEL, KIND_RESERVED);
    for (u64 i = 0; i < boot->modules_count; i++)
        set_frames(boot->modules[i].first, boot->modules[i].first + module_frames(&boot->modules[i]),
                   ACCOUNT_ROOT, KIND_DATA);
    pfn root = memory_take(root_frames);
    set_frames(root, root + root_frames, ACCOUNT_ROOT, KIND_DATA);
    accounts[ACCOUNT_ROOT] = (struct account){.state = ACCOUNT_OPEN, .parent = ACCOUNT_KERNEL};
    accounts[ACCOUNT_FRAME] = (struct account){.state = ACCOUNT_OPEN, .parent = ACCOUNT_ROOT};
    return root;
}
