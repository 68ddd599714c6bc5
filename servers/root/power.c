/* SPDX-License-Identifier: MIT */
/* The end of a run: QEMU's isa-debug-exit, port 0xf4. 0x10 means a clean end. */
#include "root.h"
#include <ipc/log.h>
#include <ipc/sys.h>

#define EXIT_PORT  0xf4
#define EXIT_CLEAN 0x10
#define EXIT_FAIL  0x11

void power_init(void) {
    err e = sys_ports(BOOT_IOPORT, EXIT_PORT, 4);
    if (e)
        log_raw("quire: fail: no access to the power-off port: %s", err_name(e));
}

bool audit(void) {
    err e = sys_audit();
    if (e == 0)
        log_raw("quire: audit: ok");
    else if (e != -E_NOSYS) /* release kernels have none */
        log_raw("quire: audit: FAILED: %s", err_name(e));
    return e == 0 || e == -E_NOSYS;
}

_Noreturn void power_off(bool clean) {
    u32 value = clean ? EXIT_CLEAN : EXIT_FAIL;
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"((u16)EXIT_PORT));
    for (;;)
        (void)sys_yield(); /* real machines do not have the port: stay quiet */
}

_Noreturn void fail(const char *what, err why) {
    log_raw("quire: fail: %s: %s", what, err_name(why));
    power_off(false);
}
