/* SPDX-License-Identifier: MIT */
#include "rtc.h"

#define WAIT_READS 10000

static u64 number(u8 value, u8 b) {
    return b & RTC_B_BINARY ? value : (u64)(value >> 4) * 10 + (value & 15);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that leap days come
 * last. */
static u64 days_since_1970(u64 year, u64 month, u64 day) {
    u64 y = month > 2 ? year : year - 1;
    u64 m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static u64 hour_of_day(u8 hours, u8 b) {
    if (b & RTC_B_24_HOURS)
        return number(hours, b);
    return number(hours & (u8)~RTC_HOURS_PM, b) % 12 + (hours & RTC_HOURS_PM ? 12 : 0);
}

u64 rtc_read(u8 (*cmos)(u8 index)) {
    u8 b = cmos(RTC_B);
    for (u32 i = 0; i < WAIT_READS && cmos(RTC_A) & RTC_A_UPDATING; i++)
        ;
    u64 century = number(cmos(RTC_CENTURY), b);
    u64 year = (century >= 19 && century <= 29 ? century : 20) * 100 + number(cmos(RTC_YEAR), b);
    u64 days = days_since_1970(year, number(cmos(RTC_MONTH), b), number(cmos(RTC_DAY), b));
    return days * 86400 + hour_of_day(cmos(RTC_HOURS), b) * 3600 + number(cmos(RTC_MINUTES), b) * 60 +
           number(cmos(RTC_SECONDS), b);
}
