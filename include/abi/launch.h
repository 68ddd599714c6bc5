/* SPDX-License-Identifier: MIT */
/* The contract between images/run (the launcher, images/launch/) and the guest: ports, marks in the log,
 * exit.
 *
 * mode=cmd: standard output and error of the command go out byte by byte through two debug-console ports. Its
 * standard input comes over COM2 in chunks: u16 length (little endian, 1 to LAUNCH_CHUNK_BYTES), then that
 * many bytes; length 0 is the end of file, and nothing comes after it. The launcher sends nothing before the
 * guest has sent one byte (any) on COM2: setting up a UART empties its FIFO, and would lose what came before.
 * The boot module "cmd" holds the text of the command, ended by a byte 0.
 *
 * mode=tty: COM1 is the terminal.
 *
 * Marks, each at the start of a log line:
 *   quire: exit N              status of the command, 0 to 255 (128 + signal), just before switching off
 *   quire: panic: ...          from the kernel
 *   quire: crash: SERVER ...   from root
 *   quire: fail: ...           the system cannot go on
 *   quire: audit: ok           or "quire: audit: FAILED ...": the kernel's audit at the end
 */
#pragma once

#define LAUNCH_PORT_LOG    0xe9  /* isa-debugcon: the log of the kernel and the servers */
#define LAUNCH_PORT_STDOUT 0xea  /* isa-debugcon (not 0x402: SeaBIOS writes its own messages there) */
#define LAUNCH_PORT_STDERR 0xeb  /* isa-debugcon */
#define LAUNCH_PORT_EXIT   0xf4  /* isa-debug-exit, 32 bits */
#define LAUNCH_EXIT_CLEAN  0x10u /* written there: a clean end; any other value: a failure */
#define LAUNCH_COM1        0x3f8 /* irq 4 */
#define LAUNCH_COM2        0x2f8 /* irq 3 */
#define LAUNCH_CHUNK_BYTES 1024
