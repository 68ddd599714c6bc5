/* SPDX-License-Identifier: MIT */
/* Who this server is, and which of its threads is running. */
#include <abi/layout.h>
#include <ipc/server.h>
#include <ipc/space.h>

u32 server_id, server_priority, server_slots;

void server_start(u32 id, u32 priority, u32 slots) {
    server_id = id;
    server_priority = priority;
    server_slots = slots;
}

/* The stack's address tells: each thread has a stride of its own. */
u32 thread_index(void) {
    u64 sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (u32)((sp - STACK_BASE) / STACK_STRIDE);
}

u64 *ipc_page(void) {
    return (u64 *)(MSG_BASE + thread_index() * PAGE_BYTES);
}
