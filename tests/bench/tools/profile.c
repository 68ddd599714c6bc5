/* SPDX-License-Identifier: MIT */
/* Counts executed guest instructions by function. Reads QEMU's log of `-d exec,nochain -singlestep` from
 * standard input, one line an instruction, and counts between the first instruction at BEGIN and the next one
 * at END. Usage: profile BEGIN END NAME=SYMBOLS... with addresses in hexadecimal and SYMBOLS as `nm -n`
 * prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 65536

struct symbol {
    unsigned long address, count;
    char name[64];
    const char *image;
};
static struct symbol symbols[SYMBOLS_MAX];
static size_t symbols_count;

static void read_symbols(char *argument) {
    char *equals = strchr(argument, '=');
    if (!equals) {
        fprintf(stderr, "profile: NAME=FILE expected: %s\n", argument);
        exit(2);
    }
    *equals = 0;
    FILE *file = fopen(equals + 1, "r");
    if (!file) {
        perror(equals + 1);
        exit(2);
    }
    char line[512], kind;
    while (symbols_count < SYMBOLS_MAX && fgets(line, sizeof line, file)) {
        struct symbol *s = &symbols[symbols_count];
        if (sscanf(line, "%lx %c %63s", &s->address, &kind, s->name) != 3 || !strchr("tTwW", kind))
            continue;
        s->image = argument;
        symbols_count++;
    }
    fclose(file);
}

static int by_address(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}
static int by_count(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    return x->count > y->count ? -1 : x->count < y->count;
}

static struct symbol *symbol_at(unsigned long pc) {
    size_t low = 0, high = symbols_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (symbols[middle].address <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &symbols[low - 1] : NULL;
}

/* "Trace 0: 0x7f.. [flags/pc/...] ..." : the second field in the brackets. */
static int parse_pc(const char *line, unsigned long *pc) {
    const char *bracket = strchr(line, '[');
    const char *slash = bracket ? strchr(bracket, '/') : NULL;
    return slash && sscanf(slash + 1, "%lx", pc) == 1;
}

static unsigned long count_instructions(unsigned long begin, unsigned long end) {
    char line[512];
    unsigned long pc, total = 0;
    int counting = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "Trace", 5) != 0 || !parse_pc(line, &pc))
            continue;
        if (pc == begin)
            counting = 1;
        else if (pc == end && counting)
            break;
        struct symbol *s = counting ? symbol_at(pc) : NULL;
        total += counting;
        if (s)
            s->count++;
    }
    return total;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: profile BEGIN END NAME=SYMBOLS...\n");
        return 2;
    }
    for (int i = 3; i < argc; i++)
        read_symbols(argv[i]);
    qsort(symbols, symbols_count, sizeof symbols[0], by_address);
    unsigned long total = count_instructions(strtoul(argv[1], NULL, 16), strtoul(argv[2], NULL, 16));
    qsort(symbols, symbols_count, sizeof symbols[0], by_count);
    printf("%10lu instructions\n", total);
    for (size_t i = 0; i < symbols_count && symbols[i].count; i++)
        printf("%10lu  %-8s %s\n", symbols[i].count, symbols[i].image, symbols[i].name);
    return 0;
}
