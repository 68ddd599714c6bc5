/* SPDX-License-Identifier: MIT */
/* The wall-clock at boot: root reads the RTC and writes the time into the information page, whose frame it
 * owns. */
#include "root.h"
#include "rtc.h"
#include <ipc/port.h>
#include <ipc/server.h>
#include <ipc/sys.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

static u8 cmos(u8 index) {
    port_out8(CMOS_INDEX, index);
    return port_in8(CMOS_DATA);
}

void wallclock_init(void) {
    err e = sys_ports(BOOT_IOPORT, CMOS_INDEX, 2);
    if (e)
        fail("no access to the clock's ports", e);
    vaddr page = OWN_WINDOW + info_frame() * PAGE_BYTES;
    map_own(page, info_frame(), 1, MAP_READ | MAP_WRITE, SLOT_SPACE);
    ((struct info_page *)page)->boot_wall_s = rtc_read(cmos);
    unmap_own(page, 1);
}
