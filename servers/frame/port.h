/* SPDX-License-Identifier: MIT */
/* What the server's logic asks of the kernel: main.c on the target, a model of the frame table in the
 * tests. */
#pragma once

#include <ipc/runs.h>
#include <ipc/sys.h>

/* Frames of this server's account change to a client's, or (SRV_FRAME) to this server's again, which is a
 * check that they are its own and in no use. All of them, or an error and none. */
err kernel_give(u32 to, const struct runs *runs) must_check;

/* Records of a client's (SRV_FRAME: this server's) frames from there on, CENSUS_RECORDS at most, as `frames`
 * of the kernel gives them: where to go on, or 0. */
#define CENSUS_RECORDS 224
pfn kernel_frames(u32 whose, pfn from, struct frame_record *records, u32 *count);

/* Sets bits of a client's endpoint. */
err kernel_notify(u32 client, u64 bits) must_check;

/* Where a client's magazines are: readable as long as the client lives. */
const struct frame_magazines *client_magazines(u32 client);

/* A line of the log. */
void port_log(u32 client, const char *what, err why);
