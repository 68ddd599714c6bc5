/* SPDX-License-Identifier: MIT */
/* Lists and queues: libbsd's sys/queue.h. */
#pragma once

#include <stddef.h>
#include <bsd/sys/queue.h>
