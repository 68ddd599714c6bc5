/* SPDX-License-Identifier: MIT */
/* root: the first process. It starts all servers with just the capabilities of wiring.c, and then waits for
 * two things: a crash of a server (reported, and the end of the run), and linux's word that the system is to
 * end. */
#pragma once

#include <abi/info.h>
#include <abi/layout.h>
#include <abi/types.h>
#include "wiring.h"

/* Slots of root's own table: six for each server. */
enum root_slot { OF_SPACE, OF_THREAD, OF_TABLE, OF_ENDPOINT, OF_ACCOUNT, OF_WINDOW, OF_COUNT };
#define ROOT_SLOT(id, what) (SLOT_SERVICE + ((id)-SRV_ROOT - 1) * OF_COUNT + (what))
#define RING_PERMIT         ROOT_SLOT(SRV_COUNT, 0) /* on the window of ata's ring */
_Static_assert(RING_PERMIT < SLOT_FREE, "root's slots for servers");

static inline const struct info_page *info(void) {
    return (const struct info_page *)INFO_PAGE;
}
/* The boot module of that name, or NULL. */
const struct info_module *find_module(const char *name);

/* pool.c: root's free frames. */
pfn info_frame(void); /* of the information page */
void pool_init(void);
pfn pool_take(u64 frames); /* contiguous; running out is a panic: root's share is a constant of the boot */
void pool_give_rest(void); /* what root does not need goes to frame */
/* Maps frames that adjoin, with the pool feeding the space's tables. */
void map_own(vaddr at, pfn first, u64 pages, u32 rights, u32 space);
void unmap_own(vaddr at, u64 pages);

/* construct.c */
void construct_server(enum server_id id); /* space, image, table, endpoint, account, first thread */
void wire_server(enum server_id id);      /* capabilities, after all servers are constructed */
void start_server(enum server_id id);

/* crash.c, power.c, wallclock.c */
struct ipc_ctx;
struct fault_words;
struct exception_words;
err crash_on_fault(struct ipc_ctx *c, const struct fault_words *f);
err crash_on_exception(struct ipc_ctx *c, const struct exception_words *x);
void power_init(void);
void wallclock_init(void); /* needs frames of the pool; before servers start */
bool audit(void);          /* of the kernel's tables, which no server can damage: the log tells */
_Noreturn void power_off(bool clean);
_Noreturn void fail(const char *what, err why); /* the system can't go on */
