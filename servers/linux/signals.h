/* SPDX-License-Identifier: MIT */
/* Signals: sets, actions, pending ones, and the decision what is delivered next. Pure; the shell sends,
 * stops, kills and pushes frames.
 *
 * A set is a u64, signal n is bit n - 1 (as Linux passes it). Each task has pending signals of its own, each
 * process shared ones; for each number at most one is pending (real-time signals are not queued more than
 * once). */
#pragma once

#include <abi/types.h>
#include "uapi.h"

typedef u64 sigset;
#define SIGSET(n)          (1ull << ((n)-1))
#define SIGSET_UNBLOCKABLE (SIGSET(SIGKILL) | SIGSET(SIGSTOP))
#define SIGSET_STOP        (SIGSET(SIGSTOP) | SIGSET(SIGTSTP) | SIGSET(SIGTTIN) | SIGSET(SIGTTOU))

struct sigqueue {
    struct sigqueue *next;
    struct linux_siginfo info;
};
struct sigpending {
    sigset set;
    struct sigqueue *first; /* details of those in the set that have some; owned by the list */
};
struct sighand {
    u32 refs;
    sigset changed;                         /* whose action may be another than SIG_DFL */
    struct linux_sigaction action[SIGNALS]; /* of signal n at n - 1 */
};

enum sig_default { SIG_DEFAULT_KILL, SIG_DEFAULT_IGNORE, SIG_DEFAULT_STOP, SIG_DEFAULT_CONTINUE };
enum sig_default sig_default_of(int signal);

/* Would it be thrown away when sent (its action is to ignore it, explicitly or by default)? Blocked ones are
 * kept. */
bool sig_ignored(const struct sighand *h, int signal);

/* Adds a signal; entry (may be NULL: no details) is taken over, or handed back (returned) if it is pending
 * already. */
struct sigqueue *sig_add(struct sigpending *p, int signal, struct sigqueue *entry);
/* Takes it away. *entry: its details, the caller's now; NULL if it has none. */
void sig_take(struct sigpending *p, int signal, struct sigqueue **entry);
/* Its details; NULL if it has none. */
const struct sigqueue *sig_details(const struct sigpending *p, int signal);
/* Takes one of `set` away, for discarding: its details or NULL; *set loses what is gone. */
struct sigqueue *sig_discard(struct sigpending *p, sigset set);

/* The next to deliver out of `pending` while `blocked`: faults first, then the lowest number; 0: none. */
int sig_next(sigset pending, sigset blocked);

static inline void sig_set_action(struct sighand *h, int signal, const struct linux_sigaction *a) {
    h->action[signal - 1] = *a;
    h->changed |= SIGSET(signal);
}
/* Actions after an exec: handlers become the default, ignored ones stay. */
void sighand_exec(struct sighand *h);
/* The blocked set while signal's handler runs. */
sigset sig_handler_mask(const struct linux_sigaction *a, int signal, sigset blocked);
