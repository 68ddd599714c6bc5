/* SPDX-License-Identifier: MIT */
/* Stubs of the kernel's calls, one function each; <abi/syscall.h> says what registers they use and
 * docs/kernel-abi.md what each call does. All return >= 0 or -E_xxx. `area` is words 64..511 of the calling
 * thread's message page: lists go in there and range results come out there. On the host tests link their own
 * versions of what they need. */
#pragma once

#include <abi/errors.h>
#include <abi/fault.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <abi/types.h>

/* The registers of an IPC call, in and out, in the order that sys.asm knows. */
struct ipc_io {
    u64 w[MSG_REG_WORDS];
    u64 label; /* r12 */
    u64 rax, rbx, r13, r14, r15;
};
_Static_assert(offsetof(struct ipc_io, label) == 48 && offsetof(struct ipc_io, r15) == 88, "sys.asm");
void ipc_raw(struct ipc_io *io);

/* One by one, as compilers make loops or calls of anything else. */
static inline void ipc_copy_words(u64 to[MSG_REG_WORDS], const u64 from[MSG_REG_WORDS]) {
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
    to[3] = from[3];
    to[4] = from[4];
    to[5] = from[5];
}

#ifdef __x86_64__
/* The same inline, for loops that keep nothing in registers over it: io is best a local variable then. */
static inline __attribute__((always_inline)) void ipc_raw_inline(struct ipc_io *io) {
    register u64 w3 __asm__("r10") = io->w[3];
    register u64 w4 __asm__("r8") = io->w[4];
    register u64 w5 __asm__("r9") = io->w[5];
    register u64 label __asm__("r12") = io->label;
    register u64 r13 __asm__("r13") = io->r13;
    register u64 r14 __asm__("r14") = io->r14;
    register u64 r15 __asm__("r15") = io->r15;
    __asm__ volatile("syscall"
                     : "+D"(io->w[0]), "+S"(io->w[1]), "+d"(io->w[2]), "+r"(w3), "+r"(w4), "+r"(w5),
                       "+r"(label), "+a"(io->rax), "+b"(io->rbx), "+r"(r13), "+r"(r14), "+r"(r15)
                     :
                     : "rcx", "r11", "rbp", "memory");
    io->w[3] = w3;
    io->w[4] = w4;
    io->w[5] = w5;
    io->label = label;
    io->r13 = r13;
    io->r14 = r14;
    io->r15 = r15;
}
#endif

/* A result of two words. */
struct pair {
    err r;
    u64 second;
};

#ifdef __x86_64__
static inline struct pair sys6(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    u64 rax = nr, rdx = c;
    __asm__ volatile("syscall"
                     : "+a"(rax), "+d"(rdx)
                     : "D"(a), "S"(b), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (struct pair){(err)rax, rdx};
}
#endif
#define SYS(name, ...) sys_pick(SYS_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define sys_pick(nr, a, b, c, d, e, f, ...)                                                                  \
    sys6(nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))

/* IPC helpers for special cases; ordinary servers use <ipc/server.h> and protocol stubs. */

/* Answer a waiting alien call or fault with an exception (code: RAISE_CODE). */
static inline err sys_raise(u32 reply, u64 code, u64 address) {
    return SYS(raise, reply, code, address).r;
}
/* Make the waiting caller (alien call or exception) fault at address; later its message comes again with
 * progress. */
static inline err sys_fault_as(u32 reply, vaddr address, u64 access, u64 progress) {
    return SYS(fault_as, reply, address, access, progress).r;
}
static inline err sys_interrupt(u32 thread) {
    return SYS(interrupt, thread).r;
}
static inline err sys_yield(void) {
    return SYS(yield, 0).r;
}
static inline err sys_notify(u32 endpoint, u64 bits) {
    return SYS(notify, endpoint, bits).r;
}

/* Copy src of one's own table to dst of `table` (a CAPTABLE capability with CONTROL; SLOT_TABLE: one's own),
 * with rights masked. badge: 0 keeps the source's; otherwise sets it, if the source is an endpoint without
 * one. */
static inline err sys_cap_copy(u32 table, u32 dst, u32 src, u64 rights, u64 badge) {
    return SYS(cap_copy, table, dst, src, rights, badge).r;
}
static inline err sys_cap_drop(u32 table, u32 slot) {
    return SYS(cap_drop, table, slot).r;
}
/* A permit to map own frames into [first, first + pages) of space with at most `rights`, put into slot
 * dst. */
static inline err sys_permit(u32 space, vaddr first, u64 pages, u64 rights, u32 dst) {
    return SYS(permit, space, first, pages, rights, dst).r;
}
static inline err sys_permit_end(u32 permit) {
    return SYS(permit_end, permit).r;
}

static inline err sys_account_open(u32 parent, u32 dst) {
    return SYS(account_open, parent, dst).r;
}
/* One bounded step; returns the next frame to visit, 0 when closed. */
static inline err sys_account_close(u32 account, pfn from) {
    return SYS(account_close, account, from).r;
}
static inline err sys_account_bind(u32 account, u32 endpoint, u32 bit) {
    return SYS(account_bind, account, endpoint, bit).r;
}

/* Make an object of `count` own frames from first (count > 1: CAPTABLE only); its capability, all rights,
 * goes to dst. */
static inline err sys_retype(pfn first, u64 count, enum frame_kind kind, u32 dst) {
    return SYS(retype, first, count, kind, dst).r;
}
/* 0, or -E_AGAIN: call again. The capability is dropped when done. */
static inline err sys_destroy(u32 slot) {
    return SYS(destroy, slot).r;
}
/* struct user_regs to or from the area; parts: enum regs_part. The thread must not be running. regs_read also
 * takes a right to answer a fault, alien call or exception: the registers of whoever waits. */
