/* SPDX-License-Identifier: MIT */
/* Objects made of frames, and their end. */
#pragma once

#include "core/cap.h"

/* Make an object of `count` own frames from first on (count > 1: CAPTABLE only) and put its capability, all
 * rights, into the empty slot. kind: SPACE, THREAD, ENDPOINT, CAPTABLE, else -E_KIND. -E_OWNER, -E_MAPPED: a
 * frame; -E_INVAL: count. */
must_check err object_create(struct capability *slot, pfn first, u64 count, u64 kind, u8 account);

/* One bounded step of the end of the object that cap names: 0 when its frames are DATA again and every
 * capability to it is dead; -E_AGAIN: call again; -E_BUSY: a space with threads, or a table bound to a space;
 * -E_KIND. From the first step on all other capabilities to an endpoint or table are dead, and cap has
 * RIGHT_DESTROY alone. */
must_check err object_destroy(struct capability *cap);
