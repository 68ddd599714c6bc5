/* SPDX-License-Identifier: MIT */
/* Signals: pending sets against a model, the order of delivery, masks, actions over exec. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "model/seed.h"
#include "signals.h"

static struct sigpending pending;

static struct sigqueue *entry(int code) {
    struct sigqueue *q = calloc(1, sizeof *q);
    q->info.code = code;
    return q;
}

Test(signals, pending_sets) {
    u64 seed = seed_begin(3);
    bool there[SIGNALS + 1] = {false};
    int code[SIGNALS + 1] = {0}; /* 0: without details */
    for (u32 step = 0; step < 50000; step++) {
        int s = 1 + (int)seed_next(&seed, SIGNALS);
        if (seed_next(&seed, 2)) {
            int c = (int)seed_next(&seed, 1000);
            struct sigqueue *mine = c ? entry(c) : NULL, *back = sig_add(&pending, s, mine);
            cr_assert_eq(back, there[s] ? mine : NULL, "a second one is refused, the first one taken over");
            free(back);
            if (!there[s])
                code[s] = c;
            there[s] = true;
        } else {
            struct sigqueue *q = NULL;
            if (there[s])
                sig_take(&pending, s, &q);
            cr_assert_eq(q ? q->info.code : 0, there[s] ? code[s] : 0);
            free(q);
            there[s] = false;
        }
        const struct sigqueue *details = sig_details(&pending, s);
        cr_assert_eq(details != NULL, there[s] && code[s]);
        sigset all = 0;
        for (int i = 1; i <= SIGNALS; i++)
            all |= there[i] ? SIGSET(i) : 0;
        cr_assert_eq(pending.set, all);
    }
    struct sigqueue *q;
    while ((q = sig_discard(&pending, ~0ull)))
        free(q);
    cr_assert_eq(pending.set, 0);
    cr_assert_null(pending.first);
}

Test(signals, order_of_delivery) {
    cr_assert_eq(sig_next(0, 0), 0);
    cr_assert_eq(sig_next(SIGSET(SIGTERM) | SIGSET(SIGHUP), 0), SIGHUP);
    cr_assert_eq(sig_next(SIGSET(SIGTERM) | SIGSET(SIGHUP), SIGSET(SIGHUP)), SIGTERM);
    cr_assert_eq(sig_next(SIGSET(SIGHUP) | SIGSET(SIGSEGV), 0), SIGSEGV, "a fault of its own comes first");
    cr_assert_eq(sig_next(SIGSET(SIGKILL) | SIGSET(SIGSEGV), ~0ull), SIGKILL, "SIGKILL cannot be blocked");
    cr_assert_eq(sig_next(SIGSET(SIGSTOP), ~0ull), SIGSTOP);
    cr_assert_eq(sig_next(SIGSET(64), 0), 64);
}

Test(signals, ignored_and_masks) {
    struct sighand h = {.refs = 1};
    cr_assert(sig_ignored(&h, SIGCHLD) && sig_ignored(&h, SIGCONT) && sig_ignored(&h, SIGWINCH));
    cr_assert(!sig_ignored(&h, SIGTERM) && !sig_ignored(&h, SIGTSTP) && !sig_ignored(&h, SIGKILL));
    sig_set_action(&h, SIGTERM, &(struct linux_sigaction){.handler = SIG_IGN});
    sig_set_action(&h, SIGKILL, &(struct linux_sigaction){.handler = SIG_IGN});
    sig_set_action(&h, SIGCHLD, &(struct linux_sigaction){.handler = 0x1000, .mask = SIGSET(SIGTERM)});
    cr_assert(sig_ignored(&h, SIGTERM) && !sig_ignored(&h, SIGKILL) && !sig_ignored(&h, SIGCHLD));
    struct linux_sigaction *a = &h.action[SIGCHLD - 1];
    cr_assert_eq(sig_handler_mask(a, SIGCHLD, SIGSET(SIGHUP)),
                 SIGSET(SIGHUP) | SIGSET(SIGTERM) | SIGSET(SIGCHLD));
    a->flags = SA_NODEFER;
    a->mask = ~0ull;
    cr_assert_eq(sig_handler_mask(a, SIGCHLD, 0), ~SIGSET_UNBLOCKABLE);
    sighand_exec(&h);
    cr_assert_eq(h.action[SIGTERM - 1].handler, SIG_IGN, "what is ignored stays so");
    cr_assert_eq(h.action[SIGCHLD - 1].handler, SIG_DFL);
    cr_assert_eq(h.action[SIGCHLD - 1].mask, 0);
}
