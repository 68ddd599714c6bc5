/* SPDX-License-Identifier: MIT */
/* The kernel's calls: numbers, registers, bits. The list of all calls is SYSCALLS; docs/kernel-abi.md
 * explains each.
 *
 * Plain calls
 *   in   rax = number; rdi rsi rdx r10 r8 r9 = arguments
 *   out  rax = result: >= 0, or -E_xxx and nothing changed; rdx = second result; rcx and r11 are destroyed
 * Lists of arguments and range results lie in words AREA_FIRST.. of the caller's message page.
 *
 * IPC calls (call, reply_wait, fault_reply_wait, forward_wait)
 *   rdi rsi rdx r10 r8 r9 = message words 0..5; words 6..63 are in the message page at the same index
 *
 * call
 *   in   rax = SYS_call | nwords << 8
 *        rbx = endpoint slot
 *        r12 = label
 *        r13 = slot to send (0: none) | slot to receive into << 32
 *   out  rax = 0 or -E_xxx (transport)
 *        r12 = label of the reply: its status (0, > 0, or -E_xxx)
 *        r14 = nwords | flags << 16 (IPC_CAP)
 *
 * reply_wait
 *   in   rax = SYS_reply_wait | nwords << 8 | WAIT_xxx << 16
 *        rbx = reply slot (0: none) | slot to send << 32
 *        r12 = label (status) of the reply
 *        r13 = endpoint slot | next reply slot << 32
 *        r14 = slot to receive into
 *        r15 = deadline, absolute TSC (0: none)
 *   out  rax = WOKE_MESSAGE, WOKE_BITS, or -E_xxx
 *        rbx = badge | tag << 32
 *        r12 = label
 *        r13 = call number (the trace's id)
 *        r14 = nwords | kind << 8 | flags << 16 (| items entered << 32 after fault_reply_wait)
 *        r15 = the bits (WOKE_BITS) or progress (WOKE_MESSAGE)
 *        rbp and all else but rsp: destroyed
 * If the reply part fails (bad slot, too many words, a capability that can't go) nothing has happened and the
 * error returns at once; a dead or gone caller is a success that frees the slot. With endpoint slot 0 the wait
 * is left out: the answer is given, WOKE_BITS without any bit returns at once, and the caller's thread goes on
 * (the answered thread is made ready). So a server answers kept callers in the middle of other work. A
 * message's capability slots, labels and words are checked before anything changes.
 *
 * fault_reply_wait: as reply_wait, but for
 *   in   rax: nwords = 2 * number of items
 *        words = items (struct fault_item): item 0 in words 0 and 1, ...
 *
 * forward_wait: as reply_wait, but for
 *   in   rax also holds, for a fault, the range that the answer may map: FORWARD_RANGE(first, count, rights)
 *            in pages of the 2 MiB block; count 0: leave as it is
 *        rbx = reply slot | destination endpoint slot << 32
 *        r12 = label of the new message
 *        r14 = slot to receive into | space slot << 32 (0: none)
 * Without a space slot (MAP) the range may only be narrowed. */
#pragma once

#include <abi/types.h>

/* S(name, number) */
#define SYSCALLS(S)                                                                                          \
    S(call, 0)                                                                                               \
    S(reply_wait, 1)                                                                                         \
    S(fault_reply_wait, 2)                                                                                   \
    S(forward_wait, 3)                                                                                       \
    S(raise, 4)                                                                                              \
    S(fault_as, 5)                                                                                           \
    S(interrupt, 6)                                                                                          \
    S(yield, 7)                                                                                              \
    S(notify, 8)                                                                                             \
    S(cap_copy, 9)                                                                                           \
    S(cap_drop, 10)                                                                                          \
    S(permit, 11)                                                                                            \
    S(permit_end, 12)                                                                                        \
    S(account_open, 13)                                                                                      \
    S(account_close, 14)                                                                                     \
    S(account_bind, 15)                                                                                      \
    S(retype, 16)                                                                                            \
    S(destroy, 17)                                                                                           \
    S(regs_read, 18)                                                                                         \
    S(regs_write, 19)                                                                                        \
    S(start, 20)                                                                                             \
    S(stop, 21)                                                                                              \
    S(thread_bind, 22)                                                                                       \
    S(space_bind, 23)                                                                                        \
    S(feed, 24)                                                                                              \
    S(unfeed, 25)                                                                                            \
    S(map, 26)                                                                                               \
    S(unmap, 27)                                                                                             \
    S(protect, 28)                                                                                           \
    S(scan, 29)                                                                                              \
    S(clone, 30)                                                                                             \
    S(clone_private, 31)                                                                                     \
    S(copy, 32)                                                                                              \
    S(give, 33)                                                                                              \
    S(pin, 34)                                                                                               \
    S(unpin, 35)                                                                                             \
    S(frames, 36)                                                                                            \
    S(frames_list, 37)                                                                                       \
    S(collect, 38)                                                                                           \
    S(irq, 39)                                                                                               \
    S(ports, 40)                                                                                             \
    S(trace_mask, 41)                                                                                        \
    S(trace_name, 42)                                                                                        \
    S(trace_event, 43)                                                                                       \
    S(log, 44)                                                                                               \
    S(audit, 45)

enum syscall {
#define S(name, number) SYS_##name = number,
    SYSCALLS(S)
#undef S
        SYS_COUNT = 46
};

/* Message page. */
#define MSG_REG_WORDS 6  /* words that travel in registers */
#define MSG_WORDS     64 /* words of a message at most */
#define AREA_FIRST    64 /* first word of the area for lists and range results */
#define AREA_WORDS    448
#define PAGE_WORDS    512

