/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <ipc/assert.h>

enum sig_default sig_default_of(int signal) {
    switch (signal) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
        return SIG_DEFAULT_IGNORE;
    case SIGCONT:
        return SIG_DEFAULT_CONTINUE;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return SIG_DEFAULT_STOP;
    default:
        return SIG_DEFAULT_KILL;
    }
}

bool sig_ignored(const struct sighand *h, int signal) {
    u64 handler = h->action[signal - 1].handler;
    if (SIGSET(signal) & SIGSET_UNBLOCKABLE)
        return false;
    return handler == SIG_IGN || (handler == SIG_DFL && (sig_default_of(signal) == SIG_DEFAULT_IGNORE ||
                                                         sig_default_of(signal) == SIG_DEFAULT_CONTINUE));
}

struct sigqueue *sig_add(struct sigpending *p, int signal, struct sigqueue *entry) {
    if (p->set & SIGSET(signal))
        return entry;
    p->set |= SIGSET(signal);
    if (entry) {
        entry->info.signo = signal;
        entry->next = p->first;
        p->first = entry;
    }
    return NULL;
}

void sig_take(struct sigpending *p, int signal, struct sigqueue **entry) {
    p->set &= ~SIGSET(signal);
    *entry = NULL;
    for (struct sigqueue **link = &p->first; *link; link = &(*link)->next) {
        if ((*link)->info.signo == signal) {
            *entry = *link;
            *link = (*link)->next;
            return;
        }
    }
}

const struct sigqueue *sig_details(const struct sigpending *p, int signal) {
    const struct sigqueue *q = p->first;
    while (q && q->info.signo != signal)
        q = q->next;
    return q;
}

struct sigqueue *sig_discard(struct sigpending *p, sigset set) {
    p->set &= ~set;
    for (struct sigqueue **link = &p->first; *link; link = &(*link)->next) {
        struct sigqueue *q = *link;
        if (SIGSET(q->info.signo) & set) {
            *link = q->next;
            return q;
        }
    }
    return NULL;
}

int sig_next(sigset pending, sigset blocked) {
    const sigset faults =
        SIGSET(SIGSEGV) | SIGSET(SIGBUS) | SIGSET(SIGILL) | SIGSET(SIGFPE) | SIGSET(SIGTRAP);
    sigset ready = pending & ~(blocked & ~SIGSET_UNBLOCKABLE);
    if (ready & SIGSET(SIGKILL))
        return SIGKILL;
    if (ready & faults)
        ready &= faults;
    return ready ? __builtin_ctzll(ready) + 1 : 0;
}

void sighand_exec(struct sighand *h) {
    for (sigset left = h->changed; left; left &= left - 1) {
        struct linux_sigaction *a = &h->action[__builtin_ctzll(left)];
        *a = (struct linux_sigaction){.handler = a->handler == SIG_IGN ? SIG_IGN : SIG_DFL};
    }
}

sigset sig_handler_mask(const struct linux_sigaction *a, int signal, sigset blocked) {
    blocked |= a->mask;
    if (!(a->flags & SA_NODEFER))
        blocked |= SIGSET(signal);
    return blocked & ~SIGSET_UNBLOCKABLE;
}
