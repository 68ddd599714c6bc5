/* SPDX-License-Identifier: MIT */
/* Random typing in canonical mode against a plain model of the line, and the echo against a terminal that has
 * one row: what the user sees is what the reader will get. */
#include "tty.h"

#include <abi/errors.h>
#include <criterion/criterion.h>
#include <model/seed.h>
#include <string.h>

enum { STEPS = 20000, LINE = 60, LINES = 40 };

/* Typed keys: characters of one and two columns, of two bytes, tabs, blanks, and every editing key. */
static const char *const keys[] = {"a",    "b",    "z",    " ",  "\t", "\001", "\303\251",
                                   "\177", "\025", "\027", "\n", "\r", "\004"};
enum { KEY_ERASE = 7, KEY_KILL, KEY_WORD, KEY_NEWLINE, KEY_RETURN, KEY_EOF };

struct line {
    const char *key[LINE];
    u32 n;
};

static struct fifo out;
static struct tty t;
static struct line line;
static char wanted[LINES][LINE * 2 + 2]; /* lines that the reader is to get, in order */
static u32 first, last;

static bool is_blank(const char *key) {
    return *key == ' ' || *key == '\t';
}

static void end_line(bool newline) {
    char *w = wanted[last++ % LINES];
    *w = 0;
    for (u32 i = 0; i < line.n; i++)
        strcat(w, line.key[i]);
    if (newline)
        strcat(w, "\n");
    line.n = 0;
}

static void model_key(u32 k) {
    switch (k) {
    case KEY_ERASE:
        line.n -= line.n > 0;
        break;
    case KEY_KILL:
        line.n = 0;
        break;
    case KEY_WORD:
        while (line.n && is_blank(line.key[line.n - 1]))
            line.n--;
        while (line.n && !is_blank(line.key[line.n - 1]))
            line.n--;
        break;
    case KEY_NEWLINE:
    case KEY_RETURN:
    case KEY_EOF:
        end_line(k != KEY_EOF);
        break;
    default:
        line.key[line.n++] = keys[k];
    }
}

/* The row of a terminal: cells of one character each. A new line clears it; an end of file leaves it as it
 * is. */
static char row[LINE * 16][3];
static u32 cursor, row_start;

static void show(void) {
    static char *cell;
    while (fifo_used(&out)) {
        char c = (char)fifo_get(&out);
        if (c == '\r') {
            cursor = 0;
        } else if (c == '\n') {
            memset(row, 0, sizeof row);
            row_start = 0;
        } else if (c == '\b') {
            cursor--;
        } else if (c == '\t') {
            cursor = (cursor / 8 + 1) * 8;
        } else if (((u8)c & 0xc0) == 0x80) {
            cell[1] = c;
        } else {
            cell = row[cursor++];
            cell[0] = c == ' ' ? 0 : c;
            cell[1] = 0;
        }
    }
}

/* Draws the model's line from row_start on and compares. */
static void check_row(void) {
    static char want[LINE * 16][3];
    u32 at = row_start;
    memcpy(want, row, sizeof want[0] * row_start);
    memset(want + row_start, 0, sizeof want - sizeof want[0] * row_start);
    for (u32 i = 0; i < line.n; i++) {
        const char *key = line.key[i];
        if (*key == '\t') {
            at = (at / 8 + 1) * 8;
        } else if (*key == '\001') {
            want[at++][0] = '^';
            want[at++][0] = 'A';
        } else {
            strcpy(want[at++], *key == ' ' ? "" : key);
        }
    }
    cr_assert_eq(cursor, at, "cursor at %u, not %u", cursor, at);
    cr_assert(memcmp(row, want, sizeof want) == 0);
}

static void read_one(u64 *seed) {
    char have[LINE * 2 + 2] = {0};
    cr_assert_eq(tty_readable(&t), first != last);
    if (first == last) {
        cr_assert_eq(tty_read(&t, have, sizeof have, 1), -E_AGAIN);
        return;
    }
    const char *w = wanted[first % LINES];
    u32 length = (u32)strlen(w), got = 0;
    do { /* in pieces; the last one takes an end of file along */
        u32 max = 1 + (u32)seed_next(seed, LINE * 2);
        err n = tty_read(&t, have + got, max, 1);
        cr_assert_eq(n, MIN(max, length - got));
        got += (u32)n;
    } while (got < length);
    cr_assert_str_eq(have, w);
    first++;
}

Test(random, typing) {
    u64 seed = seed_begin(31);
    tty_init(&t, &out);
    for (int i = 0; i < STEPS; i++) {
        u32 k = (u32)seed_next(&seed, ARRAY_LEN(keys));
        bool ends = k >= KEY_NEWLINE;
        if ((ends && (last - first == LINES || seed_next(&seed, 3))) || (k < KEY_ERASE && line.n == LINE))
            continue;
        bool prompt = ends && seed_next(&seed, 2);
        for (const char *c = keys[k]; *c; c++)
            tty_input(&t, (u8)*c, 1);
        show();
        model_key(k);
        if (k == KEY_EOF) { /* nothing is shown: the next line goes on in this row; start a new one instead */
            cr_assert_eq(tty_write(&t, "\n", 1), 1);
            show();
        }
        if (prompt) {
            cr_assert_eq(tty_write(&t, "sh$ ", 4), 4);
            show();
            row_start = cursor;
        }
        check_row();
        if (seed_next(&seed, 6) == 0)
            read_one(&seed);
    }
    cr_assert_gt(last, 300);
}
