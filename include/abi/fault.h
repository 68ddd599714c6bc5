/* SPDX-License-Identifier: MIT */
/* What travels between a faulting thread and its pager, and between a thread and its exception handler. */
#pragma once

#include <abi/object.h>
#include <abi/types.h>

/* LABEL_FAULT, six words. Entry, account and shares are read when the message is first delivered to the
 * pager. */
struct fault_words {
    u64 address; /* exact */
    u64 info;    /* access | pool << 8 | account << 16 | flags << 24 | shares << 32 */
    u64 entry;   /* as the pager may see it: PTE_xxx | frame << 12, the pager's own word, or 0 */
    u64 ip;
    u64 sp;
    u64 repeats; /* of this thread on this page, in one epoch, after answers that entered something */
};
enum access { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_EXEC = 2 };
enum fault_flag { FAULT_AS = 1 /* made by fault_as */ };
#define FAULT_ACCESS(info)  ((info)&0xff)
#define FAULT_POOL(info)    (((info) >> 8) & 0xff) /* frames in the space's table pool, 255 = that or more */
#define FAULT_ACCOUNT(info) (((info) >> 16) & 0xff)
#define FAULT_FLAGS(info)   (((info) >> 24) & 0xff)
#define FAULT_SHARES(info)  ((info) >> 32)
#define FAULT_INFO(access, pool, account, flags, shares)                                                     \
    ((u64)(access) | (u64)(pool) << 8 | (u64)(account) << 16 | (u64)(flags) << 24 | (u64)(shares) << 32)

/* One item of the answer: two words. */
struct fault_item {
    u64 address; /* page address | enum map_right */
    u64 frame;   /* frame | enum fault_op << 60 */
};
enum fault_op {
    FILL_AS_IS,  /* the frame as it is */
    FILL_ZERO,   /* clear it first (free of charge if the frame is known to be zero) */
    FILL_COPY,   /* copy the current entry's page into it first */
    FILL_UPGRADE /* raise the existing entry to writable; frame: the one shown */
};
#define ITEM_FRAME(frame, op) ((u64)(frame) | (u64)(op) << 60)

/* LABEL_EXCEPTION, six words. */
struct exception_words {
    u64 kind;    /* enum exception */
    u64 code;    /* raise: its code; hardware: the error code */
    u64 address; /* raise: its address; hardware: the instruction */
    u64 ip;
    u64 sp;
    u64 flags;
};
enum exception {
    EXC_INTERRUPT, /* interrupt(thread), and the first thing that an alien thread sends when started */
    EXC_RAISE,     /* raise(code, address) in answer to its fault or alien call */
    EXC_HARDWARE   /* EXC_HARDWARE + vector: #DE 0, #DB 1, #BP 3, #OF 4, #UD 6, #GP 13, #MF 16, #AC 17, #XM 19
                    */
};

/* raise: code = signal << 8 | si_code, the personality's business; these are what region uses. */
#define RAISE_CODE(signal, si_code) ((u64)(signal) << 8 | (u64)(u8)(si_code))

/* regs_read, regs_write: what, and where: in the area of the caller's message page. */
enum regs_part { REGS_GENERAL = 1, REGS_FPU = 2 };
struct user_regs {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags, fs_base, reserved;
    _Alignas(16) u8 fpu[512]; /* FXSAVE image */
};
_Static_assert(sizeof(struct user_regs) == 160 + 512, "user_regs is 84 words");
_Static_assert(sizeof(struct fault_words) == 48 && sizeof(struct exception_words) == 48, "six words");