static inline err sys_regs_read(u32 thread, u64 parts) {
    return SYS(regs_read, thread, parts).r;
}
static inline err sys_regs_write(u32 thread, u64 parts) {
    return SYS(regs_write, thread, parts).r;
}
static inline err sys_start(u32 thread) {
    return SYS(start, thread).r;
}
static inline err sys_stop(u32 thread) {
    return SYS(stop, thread).r;
}
/* tag: 32 bits that messages of this thread carry. msg_page: own DATA frame, pinned by the kernel; 0 none.
 * flags: THREAD_xxx. */
static inline err sys_thread_bind(u32 thread, u32 space, u32 tag, pfn msg_page, u64 priority, u64 flags) {
    return SYS(thread_bind, thread, space, tag, msg_page, priority, flags).r;
}
/* Slots of endpoints (their badges go along), of an account (0: none) and of a capability table; a slot 0
 * leaves what is there. */
static inline err sys_space_bind(u32 space, u32 pager, u32 syscalls, u32 exceptions, u32 account, u32 table,
                                 u64 flags) {
    return SYS(space_bind, space, pager, syscalls, exceptions, account, (u64)table | flags << 32).r;
}

/* n own frames listed in the area join the table pool; returns how many. The first one fed is the top
 * table. */
static inline err sys_feed(u32 space, u64 n) {
    return SYS(feed, space, n).r;
}
/* Takes up to n unused frames back: listed in the area; returns how many. */
static inline err sys_unfeed(u32 space, u64 n) {
    return SYS(unfeed, space, n).r;
}
/* n struct map_item in the area, into zero entries. r: how many; second: why it stopped there (0 or E_xxx). r
 * < 0 if the first failed. */
static inline struct pair sys_map(u32 space, u64 n) {
    return SYS(map, space, n);
}
/* Range calls: r = next address (first + pages * PAGE_BYTES when all is done), second = records | enum stop
 * << 32. */
static inline struct pair sys_unmap(u32 space, vaddr first, u64 pages, u64 flags) {
    return SYS(unmap, space, first, pages, flags);
}
static inline struct pair sys_protect(u32 space, vaddr first, u64 pages, u64 rights) {
    return SYS(protect, space, first, pages, rights);
}
static inline struct pair sys_scan(u32 space, vaddr first, u64 pages, u64 flags) {
    return SYS(scan, space, first, pages, flags);
}
static inline struct pair sys_clone(u32 from, u32 to, vaddr first, u64 pages) {
    return SYS(clone, from, to, first, pages);
}
static inline struct pair sys_clone_private(u32 from, u32 to, vaddr first, u64 pages) {
    return SYS(clone_private, from, to, first, pages);
}
/* From/to: slot of a space (COPY) or of a right to reply, or COPY_FRAMES. r = bytes copied; if short, second
 * = the address that was absent or not allowed, and whether it was the target's: address | 1 (addresses of
 * pages: low bits are free). */
static inline struct pair sys_copy(u32 to, u64 to_address, u32 from, u64 from_address, u64 bytes) {
    return SYS(copy, to, to_address, from, from_address, bytes);
}
/* A run of n frames from first, or (GIVE_LIST) n words FRAME_RUN in the area; returns how many frames went
 * (all or, at the first bad one, those before). */
static inline err sys_give(u32 account, pfn first, u64 n) {
    return SYS(give, account, first, n).r;
}
static inline err sys_pin(u64 n) {
    return SYS(pin, n).r;
}
static inline err sys_unpin(u64 n) {
    return SYS(unpin, n).r;
}
/* Records of the account's frames from `from` on, in the area; one for neighbours that are alike. r = next
 * frame to visit (0: no more), second = records. */
static inline struct pair sys_frames(u32 account, pfn from, u64 flags) {
    return SYS(frames, account, from, flags);
}
/* n own frames listed in the area become n records there. */
static inline err sys_frames_list(u64 n, u64 flags) {
    return SYS(frames_list, n, flags).r;
}
/* Takes up to n frames off the account's collect list: records in the area; returns how many. */
static inline err sys_collect(u32 account, u64 n) {
    return SYS(collect, account, n).r;
}

/* Bind a line (edge triggered, acknowledged by the kernel) to a bit of an endpoint. authority: SLOT_IRQ. */
static inline err sys_irq(u32 authority, u64 line, u32 endpoint, u64 bit) {
    return SYS(irq, authority, line, endpoint, bit).r;
}
/* Let the caller's space use ports [first, first + count), PORTS_MAX at most. authority: SLOT_IOPORT. */
static inline err sys_ports(u32 authority, u64 first, u64 count) {
    return SYS(ports, authority, first, count).r;
}
static inline err sys_trace_mask(u32 authority, u64 mask) {
    return SYS(trace_mask, authority, mask).r;
}
/* The name (at most 39 bytes and a 0) lies in the area. */
static inline err sys_trace_name(u32 thread) {
    return SYS(trace_name, thread).r;
}
/* what: enum trace_user; call: id of the request that it serves (0: the one this thread received last). */
static inline err sys_trace_event(u64 what, u64 call, u64 a, u64 b, u64 c, u64 d) {
    return SYS(trace_event, what, call, a, b, c, d).r;
}
/* n bytes (<= LOG_BYTES_MAX) of text in the area go to the kernel's log. */
static inline err sys_log(u64 n) {
    return SYS(log, n).r;
}
/* Debug kernels: check all invariants of the frame table now. 0, or -E_PROTO after logging what is broken;
 * -E_NOSYS in release builds. */
static inline err sys_audit(void) {
    return SYS(audit, 0).r;
}
