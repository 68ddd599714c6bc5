/* SPDX-License-Identifier: MIT */
/* The CMOS clock (MC146818 and its PC kin): the date in registers behind an index port. */
#pragma once

#include <abi/types.h>

enum rtc_register {
    RTC_SECONDS,
    RTC_MINUTES = 2,
    RTC_HOURS = 4,
    RTC_DAY = 7,
    RTC_MONTH,
    RTC_YEAR,
    RTC_A,
    RTC_B,
    RTC_CENTURY = 0x32
};
#define RTC_A_UPDATING 0x80
#define RTC_B_24_HOURS 0x02
#define RTC_B_BINARY   0x04
#define RTC_HOURS_PM   0x80

/* Seconds since 1970 UTC by a clock that is taken to run in UTC; cmos reads one register. An update under way
 * is waited for, 10,000 reads at most (about 10 ms; an update takes 2). */
u64 rtc_read(u8 (*cmos)(u8 index));
