/* SPDX-License-Identifier: MIT */
/* The wall-clock at boot. */
#pragma once

#include <abi/types.h>

/* Seconds since 1970 UTC, from the CMOS clock (which is taken to run in UTC). Waits 10 ms at most. */
u64 rtc_read(void);
