/* SPDX-License-Identifier: MIT */
/* Linux's struct termios as the kernel's calls have it on x86-64 (not the C library's), and the bits that
 * console knows. Other bits are kept and given back, without effect. */
#pragma once

#include <abi/types.h>

enum {
    VINTR,
    VQUIT,
    VERASE,
    VKILL,
    VEOF,
    VTIME,
    VMIN,
    VSWTC,
    VSTART,
    VSTOP,
    VSUSP,
    VEOL,
    VREPRINT,
    VDISCARD,
    VWERASE,
    VLNEXT,
    VEOL2,
    NCCS = 19,
};

struct termios {
    u32 c_iflag, c_oflag, c_cflag, c_lflag;
    u8 c_line;
    u8 c_cc[NCCS];
};

_Static_assert(sizeof(struct termios) == 36, "layout of struct termios");
_Static_assert(offsetof(struct termios, c_cc) == 17, "layout of struct termios");

enum { /* c_iflag */
       ISTRIP = 0x20,
       INLCR = 0x40,
       IGNCR = 0x80,
       ICRNL = 0x100,
       IXON = 0x400,
       IUTF8 = 0x4000,
};
enum { /* c_oflag */
       OPOST = 0x1,
       ONLCR = 0x4,
       OCRNL = 0x8,
       ONOCR = 0x10,
       ONLRET = 0x20,
       XTABS = 0x1800,
};
enum { /* c_cflag */
       CBAUD_115200 = 0x1002,
       CS8 = 0x30,
       CREAD = 0x80,
       HUPCL = 0x400,
       CLOCAL = 0x800,
};
enum { /* c_lflag */
       ISIG = 0x1,
       ICANON = 0x2,
       ECHO = 0x8,
       ECHOE = 0x10,
       ECHOK = 0x20,
       ECHONL = 0x40,
       NOFLSH = 0x80,
       ECHOCTL = 0x200,
       ECHOKE = 0x800,
       IEXTEN = 0x8000,
};

enum { TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404 };

enum { SIGINT = 2, SIGQUIT = 3, SIGTSTP = 20 };
