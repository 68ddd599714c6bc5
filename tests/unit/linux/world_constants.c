/* SPDX-License-Identifier: MIT */
/* What the model world answers always the same. */
#include <ipc/log.h>

#include "kern.h"
#include "world.h"

u32 world_exits;

u64 kern_tsc_per_ms(void) {
    return 1000;
}
u64 kern_boot_tsc(void) {
    return 0;
}
u64 kern_boot_seconds(void) {
    return 1700000000;
}
u64 kern_switches(void) {
    return 0;
}
void kern_system_exit(u32 status) {
    (void)status;
    world_exits++;
}
u32 kern_worker(void) {
    return 0;
}
void kern_drain(void) {}
u64 kern_random(void) {
    return 4;
}
void log_line(const char *format, ...) {
    (void)format;
}
void log_raw(const char *format, ...) {
    (void)format;
}
