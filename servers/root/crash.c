/* SPDX-License-Identifier: MIT */
/* root is the pager and the exception handler of every server: what arrives here is a crash. It is reported
 * with registers and ends the run. */
#include "root.h"
#include <ipc/log.h>
#include <ipc/server.h>
#include <proto/slab.def>
#include <string.h>

static const char *server_name(u32 id) {
    return id < SRV_COUNT ? wirings[id].name : "?";
}

/* The right to answer lets the registers of the thread that waits be read. */
static void report_registers(u32 reply) {
    struct user_regs r;
    if (sys_regs_read(reply, REGS_GENERAL) != 0)
        return;
    memcpy(&r, ipc_area(), sizeof r);
    log_raw("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r.rax, r.rbx, r.rcx, r.rdx);
    log_raw("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", r.rsi, r.rdi, r.rbp, r.rsp);
    log_raw("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", r.r8, r.r9, r.r10, r.r11);
    log_raw("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", r.r12, r.r13, r.r14, r.r15);
    log_raw("  rip %016lx rflags %08lx", r.rip, r.rflags);
}

/* A dead server's slabs go back, whatever it has done to them. Not if one of the two that see to that is
 * dead. */
static void bury(u32 id) {
    struct slab_bury_rep rep;
    u32 slot = id == SRV_FRAME || id == SRV_SLAB || id >= SRV_COUNT ? 0 : slot_alloc();
    if (slot && !sys_cap_copy(SLOT_TABLE, slot, ROOT_SLOT(SRV_SLAB, OF_ENDPOINT), RIGHT_CALL, SRV_ROOT) &&
        !slab_bury(slot, &(struct slab_bury_req){.client = id}, &rep))
        log_raw("root: %lu pages of slabs of %s are back", rep.pages, server_name(id));
}

err crash_on_fault(struct ipc_ctx *c, const struct fault_words *f) {
    static const char *const how[] = {"read of", "write to", "execution of"};
    u64 access = FAULT_ACCESS(f->info);
    log_raw("quire: crash: %s thread %u: %s %#lx at ip %#lx sp %#lx, entry %#lx", server_name(c->badge),
            c->tag, access < ARRAY_LEN(how) ? how[access] : "?", f->address, f->ip, f->sp, f->entry);
    report_registers(c->reply);
    (void)audit();
    bury(c->badge);
    power_off(false);
}

err crash_on_exception(struct ipc_ctx *c, const struct exception_words *x) {
    if (x->kind >= EXC_HARDWARE)
        log_raw("quire: crash: %s thread %u: exception %lu, error code %#lx, at ip %#lx sp %#lx",
                server_name(c->badge), c->tag, x->kind - EXC_HARDWARE, x->code, x->ip, x->sp);
    else
        log_raw("quire: crash: %s thread %u: raised %lu, code %#lx, address %#lx, at ip %#lx",
                server_name(c->badge), c->tag, x->kind, x->code, x->address, x->ip);
    report_registers(c->reply);
    (void)audit();
    bury(c->badge);
    power_off(false);
}
