/* SPDX-License-Identifier: MIT */
/* Prints the CTF metadata of a trace: events of <abi/trace.h>, messages by the names that the protocols
 * declare. Nothing in it is written by hand twice: a field that changes in include/ changes here, or this
 * does not compile. Usage: trace-metadata TSC_HZ. Field names begin with `_` (readers drop it) because TSDL
 * reserves common words. */
#include <abi/fault.h>
#include <abi/syscall.h>
#include <abi/trace.h>
#include <proto/ata.def>
#include <proto/cache.def>
#include <proto/console.def>
#include <proto/frame.def>
#include <proto/region.def>
#include <proto/slab.def>
#include <stdio.h>
#include <stdlib.h>

struct message {
    const char *name;
    unsigned label;
    const char *in[MSG_REG_WORDS + 1], *out[MSG_REG_WORDS + 1]; /* end with NULL */
};
#define NAME(t, n)                 #n,
#define MESSAGE(p, o, id, IN, OUT) {#p "_" #o, id, {IN(NAME) NULL}, {OUT(NAME) NULL}},
static const struct message messages[] = {
    {"FAULT", LABEL_FAULT, {"address", "info", "entry", "ip", "sp", "repeats", NULL}, {NULL}},
    {"EXCEPTION", LABEL_EXCEPTION, {"kind", "code", "address", "ip", "sp", "flags", NULL}, {NULL}},
    {"ALIEN",
     LABEL_ALIEN,
     {"rax", "rdi", "rsi", "rdx", NULL},
     {"rax", NULL}}, /* the number, and three arguments */
    FRAME_OPS(MESSAGE, MESSAGE) SLAB_OPS(MESSAGE, MESSAGE) REGION_OPS(MESSAGE, MESSAGE)
        CACHE_OPS(MESSAGE, MESSAGE) ATA_OPS(MESSAGE, MESSAGE) CONSOLE_OPS(MESSAGE, MESSAGE)};

static const struct message *message_of(unsigned label) {
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        if (messages[i].label == label)
            return &messages[i];
    return NULL;
}

/* Labels by name; the gaps are OTHER, else one unknown label would stop the reader. */
static void print_labels(void) {
    unsigned from = 0;
    printf("enum label_e : u16 {\n");
    for (unsigned label = 0; label < 0x10000; label++) {
        const struct message *m = message_of(label);
        if (!m)
            continue;
        if (from < label)
            printf("\tOTHER = %u ... %u,\n", from, label - 1);
        printf("\t%s = %u,\n", m->name, label);
        from = label + 1;
    }
    printf("\tOTHER = %u ... 65535\n};\n", from);
}

/* A struct of exactly n words, named as far as there are names. */
static void print_words(const char *const *names, unsigned n, const char *option) {
    printf("\t\tstruct {");
    for (unsigned i = 0; i < n; i++) {
        if (names && *names)
            printf(" x64 _%s;", *names++);
        else
            printf(" x64 _w%u;", i), names = NULL;
    }
    printf(" } %s;\n", option);
}

static void print_variant(unsigned n, bool reply) {
    printf("\tvariant <_label> {\n");
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        print_words(reply ? messages[i].out : messages[i].in, n, messages[i].name);
    print_words(NULL, n, "OTHER");
    printf("\t} _msg;\n");
}

static void begin_event(const char *name, unsigned id) {
    printf("event { name = \"%s\"; id = %u; stream_id = 0; fields := struct {\n", name, id);
}

static void plain_event(const char *name, unsigned id, const char *fields) {
    begin_event(name, id);
    printf("\t%s\n}; };\n", fields);
}

static void print_message_events(void) {
    static const char head[] = "\tu32 _endpoint; enum label_e _label; u16 _nwords; u64 _call;\n";
    begin_event("ipc_call", TRACE_IPC_CALL);
    printf("%s", head);
    print_variant(4, false);
    printf("}; };\n");
    begin_event("forward", TRACE_FORWARD);
    printf("%s", head);
    print_variant(4, false);
    printf("}; };\n");
    begin_event("ipc_reply", TRACE_IPC_REPLY);
    printf("\tu32 _to; enum label_e _label; u16 _nwords; u64 _call; i64 _status;\n");
    print_variant(3, true);
    printf("}; };\n");
    begin_event("ipc_recv", TRACE_IPC_RECV);
    printf("%s\tu64 _badge; u64 _tag; u64 _pad[2];\n}; };\n", head);
}

