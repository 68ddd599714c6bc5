/* SPDX-License-Identifier: MIT */
/* The CMOS clock (MC146818): registers behind an index port. */

#include "arch/cpu.h"
#include "boot/rtc.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
enum { RTC_SECONDS, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH, RTC_YEAR, RTC_A, RTC_B };
#define RTC_CENTURY 0x32
#define A_UPDATING  0x80
#define B_24_HOURS  0x02
#define B_BINARY    0x04
#define HOURS_PM    0x80
#define WAIT_READS  10000 /* about a microsecond each */

struct date {
    u64 second, minute, hour, day, month, year, century;
};

static u8 cmos(u8 index) {
    out8(CMOS_INDEX, index);
    return in8(CMOS_DATA);
}

static u64 number(u8 value, u8 b) {
    return b & B_BINARY ? value : (u64)(value >> 4) * 10 + (value & 15);
}

static struct date read_once(u8 b) {
    u8 hours = cmos(RTC_HOURS);
    u64 hour = number(hours & (u8) ~(b & B_24_HOURS ? 0 : HOURS_PM), b);
    if (!(b & B_24_HOURS))
        hour = hour % 12 + (hours & HOURS_PM ? 12 : 0);
    return (struct date){
        number(cmos(RTC_SECONDS), b), number(cmos(RTC_MINUTES), b), hour,
        number(cmos(RTC_DAY), b),     number(cmos(RTC_MONTH), b),   number(cmos(RTC_YEAR), b),
        number(cmos(RTC_CENTURY), b)};
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that leap days come
 * last. */
static u64 days_since_1970(u64 year, u64 month, u64 day) {
    u64 y = month > 2 ? year : year - 1;
    u64 m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

u64 rtc_read(void) {
    u8 b = cmos(RTC_B);
    for (u32 i = 0; i < WAIT_READS && cmos(RTC_A) & A_UPDATING; i++)
        ;
    struct date d = read_once(b);
    u64 year = (d.century >= 19 && d.century <= 29 ? d.century : 20) * 100 + d.year;
    return days_since_1970(year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
}
