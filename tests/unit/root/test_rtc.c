/* SPDX-License-Identifier: MIT */
/* The clock's registers become seconds since 1970: compared with the C library's calendar. */
#define _GNU_SOURCE
#include "rtc.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

static u8 registers[128];
static u32 busy; /* reads of RTC_A that still say: updating */

static u8 cmos(u8 index) {
    if (index == RTC_A && busy) {
        busy--;
        return RTC_A_UPDATING;
    }
    cr_assert_lt(index, sizeof registers);
    return registers[index];
}

static u8 coded(int value, u8 b) {
    return (u8)(b & RTC_B_BINARY ? value : value / 10 * 16 + value % 10);
}

static void set(time_t at, u8 b) {
    struct tm t;
    gmtime_r(&at, &t);
    int hour = b & RTC_B_24_HOURS ? t.tm_hour : (t.tm_hour + 11) % 12 + 1;
    u8 pm = !(b & RTC_B_24_HOURS) && t.tm_hour >= 12 ? RTC_HOURS_PM : 0;
    registers[RTC_SECONDS] = coded(t.tm_sec, b);
    registers[RTC_MINUTES] = coded(t.tm_min, b);
    registers[RTC_HOURS] = coded(hour, b) | pm;
    registers[RTC_DAY] = coded(t.tm_mday, b);
    registers[RTC_MONTH] = coded(t.tm_mon + 1, b);
    registers[RTC_YEAR] = coded(t.tm_year % 100, b);
    registers[RTC_CENTURY] = coded((t.tm_year + 1900) / 100, b);
    registers[RTC_A] = 0;
    registers[RTC_B] = b;
}

Test(rtc, agrees_with_the_calendar) {
    srand48(7);
    for (int i = 0; i < 100000; i++) {
        time_t at = lrand48() * 4; /* until 2242 */
        u8 b = (u8)(lrand48() & (RTC_B_24_HOURS | RTC_B_BINARY));
        set(at, b);
        cr_assert_eq(rtc_read(cmos), (u64)at, "%ld with register B %x", (long)at, b);
    }
}

Test(rtc, every_hour_in_all_four_codings) {
    for (u32 coding = 0; coding < 4; coding++)
        for (u32 hour = 0; hour < 48; hour++) {
            time_t at = 951696000 + hour * 3600 + 59; /* 2000-02-28, and the 29th */
            set(at, (u8)(coding * RTC_B_24_HOURS));
            cr_assert_eq(rtc_read(cmos), (u64)at);
        }
}

Test(rtc, a_clock_without_a_century_is_of_this_one) {
    set(1600000000, RTC_B_24_HOURS);
    registers[RTC_CENTURY] = 0;
    cr_assert_eq(rtc_read(cmos), 1600000000u);
}

Test(rtc, an_update_is_waited_for_but_not_for_ever) {
    set(1600000000, RTC_B_24_HOURS);
    busy = 50;
    cr_assert_eq(rtc_read(cmos), 1600000000u);
    cr_assert_eq(busy, 0u);
    busy = 1000000;
    cr_assert_eq(rtc_read(cmos), 1600000000u);
    cr_assert_gt(busy, 0u);
}
