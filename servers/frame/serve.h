/* SPDX-License-Identifier: MIT */
/* What the server does with each message: the handlers of <proto/frame.def>, over holders.c and port.h. */
#pragma once

#include <ipc/server.h>

#include "holders.h"

struct frame_server {
    struct holders holders;
    u64 attached; /* clients that have magazines: a bit for each */
    u64 named;    /* clients of which a mistake has been logged */
    const struct info_range *ram;
    u64 ranges;        /* of RAM */
    bool contradicted; /* a census has found one, and it has been logged */
};

/* The handlers have no other way to it. */
extern struct frame_server frame_server;

/* A call of the client c->badge: the answer's status, its words in w and its tail in c->tail. A wrong one
 * changes nothing, is counted at the client, and logged if it is its first. */
err frame_call(struct ipc_ctx *c, u64 label, u64 *w) must_check;