/* rax of the wait calls, bits 16.. */
#define WAIT_POLL                           1 /* do not wait: -E_AGAIN if there is neither a message nor a bit */
#define WAIT_REGS                           2 /* the reply resumes an alien or exception with all registers as regs_write left them */
#define WAIT_FLAGS(rax)                     (((rax) >> 16) & 0xff)
#define FORWARD_RANGE(first, count, rights) ((u64)(first) << 32 | (u64)(count) << 42 | (u64)(rights) << 52)
#define FORWARD_FIRST(rax)                  (((rax) >> 32) & 0x3ff)
#define FORWARD_COUNT(rax)                  (((rax) >> 42) & 0x3ff)
#define FORWARD_RIGHTS(rax)                 (((rax) >> 52) & 0xf)

enum woke { WOKE_MESSAGE = 0, WOKE_BITS = 1 };
enum msg_kind { MSG_CALL, MSG_FAULT, MSG_ALIEN, MSG_EXCEPTION }; /* what the sender waits for */
enum msg_flag {
    IPC_CAP = 1, /* a capability was put into the slot to receive into */
    IPC_FAULTED =
        2, /* sent again after a fault_as that could not be resolved: answer EFAULT or a short count */
    IPC_AGAIN = 4,     /* sent again: after fault_as (resolved or not), or its right to reply was dropped;
                          progress is valid */
    IPC_FORWARDED = 8, /* came by forward; the badge is the forwarder's */
};
#define IPC_NWORDS(r14)  ((r14)&0xff)
#define IPC_KIND(r14)    (((r14) >> 8) & 0xff)
#define IPC_FLAGS(r14)   (((r14) >> 16) & 0xffff)
#define IPC_ENTERED(r14) ((r14) >> 32)

#define DEADLINE_BIT 63 /* of an endpoint's notification bits: its deadline has passed */

/* Labels of the messages that the kernel itself sends; protocols use 0x0100 and above. */
enum kernel_label {
    LABEL_FAULT = 1,     /* struct fault_words */
    LABEL_EXCEPTION = 2, /* struct exception_words */
    LABEL_ALIEN = 3 /* label = LABEL_ALIEN | rax << 16; words = rdi rsi rdx r10 r8 r9. Answer: rax = label if
                       negative, else word 0 */
};

/* Flags of the bind calls. */
enum thread_flag { THREAD_ALIEN = 1 /* its syscall instructions become messages */ };
enum space_flag { SPACE_WX = 1 /* may hold pages both writable and executable */ };

/* scan, frames: also clear what is shown. */
#define CLEAR_BITS 1
/* unmap: leave the pager's own entries where they are. */
#define UNMAP_KEEP 1
/* copy: a slot value that means "own frames": the address is then physical (frame * PAGE_BYTES + offset). */
#define COPY_FRAMES    0xffffffffu
#define COPY_BYTES_MAX 65536
/* give: instead of a first frame: `count` words of the area are runs of frames, RUN_MAX frames in all at
 * most. A plain frame number is a run of one. */
#define GIVE_LIST               (~0ull)
#define FRAME_RUN(first, count) ((u64)(first) | ((u64)(count)-1) << 40)
#define RUN_FIRST(run)          ((run)&0xffffffffffull)
#define RUN_COUNT(run)          (((run) >> 40) + 1)

#define MAP_ITEMS_MAX    64
#define FAULT_ITEMS_MAX  16
#define RANGE_VISITS_MAX 512
#define LIST_MAX         64
#define FEED_MAX         32
#define RUN_MAX          512
#define LOG_BYTES_MAX    512
#define PORTS_MAX        64 /* of one range */

/* Why a range call stopped: bits 32.. of its second result (bits 0..31: number of records). */
enum stop { STOP_BOUND, STOP_FULL, STOP_TABLES, STOP_OVERFLOW };

/* A record of unmap (a frame of the caller's account whose last mapping went; or the pager's entry removed),
 * of scan and clone (each entry visited that is not zero; each pager entry copied). */
struct range_record {
    u64 address; /* page address | enum record_kind */
    u64 value;   /* RECORD_FRAME: frame | FRAME_xxx flags << 52; otherwise the entry */
};
enum record_kind { RECORD_FRAME = 1, RECORD_PAGER = 2, RECORD_ENTRY = 3 };

/* map: one item in the area. */
struct map_item {
    u64 address; /* page address | enum map_right */
    u64 frame;
};

/* frames, frames_list, collect: one record in the area. frames: for a frame and those behind it that are
 * alike in all that is shown. */
struct frame_record {
    u64 id;     /* frame | kind << 40 | flags << 48 | account << 56 */
    u64 counts; /* shares | own << 32 | pins << 40 | further frames << 48 */
};
#define FRAME_OF(id)      ((id)&0xffffffffffull)
#define KIND_OF(id)       (((id) >> 40) & 0xff)
#define FLAGS_OF(id)      (((id) >> 48) & 0xff)
#define ACCOUNT_OF(id)    (((id) >> 56) & 0xff)
#define SHARES_OF(counts) ((counts)&0xffffffffull)
#define OWN_OF(counts)    (((counts) >> 32) & 0xff)
#define PINS_OF(counts)   (((counts) >> 40) & 0xff)    /* users' in bits 0..5, 64 for each of the kernel's */
#define USES_OF(counts)   ((counts)&0xffffffffffffull) /* all three: 0 if there are none */
#define ALIKE_OF(counts)  (((counts) >> 48) + 1)       /* frames that the record is about */
