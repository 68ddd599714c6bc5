/* SPDX-License-Identifier: MIT */
#include "pci.h"

#include <abi/errors.h>

enum {
    PCI_ADDRESS = 0xcf8,
    PCI_DATA = 0xcfc,
    PCI_ID = 0x00,
    PCI_COMMAND = 0x04,
    PCI_BAR4 = 0x20,
    COMMAND_IO = 1 << 0,
    COMMAND_MASTER = 1 << 2,
    BAR_IS_IO = 1 << 0,
    BM_PORTS = 16, /* both channels */
};

#define PIIX3_IDE 0x70108086u /* device and vendor */

static void pci_select(const struct ata_io *io, u32 devfn, u32 reg) {
    io->out32(io->ctx, PCI_ADDRESS, 0x80000000u | devfn << 8 | reg);
}

static u32 pci_read32(const struct ata_io *io, u32 devfn, u32 reg) {
    pci_select(io, devfn, reg);
    return io->in32(io->ctx, PCI_DATA);
}

static err pci_enable(const struct ata_io *io, u32 devfn, struct ata_ports *ports) {
    u32 bar = pci_read32(io, devfn, PCI_BAR4);
    u32 base = bar & ~3u;
    if (!(bar & BAR_IS_IO) || base == 0 || base % BM_PORTS || base > 0x10000 - BM_PORTS)
        return -E_NODEV;
    pci_select(io, devfn, PCI_COMMAND);
    u16 command = io->in16(io->ctx, PCI_DATA);
    /* 16 bits only: the status in the upper half is cleared by writing what was read. */
    io->out16(io->ctx, PCI_DATA, command | COMMAND_IO | COMMAND_MASTER);
    *ports = (struct ata_ports){.command = 0x1f0, .control = 0x3f6, .bm = (u16)base};
    return 0;
}

err pci_find_ide(const struct ata_io *io, struct ata_ports *ports) {
    u32 usual = 1 << 3 | 1; /* 00:01.1 */
    if (pci_read32(io, usual, PCI_ID) == PIIX3_IDE)
        return pci_enable(io, usual, ports);
    for (u32 devfn = 0; devfn < 256; devfn++)
        if (pci_read32(io, devfn, PCI_ID) == PIIX3_IDE)
            return pci_enable(io, devfn, ports);
    return -E_NODEV;
}
