/* SPDX-License-Identifier: MIT */
/* The two 8259 interrupt controllers: lines 0..15 become vectors 32..47, edge triggered, all masked until
 * someone asks. */
#include "arch/cpu.h"

enum { PIC1 = 0x20, PIC2 = 0xa0 };
enum { PIC_EOI = 0x20, PIC_READ_ISR = 0x0b, PIC_CASCADE = 2, PIC_SPURIOUS = 7 };

static u16 masked = 0xffff & ~(1 << PIC_CASCADE);

static void write_masks(void) {
    out8(PIC1 + 1, (u8)masked);
    out8(PIC2 + 1, (u8)(masked >> 8));
}

void pic_init(void) {
    static const u8 words[4][2] = {
        {0x11, 0x11}, {VECTOR_IRQ, VECTOR_IRQ + 8}, {1 << PIC_CASCADE, PIC_CASCADE}, {1, 1}};
    for (u32 i = 0; i < 4; i++) {
        out8(PIC1 + (i > 0), words[i][0]);
        out8(PIC2 + (i > 0), words[i][1]);
    }
    write_masks();
}

void pic_unmask(u32 line) {
    masked &= (u16) ~(1 << line);
    write_masks();
}

void pic_mask(u32 line) {
    masked |= (u16)(1 << line);
    write_masks();
}

bool pic_acknowledge(u32 line) {
    u16 pic = line < 8 ? PIC1 : PIC2;
    if (line % 8 == PIC_SPURIOUS) {
        out8(pic, PIC_READ_ISR);
        if (!(in8(pic) & 1 << PIC_SPURIOUS)) {
            if (pic == PIC2)
                out8(PIC1, PIC_EOI); /* the cascade itself was real */
            return false;
        }
    }
    if (pic == PIC2)
        out8(PIC2, PIC_EOI);
    out8(PIC1, PIC_EOI);
    return true;
}
