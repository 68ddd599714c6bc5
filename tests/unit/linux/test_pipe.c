/* SPDX-License-Identifier: MIT */
/* The pipe's ring against a plain byte sequence: what is committed comes out once and in order, pages are
 * held only for what is inside, and what was copied but not committed is as if it had never been. */
#include <criterion/criterion.h>
#include <string.h>

#include <abi/errors.h>
#include "model/frame_host.h"
#include "model/seed.h"
#include "pipe.h"

static struct pipe_ring ring;
static u64 seed;

static u8 byte_at(u64 position) {
    return (u8)(position * 31 + position / 251);
}

static u64 copy_in_bytes(u64 bytes) {
    u64 done = 0;
    char *to;
    i64 n;
    while (done < bytes && (n = pipe_write_span(&ring, done, bytes - done, &to)) > 0) {
        for (i64 i = 0; i < n; i++)
            to[i] = (char)byte_at(ring.head + done + (u64)i);
        done += (u64)n;
    }
    return done;
}

static u64 copy_out_bytes(u64 bytes) {
    u64 done = 0, n;
    const char *from;
    while (done < bytes && (n = pipe_read_span(&ring, done, bytes - done, &from))) {
        for (u64 i = 0; i < n; i++)
            cr_assert_eq((u8)from[i], byte_at(ring.tail + done + i));
        done += n;
    }
    return done;
}

static void check_pages(void) {
    u64 pages = 0;
    for (u32 i = 0; i < PIPE_PAGES; i++)
        pages += ring.page[i] != 0;
    cr_assert_eq(pages, frame_host_in_use());
    cr_assert_leq(pages, PIPE_PAGES);
}

Test(pipe, bytes_in_order) {
    seed = seed_begin(1);
    frame_host_reset();
    for (u32 step = 0; step < 20000; step++) {
        u64 bytes = seed_next(&seed, 4) ? seed_next(&seed, 6000) : seed_next(&seed, 2 * PIPE_BYTES);
        if (seed_next(&seed, 2)) {
            u64 n = copy_in_bytes(bytes);
            cr_assert_eq(n, MIN(bytes, pipe_room(&ring)));
            if (seed_next(&seed, 8)) /* else the copy had failed in the end: nothing is committed */
                pipe_written(&ring, n);
        } else {
            u64 n = copy_out_bytes(bytes);
            cr_assert_eq(n, MIN(bytes, pipe_used(&ring)));
            pipe_consumed(&ring, seed_next(&seed, 4) ? n : n / 2);
            check_pages();
        }
    }
    pipe_release(&ring);
    cr_assert_eq(frame_host_in_use(), 0);
}

Test(pipe, no_memory_is_an_error_and_loses_nothing) {
    char *to;
    frame_host_reset();
    cr_assert_eq(copy_in_bytes(100), 100);
    pipe_written(&ring, 100);
    frame_host_fail_after(0);
    cr_assert_gt(pipe_write_span(&ring, 0, 10, &to), 0); /* in the page that is there */
    cr_assert_eq(pipe_write_span(&ring, PAGE_BYTES - 100, 10, &to), -E_NOMEM);
    cr_assert_eq(copy_out_bytes(1000), 100);
    pipe_release(&ring);
}
