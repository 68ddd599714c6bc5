/* SPDX-License-Identifier: MIT */
/* The files of /proc that tell of page frames (docs/frames.md). */
#pragma once

#include "text.h"

void proc_buddyinfo(struct text *t);
void proc_zoneinfo(struct text *t);
/* /proc/quire/frames: takes a call to frame for each 512 frames of the machine. */
void proc_frames(struct text *t);
