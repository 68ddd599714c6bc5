/* SPDX-License-Identifier: MIT */
/* The formatter: musl's own uses vector registers, which servers do not have. */
#include <ipc/fmt.h>
#include <string.h>

struct out {
    char *to;
    size_t room, length;
};

struct spec {
    bool left, zero, plus, alternate;
    i32 width, precision; /* precision < 0: none */
    u32 longs;
};

static void put(struct out *o, char c) {
    if (o->length + 1 < o->room)
        o->to[o->length] = c;
    o->length++;
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t n, size_t prefix) {
    size_t pad = s->width > 0 && (size_t)s->width > n ? (size_t)s->width - n : 0;
    if (!s->left && !s->zero)
        for (size_t i = 0; i < pad; i++)
            put(o, ' ');
    for (size_t i = 0; i < prefix; i++)
        put(o, text[i]);
    if (!s->left && s->zero)
        for (size_t i = 0; i < pad; i++)
            put(o, '0');
    for (size_t i = prefix; i < n; i++)
        put(o, text[i]);
    if (s->left)
        for (size_t i = 0; i < pad; i++)
            put(o, ' ');
}

static void put_number(struct out *o, struct spec *s, u64 value, u32 base, const char *digits,
                       const char *sign) {
    char text[80], reversed[64];
    size_t n = 0, length = 0, prefix = strlen(sign);
    memcpy(text, sign, prefix);
    length = prefix;
    do {
        reversed[n++] = digits[value % base];
        value /= base;
    } while (value);
    if (s->precision >= 0)
        s->zero = false;
    while (s->precision > (i32)n && n < sizeof reversed)
        reversed[n++] = '0';
    while (n)
        text[length++] = reversed[--n];
    put_padded(o, s, text, length, prefix);
}

static const char *parse_spec(const char *f, struct spec *s, va_list *args) {
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '+')
            s->plus = true;
        else if (*f == '#')
            s->alternate = true;
        else
            break;
    }
    if (*f == '*') {
        s->width = va_arg(*args, int);
        f++;
    } else {
        for (; *f >= '0' && *f <= '9'; f++)
            s->width = s->width * 10 + (*f - '0');
    }
    if (*f == '.') {
        s->precision = 0;
        if (*++f == '*') {
            s->precision = va_arg(*args, int);
            f++;
        } else {
            for (; *f >= '0' && *f <= '9'; f++)
                s->precision = s->precision * 10 + (*f - '0');
        }
    }
    for (; *f == 'l' || *f == 'z'; f++)
        s->longs++;
    return f;
}

static void put_signed(struct out *o, struct spec *s, i64 value) {
    const char *sign = value < 0 ? "-" : s->plus ? "+" : "";
    put_number(o, s, value < 0 ? 0 - (u64)value : (u64)value, 10, "0123456789", sign);
}

static void put_string(struct out *o, struct spec *s, const char *text) {
    size_t n = 0;
    text = text ? text : "(null)";
    while ((s->precision < 0 || n < (size_t)s->precision) && text[n])
        n++;
    s->zero = false;
    put_padded(o, s, text, n, 0);
}

/* va_list by pointer: on x86-64 it is an array type, and parse_spec must advance the caller's. */
struct arguments {
    va_list list;
};

static void put_one(struct out *o, char kind, struct spec *s, struct arguments *a) {
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    char c;
    u64 value = 0;
    if (kind == 'u' || kind == 'x' || kind == 'X' || kind == 'o')
        value = s->longs ? va_arg(a->list, unsigned long) : va_arg(a->list, unsigned);
    switch (kind) {
    case 'd':
    case 'i':
        put_signed(o, s, s->longs ? va_arg(a->list, long) : va_arg(a->list, int));
        break;
    case 'u':
        put_number(o, s, value, 10, lower, "");
        break;
    case 'o':
        put_number(o, s, value, 8, lower, "");
        break;
    case 'x':
        put_number(o, s, value, 16, lower, s->alternate && value ? "0x" : "");
        break;
    case 'X':
        put_number(o, s, value, 16, upper, s->alternate && value ? "0X" : "");
        break;
    case 'p':
        put_number(o, s, (u64)va_arg(a->list, void *), 16, lower, "0x");
        break;
    case 'c':
        c = (char)va_arg(a->list, int);
        put_padded(o, s, &c, 1, 0);
        break;
    case 's':
        put_string(o, s, va_arg(a->list, const char *));
        break;
    default:
        put(o, kind);
    }
}

size_t fmt_vsnprintf(char *to, size_t n, const char *format, va_list args) {
    struct out o = {to, n, 0};
    struct arguments a;
    va_copy(a.list, args);
    for (; *format; format++) {
        if (*format != '%') {
            put(&o, *format);
            continue;
        }
        struct spec s = {.precision = -1};
        format = parse_spec(format + 1, &s, &a.list);
        if (!*format)
            break;
        put_one(&o, *format, &s, &a);
    }
    va_end(a.list);
    if (n)
        to[MIN(o.length, n - 1)] = 0;
    return o.length;
}

size_t fmt_snprintf(char *to, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t length = fmt_vsnprintf(to, n, format, args);
    va_end(args);
    return length;
}
