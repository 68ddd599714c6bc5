/* SPDX-License-Identifier: MIT */
/* malloc, realloc, calloc and free in a seeded random order; every block keeps its own bytes. */
#include "check.h"

#define BLOCKS 400
#define STEPS  20000

struct block {
    unsigned char *at;
    size_t length;
    unsigned char fill;
};

static size_t some_length(uint64_t *seed) {
    uint64_t r = next_random(seed);
    return r % 50 == 0 ? r % 400000 : r % 10 == 0 ? r % 9000 : r % 300;
}

static void check_block(const struct block *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        CHECK(b->at[i] == b->fill);
}

static void step(struct block *b, uint64_t *seed) {
    size_t length = some_length(seed);
    uint64_t kind = next_random(seed) % 4;
    check_block(b, b->length);
    if (b->at != NULL && kind == 0) {
        size_t kept = length < b->length ? length : b->length;
        b->at = realloc(b->at, length + 1);
        CHECK(b->at != NULL);
        check_block(b, kept);
    } else {
        free(b->at);
        b->at = kind == 1 ? calloc(1, length + 1) : malloc(length + 1);
        CHECK(b->at != NULL);
        for (size_t i = 0; kind == 1 && i < length; i++)
            CHECK(b->at[i] == 0);
    }
    b->length = length;
    b->fill = (unsigned char)next_random(seed);
    memset(b->at, b->fill, length);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) | 1 : 20231;
    static struct block blocks[BLOCKS];
    saying("malloc: random blocks keep their bytes");
    for (int i = 0; i < STEPS; i++)
        step(&blocks[next_random(&seed) % BLOCKS], &seed);
    for (int i = 0; i < BLOCKS; i++) {
        check_block(&blocks[i], blocks[i].length);
        free(blocks[i].at);
    }
    saying("malloc: 16 MiB, first and last byte");
    unsigned char *large = malloc(16 << 20);
    CHECK(large != NULL);
    large[0] = large[(16 << 20) - 1] = 1;
    free(large);
    saying("malloc: ok");
    return 0;
}
