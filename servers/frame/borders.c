/* SPDX-License-Identifier: MIT */
#include "borders.h"

#include <string.h>

#include "zone.h"

static const char *word_of(const char *cmdline, const char *key) {
    size_t n = strlen(key);
    for (const char *at = cmdline; *at; at++)
        if ((at == cmdline || at[-1] == ' ') && !strncmp(at, key, n))
            return at + n;
    return NULL;
}

/* A size with its unit, in frames; moves *at behind it. 0: not a size. */
static u64 size_in_frames(const char **at) {
    u64 n = 0;
    for (; **at >= '0' && **at <= '9' && n < 1u << 20; (*at)++)
        n = n * 10 + (u64)(**at - '0');
    u32 shift = **at == 'K' ? 10 : **at == 'M' ? 20 : **at == 'G' ? 30 : 0;
    if (!shift)
        return 0;
    (*at)++;
    n <<= shift;
    return n % (ZONE_ALIGN * PAGE_BYTES) ? 0 : n >> PAGE_SHIFT;
}

static bool parse_part(const char **at, u64 *dma, u64 *normal) {
    u64 *to = NULL;
    if (!strncmp(*at, "dma:", 4)) {
        to = dma;
        *at += 4;
    } else if (!strncmp(*at, "normal:", 7)) {
        to = normal;
        *at += 7;
    }
    u64 size = to ? size_in_frames(at) : 0;
    if (!size)
        return false;
    *to = size;
    return true;
}

bool borders_parse(const char *cmdline, u32 *dma_end, u32 *normal_end) {
    const char *at = word_of(cmdline, "zones=");
    u64 dma = *dma_end, normal = *normal_end;
    if (!at)
        return true;
    while (parse_part(&at, &dma, &normal)) {
        if (*at == ',') {
            at++;
            continue;
        }
        if ((*at && *at != ' ') || dma > normal || normal >> 31)
            return false;
        *dma_end = (u32)dma;
        *normal_end = (u32)normal;
        return true;
    }
    return false;
}
