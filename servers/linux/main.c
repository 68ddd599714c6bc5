/* SPDX-License-Identifier: MIT */
/* linux: the Linux personality's shell. Messages of the kernel on behalf of programs come in here, and what a
 * handler decided goes out; see docs/linux.md. */
#include <string.h>

#include <abi/info.h>
#include <abi/layout.h>
#include <ipc/assert.h>
#include <ipc/frame.h>
#include <ipc/log.h>
#include <ipc/server.h>
#include <ipc/space.h>
#include <proto/bits.h>
#include <proto/limits.h>

#include "boot.h"
#include "dispatch.h"
#include "kern.h"
#include "quick.h"
#include "state.h"

/* What became of a message: its call's verdict, not ANSWER, in the loop's terms. */
static void verdict(struct ipc_ctx *c, const struct call *k) {
    switch ((enum verdict)k->verdict) {
    case BLOCKED:
        ipc_keep(c);
        break;
    case FORWARDED:
        ipc_forward_to(c, k->to, k->label, k->out);
        break;
    case FAULTING:
        ipc_answered(c);
        break;
    case REGISTERS:
        c->disposition = IPC_REPLY_REGS;
        break;
    case ANSWER:
    case GONE: /* nobody hears the answer */
        break;
    }
}

/* Whose message it is; NULL: another worker has ended the task since the message was delivered to this one (a
 * worker that gets an answer runs before those that got messages). Nobody hears the answer then. */
static struct task *sender(u32 tag) {
    return task_find(&state.tasks, tag);
}

static err on_alien(struct ipc_ctx *c, u64 number, u64 *w) {
    struct task *t = sender(c->tag);
    if (!t)
        return 0;
    state.calls++;
    t->restart = RESTART_NONE;
    struct call k;
    call_begin(&k, t, c->reply, MIN(number, 0xffff), c->flags, c->flags & IPC_AGAIN ? c->progress : 0, w);
    i64 result = dispatch(&k);
    if (jobs_ready() && k.verdict != BLOCKED) {
        /* Calls that may wait for the disk are taken up before the next message: so answer this one first. */
        ipc_keep(c);
        complete(&k, result);
    } else if (k.verdict != ANSWER) {
        verdict(c, &k);
    }
    return result;
}

static err on_exception(struct ipc_ctx *c, const struct exception_words *x) {
    struct task *t = sender(c->tag);
    if (!t)
        return 0;
    struct call k = {
        .task = t, .reply = c->reply, .flags = c->flags, .progress = c->flags & IPC_AGAIN ? c->progress : 0};
    exception(&k, x);
    if (k.verdict == ANSWER)
        k.verdict = REGISTERS;
    verdict(c, &k);
    return 0;
}

static void on_bits(u64 bits) {
    if (bits & BIT(DEADLINE_BIT))
        timers_run(&state.timers, kern_tsc());
    if (bits & BIT(BIT_CONSOLE))
        console_changed();
    if (bits & BIT(BIT_RELEASED))
        objects_released();
    if (bits & (BIT(BIT_MEMORY_LOW) | BIT(BIT_DRAIN)))
        kern_drain();
}

static bool before_wait(void) {
    run_kept_calls();
    if (jobs_ready())
        run_jobs();
    return false;
}

static const struct server server = {.name = "linux",
                                     .endpoint = SLOT_ENDPOINT,
                                     .quick = quick_table,
                                     .on_alien = on_alien,
                                     .on_exception = on_exception,
                                     .on_bits = on_bits,
                                     .deadline = &state.timers.first,
                                     .before_wait = before_wait};

static void worker(void *argument) {
    (void)argument;
    server_run(&server);
}

#define STATUS_NO_START 125 /* of the run: as in env(1), it is not the command's doing */

/* The command of mode=cmd where root has mapped it, ended by a 0; NULL: none. */
static const char *command(void) {
    const struct info_page *info = (const struct info_page *)INFO_PAGE;
    for (u64 i = 0; i < info->modules_count; i++) {
        const struct info_module *m = &info->modules[i];
        const char *text = (const char *)LINUX_CMD;
        if (!strcmp(m->name, "cmd") && m->bytes && !text[m->bytes - 1])
            return text;
    }
    return NULL;
}

int main(void) {
    log_name(server.name);
    /* For each task a thread, a right to answer, a space; the workers' own, and what they make meanwhile. */
    ASSERT(server_slots >= SLOT_FREE + 3 * TASKS_MAX + 16 * WORKERS);
    err e = frame_client_init();
    if (!e)
        e = kmem_cache_init();
    ASSERT(e == 0);
    e = boot(command());
    if (e)
        kern_system_exit(STATUS_NO_START); /* the log says why */
    for (u32 i = 1; i < WORKERS && !e; i++)
        e = thread_spawn(i, worker, NULL, "linux worker");
    ASSERT(e == 0);
    server_run(&server);
}
