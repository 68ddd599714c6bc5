/* SPDX-License-Identifier: MIT */
/* Between the server's names and the host's <ucontext.h>, which do not fit into one file. */
#pragma once

#include <abi/types.h>

struct frame_view {
    u64 address, end, handler_rsp, handler_rdi, handler_rsi, handler_rdx;
    const u8 *bytes; /* from address to end */
    const u8 *fpu;
};
/* A frame for signal 11 with known registers; altstack: where 8192 bytes of alternate stack are, 0: none. */
void frame_view_make(struct frame_view *v, u64 sp, u64 altstack);
bool frame_view_returns(const struct frame_view *v);