static void print_user_event(void) {
    unsigned from = 0;
    printf("enum user_e : u32 {\n");
#define U(name, number, a, b, c, d)                                                                          \
    if (from < (number))                                                                                     \
        printf("\tOTHER = %u ... %u,\n", from, (number)-1);                                                  \
    printf("\t" #name " = %u,\n", number);                                                                   \
    from = (number) + 1;
    TRACE_USERS(U)
#undef U
    printf("\tOTHER = %u ... 4294967295\n};\n", from);
    begin_event("user", TRACE_USER);
    printf("\tenum user_e _what; u32 _server; u64 _call;\n\tvariant <_what> {\n");
#define U(name, number, a, b, c, d) print_words((const char *const[]){#a, #b, #c, #d, NULL}, 4, #name);
    TRACE_USERS(U)
#undef U
    print_words(NULL, 4, "OTHER");
    printf("\t} _words;\n}; };\n");
}

static void print_kernel_events(void) {
    printf("enum access_e : u32 { READ = %d, WRITE = %d, EXEC = %d, OTHER = 3 ... 4294967295 };\n",
           ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC);
    plain_event("page_fault", TRACE_PAGE_FAULT,
                "x64 _address; x64 _ip; u32 _space; enum access_e _access; u64 _call; x64 _entry; x64 _sp;");
    plain_event("resume", TRACE_RESUME, "x64 _address; u64 _call; u32 _space; u32 _entered; u64 _pad[3];");
    plain_event("map", TRACE_MAP,
                "x64 _virt; x64 _frame; u32 _space; u32 _flags; u64 _pages; u64 _call; u64 _pad;");
    plain_event("unmap", TRACE_UNMAP,
                "x64 _virt; x64 _frame; u32 _space; u32 _flags; u64 _pages; u64 _call; u64 _pad;");
    plain_event("irq", TRACE_IRQ, "u32 _vector; u32 _line; u64 _count; u64 _pad[4];");
    plain_event("notify", TRACE_NOTIFY, "u32 _endpoint; u32 _pad0; x64 _bits; u64 _call; u64 _pad[3];");
    plain_event("thread_name", TRACE_THREAD_NAME, "u32 _subject; u32 _space; char8 _name[40];");
    plain_event("switch", TRACE_SWITCH, "u32 _to; u32 _space; u64 _pad[5];");
    plain_event("exception", TRACE_EXCEPTION,
                "u64 _kind; x64 _code; x64 _address; x64 _ip; u64 _call; x64 _sp;");
}

static void print_preamble(unsigned long hz) {
    static const unsigned sizes[] = {8, 16, 32, 64};
    printf("/* CTF 1.8 */\n");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        printf("typealias integer { size = %u; align = %u; signed = false; } := u%u;\n", sizes[i], sizes[i],
               sizes[i]);
    printf("typealias integer { size = 64; align = 64; signed = true; } := i64;\n"
           "typealias integer { size = 64; align = 64; signed = false; base = 16; } := x64;\n"
           "typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := char8;\n"
           "trace { major = 1; minor = 8; byte_order = le; packet.header := struct { u32 magic; u32 "
           "stream_id; }; };\n"
           "env { domain = \"kernel\"; tracer_name = \"quire\"; hostname = \"qemu\"; };\n"
           "clock { name = tsc; freq = %lu; offset_s = 0; offset = 0; absolute = false; };\n"
           "typealias integer { size = 64; align = 64; signed = false; map = clock.tsc.value; } := tsc_t;\n"
           "stream {\n\tid = 0;\n\tpacket.context := struct {\n"
           "\t\tu64 packet_size; u64 content_size; tsc_t timestamp_begin; tsc_t timestamp_end;\n"
           "\t\tu64 events_discarded; u64 packet_seq_num; u32 cpu_id; u32 abi;\n\t};\n"
           "\tevent.header := struct { tsc_t timestamp; u32 id; };\n\tevent.context := struct { u32 tid; "
           "};\n};\n",
           hz);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: trace-metadata TSC_HZ\n");
        return 2;
    }
    print_preamble(strtoul(argv[1], NULL, 10));
    print_labels();
    print_message_events();
    print_user_event();
    print_kernel_events();
    return 0;
}
