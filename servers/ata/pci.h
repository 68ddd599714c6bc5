/* SPDX-License-Identifier: MIT */
/* Finding the PIIX3 IDE function by PCI configuration mechanism 1 (Intel 82371SB data sheet). */
#pragma once

#include "ata_io.h"

/* The ports of the primary channel. */
struct ata_ports {
    u16 command; /* task file: 8 ports */
    u16 control; /* device control and alternate status */
    u16 bm;      /* bus master: 8 ports, from BAR 4 */
};

/* Finds the controller (8086:7010; first at 00:01.1 where QEMU has it, then all of bus 0), switches on its
 * I/O decoding and bus mastering, and fills *ports. 0; -E_NODEV: no such controller, or its BAR 4 is not
 * set. */
must_check err pci_find_ide(const struct ata_io *io, struct ata_ports *ports);
