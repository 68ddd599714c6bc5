/* SPDX-License-Identifier: MIT */
#include "kern.h"

#include <string.h>

#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/server.h>
#include <ipc/slab.h>
#include <proto/bits.h>

static const struct info_page *const info = (const struct info_page *)INFO_PAGE;

static u64 copied(struct pair p, u64 address, u64 *stopped) {
    if (p.r < 0) {
        *stopped = address;
        return 0;
    }
    *stopped = p.second & ~PAGE_MASK;
    return (u64)p.r;
}

u64 kern_copy_in(u32 slot, void *to, u64 from, u64 bytes, u64 *stopped) {
    u64 done = 0;
    while (done < bytes) {
        u64 step = MIN(bytes - done, COPY_BYTES_MAX);
        u64 n = copied(sys_copy(SLOT_SPACE, (u64)to + done, slot, from + done, step), from + done, stopped);
        done += n;
        if (n < step)
            break;
    }
    return done;
}

u64 kern_copy_out(u32 slot, u64 to, const void *from, u64 bytes, u64 *stopped) {
    u64 done = 0;
    while (done < bytes) {
        u64 step = MIN(bytes - done, COPY_BYTES_MAX);
        u64 n = copied(sys_copy(slot, to + done, SLOT_SPACE, (u64)from + done, step), to + done, stopped);
        done += n;
        if (n < step)
            break;
    }
    return done;
}

u64 kern_copy_between(u32 to_slot, u64 to, u32 from_slot, u64 from, u64 bytes) {
    struct pair p = sys_copy(to_slot, to, from_slot, from, MIN(bytes, COPY_BYTES_MAX));
    return p.r < 0 ? 0 : (u64)p.r;
}

err kern_fault_as(u32 reply, u64 address, u64 access, u64 progress) {
    return sys_fault_as(reply, address, access, progress);
}

err kern_thread_create(u32 space, u32 tag, u32 *thread, pfn *frame) {
    pfn made = alloc_page(GFP_HIGHUSER);
    if (!made)
        return -E_NOMEM;
    u32 slot = slot_alloc();
    err e = slot ? sys_retype(made, 1, KIND_THREAD, slot) : -E_NOMEM;
    if (e < 0)
        goto no_object;
    e = sys_thread_bind(slot, space, tag, 0, PRIO_PROGRAM, THREAD_ALIEN);
    if (e < 0) {
        kern_thread_destroy(slot, made);
        return e;
    }
    *thread = slot;
    *frame = made;
    return 0;
no_object:
    if (slot)
        slot_free(slot);
    __free_page(made);
    return e;
}

void kern_thread_destroy(u32 thread, pfn frame) {
    err e = sys_stop(thread);
    ASSERT(e >= 0);
    while ((e = sys_destroy(thread)) == -E_AGAIN)
        ;
    ASSERT(e >= 0);
    slot_free(thread);
    __free_page(frame);
}

void kern_thread_start(u32 thread) {
    err e = sys_start(thread);
    ASSERT(e >= 0);
}

void kern_thread_interrupt(u32 thread) {
    err e = sys_interrupt(thread);
    ASSERT(e >= 0);
}

struct user_regs *kern_regs_room(void) {
    return (struct user_regs *)ipc_area();
}

struct user_regs *kern_regs_read(u32 thread, u32 parts) {
    err e = sys_regs_read(thread, parts);
    ASSERT(e >= 0);
    return kern_regs_room();
}

err kern_regs_write(u32 thread, u32 parts) {
    err e = sys_regs_write(thread, parts);
    ASSERT(e >= 0 || e == -E_INVAL);
    return e;
}

/* The one that waited may be gone: then the slot is just freed. */
void kern_answer(u32 reply, i64 result) {
    err e = ipc_answer_alien(reply, result);
    ASSERT(e >= 0);
    slot_free(reply);
}

void kern_answer_regs(u32 reply) {
    err e = ipc_answer_regs(reply);
    ASSERT(e >= 0);
    slot_free(reply);
}

void kern_forward(u32 reply, u32 to, u64 label, const u64 words[6]) {
    err e = ipc_forward(reply, to, label, words);
    ASSERT(e >= 0);
    slot_free(reply);
}

u32 kern_slot(void) {
    return slot_alloc();
}

void kern_slot_drop(u32 slot) {
    err e = sys_cap_drop(SLOT_TABLE, slot);
    (void)e; /* dead or empty: the same */
    slot_free(slot);
}

u64 kern_tsc(void) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}
u64 kern_tsc_per_ms(void) {
    return info->tsc_per_ms;
}
u64 kern_boot_tsc(void) {
    return info->boot_tsc;
}
u64 kern_boot_seconds(void) {
    return info->boot_wall_s;
}
u64 kern_switches(void) {
    return info->switches;
}

void kern_system_exit(u32 status) {
    err e = sys_notify(SERVICE(SRV_ROOT), ROOT_EXIT(status));
    ASSERT(e >= 0);
}

u32 kern_worker(void) {
    return thread_index();
}

void kern_drain(void) {
    kmem_cache_drain();
    drain_magazines();
}

u64 kern_random(void) {
    u32 a = 1, b, c = 0, d;
    u64 random = 0;
    u8 ok;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (c >> 30 & 1)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(random), "=qm"(ok));
    return random;
}
