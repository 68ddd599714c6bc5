/* SPDX-License-Identifier: MIT */
/* Random calls of the kernel from ring 3. This program is booted as the module `root`. It makes a world of
 * spaces, threads, endpoints, accounts and rights to reply, has calls made in it by four *actors*, and checks
 * each result; after an *episode* of calls it ends the world and looks whether every frame has come back.
 *
 *   actor 0   this program's first thread: calls that don't wait; root's account
 *   actor 1   a thread in a space of account A, with a message page
 *   actor 2   a thread in a space without an account, without a message page
 *   actor 3   a thread in a space of account B, with a message page
 *
 * Actors 1 to 3 share one table. What they do is set from here: their registers are written, they execute
 * SYSCALL and then UD2, which is an exception that this program receives. Whoever does not come back waits,
 * and is stopped some time later. *Victims* call, fault, make alien calls and get exceptions all by
 * themselves; the rights to reply that the actors use are theirs. Everything comes from the seed, so with
 * QEMU's -icount a run is repeated exactly. */
#pragma once

#include "ring3.h"

enum { ACTORS = 4, VICTIMS = 8, ENDPOINTS = 6 };
enum { SPACE_OF_VICTIMS, SPACE_OF_NOBODY, SPACE_OF_B, SPACE_OF_ROOT, SPACES };
enum { FRAMES = 1000 }; /* of the world */
enum { EPISODE_CALLS = 1000 };

/* Slots: the same in this program's table and in the actors', except that below W_WORLD this program has
 * its own, and behind W_WORLD_END copies of every capability of the world, so that nothing gets lost. */
enum {
    W_TRUSTED_TABLE = 1, /* actors' table: this program's, for copies */
    W_PRIVATE = 24,      /* this program's */
    W_WORLD = 64,
    W_ENDPOINT = 64,
    W_ENDPOINT_SERVED = 69, /* who calls here is answered at once */
    W_BADGED = 72,
    W_VICTIM = 80,
    W_SPACE = 96,
    W_OWN_SPACE = 104, /* actors' own: to map, feed and copy */
    W_ACCOUNT_A = 112,
    W_ACCOUNT_B,
    W_ACCOUNT_ROOT, /* no rights */
    W_TABLE_WORLD,  /* the actors' */
    W_TABLE_SMALL,
    W_PERMIT,
    W_PERMIT_2,
    W_LINES,
    W_PORTS,
    W_TRACING,
    W_WEAK, /* the same without rights: WEAK_xxx */
    W_DYNAMIC = 192,
    W_WORLD_END = 448,
    W_COPIES = 512,
    TABLE_SLOTS = 2048
};
enum {
    WEAK_ENDPOINT,
    WEAK_THREAD,
    WEAK_SPACE,
    WEAK_ACCOUNT,
    WEAK_TABLE,
    WEAK_PERMIT,
    WEAK_TRACING,
    WEAK_COUNT
};

/* A call, before or after. */
struct shot {
    struct ipc_io io; /* registers of any call: plain ones take w[0..5] */
    u32 actor, call;
    u64 *area; /* of the actor */
};

/* Random numbers: random.c. */
void random_seed(u64 seed, u64 episode);
u64 rnd(void);
u64 pick(u64 n);                                  /* below n */
bool chance(u64 n);                               /* once in n */
u64 wild(void);                                   /* a number as hostile callers pass */
vaddr some_address(void), some_range(u64 *pages); /* pages of the windows that calls map things in */

/* What is counted: tally.c. */
/* timed: nothing else was called since tally_mark. */
void tally(const struct shot *before, const struct shot *after, bool timed);
void tally_mark(void);
u64 frames_digest(void); /* of all that the frame table says of the world's accounts */
bool tally_done(void);   /* as many calls as were asked for */
void tally_print(void);
u64 tally_calls(void);
void fail(const char *what, u64 a, u64 b); /* reports and ends the run */
void end_run(u64 status) __attribute__((noreturn));
extern u64 run_seed, run_calls, run_first; /* from the command line */
extern u64 episode;

/* The world: world.c. */
void world_begin(void), world_end(void);
extern pfn frames[FRAMES];
u32 keep_slot(enum frame_kind kind); /* the slot for the next copy */
void keep_forget(void);              /* it was not used */
void keep(u32 slot, enum frame_kind kind);
/* A new object: the slot of its copy; with some rights it is also in `slot` of both tables, if that is not
 * 0. */
u32 object_make(enum frame_kind kind, u32 slot, u64 rights);
void feed_space(u32 space, u32 n);
pfn frame_of(u32 actor);         /* probably one of its account */
extern pfn crowded_page;         /* the message page of three threads */
pfn frames_in_a_row(u64 *count); /* so many that making a table of them takes two calls */
void frame_given(pfn frame, u32 account_slot);
u32 victims_space(void); /* the copy */
u32 account_copy(u32 actor);

/* Who calls: actor.c. */
void actors_init(void), actors_begin(void), actors_end(void);
void actor_perform(struct shot *s); /* makes the call; counts it when it has come to its end */
i64 actor_trusted(u32 actor,
                  const struct ipc_io *io); /* not counted; rax, or -E_RESTART: it did not come back */
bool actor_free(u32 actor);
void actor_abort(u32 actor);
u64 *actor_area(u32 actor);
u32 actor_space(u32 actor); /* the copy */
void rest(void);            /* let everybody else run until they wait */

/* What victims and actors execute: one page, at the same address everywhere. */
#define CODE 0x8000000ull
extern const u8 gadgets[], gadget_call[], gadget_store[], gadget_load[], gadget_alien[], gadget_trap[];
#define GADGET(name) (CODE + (u64)(gadget_##name - gadgets))
extern pfn code_page, victims_page;

/* Victims and rights to reply: victim.c. */
void victim_revive(u32 i), victims_begin(void), victims_stop(void);
/* The rights that lie in a table (0: this program's, 1: the actors'), by kind. */
u32 right_of(u32 table, u32 kind); /* gets one if there is none; 0: could not */
u32 some_right(u32 table);
void right_add(u32 table, u32 slot, u32 kind);
void rights_forget(void);
static inline u32 table_of(u32 actor) {
    return actor != 0;
}

/* Calls: shots.c, and by subject shots_*.c. */
void shot_make(struct shot *s, u32 call, u32 actor);
/* What has to follow, so that nothing is lost and what is there is known. */
void shot_done(const struct shot *before, const struct shot *after);
void shots_forget(void);
void thing_gone(u64 slot);
bool disturbed(void); /* the world has lost something that calls need; then it is soon to end */
/* Slots: mostly of what is named, sometimes of something else or of nothing. */
u64 dynamic(void), an_endpoint(void), a_thread(void), a_space(void), a_window(u32 actor), an_account(void),
    a_table(void), made(u32 actor, enum frame_kind kind);
typedef void generator(struct shot *s);
#define S(name, number) generator make_##name;
SYSCALLS(S)
#undef S
