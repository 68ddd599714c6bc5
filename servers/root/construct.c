/* SPDX-License-Identifier: MIT */
/* Making a server: its objects out of root's frames, its image out of its boot module, its capabilities out
 * of wiring.c. */
#include "image.h"
#include "root.h"
#include <ipc/assert.h>
#include <ipc/fmt.h>
#include <ipc/server.h>
#include <ipc/sys.h>
#include <string.h>

#define FIRST_TABLES 8

static void must(err e, const char *what, enum server_id id) {
    static char text[80];
    if (e >= 0)
        return;
    fmt_snprintf(text, sizeof text, "starting %s: %s", wirings[id].name, what);
    fail(text, e);
}

static void make_object(enum server_id id, u32 slot, enum frame_kind kind, u64 frames) {
    must(sys_retype(pool_take(frames), frames, kind, slot), "making an object", id);
}

static void make_space(enum server_id id) {
    u32 space = ROOT_SLOT(id, OF_SPACE);
    make_object(id, space, KIND_SPACE, 1);
    for (u32 i = 0; i < FIRST_TABLES; i++)
        ipc_area()[i] = pool_take(1);
    must(sys_feed(space, FIRST_TABLES), "its table pool", id);
}

static const u8 zeroes[PAGE_BYTES];

static void set_page(enum server_id id, pfn frame, const u8 *source) {
    struct pair p = sys_copy(COPY_FRAMES, frame * PAGE_BYTES, SLOT_SPACE, (u64)source, PAGE_BYTES);
    must(p.r == PAGE_BYTES ? 0 : -E_FAULT, "filling a page of it", id);
}

/* One page of a segment: the file's bytes and zeroes around them. */
static void fill_page(enum server_id id, pfn frame, const u8 *file, const struct elf_segment *s, vaddr page) {
    static u8 bytes[PAGE_BYTES];
    const u8 *source = zeroes;
    vaddr lo = MAX(page, s->first), hi = MIN(page + PAGE_BYTES, s->first + s->file_bytes);
    if (lo < hi && hi - lo == PAGE_BYTES) {
        source = file + s->offset + (lo - s->first);
    } else if (lo < hi) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes + (lo - page), file + s->offset + (lo - s->first), hi - lo);
        source = bytes;
    }
    set_page(id, frame, source);
}

static void load_segment(enum server_id id, const u8 *file, const struct elf_segment *s) {
    vaddr begin = s->first & ~PAGE_MASK;
    u64 pages = ROUND_UP(s->first + s->memory_bytes - begin, PAGE_BYTES) / PAGE_BYTES;
    pfn frames = pool_take(pages);
    for (u64 i = 0; i < pages; i++)
        fill_page(id, frames + i, file, s, begin + i * PAGE_BYTES);
    map_own(begin, frames, pages, s->rights, ROOT_SLOT(id, OF_SPACE));
}

/* Of the file only what is loaded is mapped: most of it is for debuggers. */
static vaddr load_image(enum server_id id) {
    const struct info_module *m = find_module(wirings[id].name);
    struct elf_image image;
    if (!m)
        must(-E_NOENT, "no boot module", id);
    vaddr file = OWN_WINDOW + m->first * PAGE_BYTES;
    map_own(file, m->first, 1, MAP_READ, SLOT_SPACE);
    must(elf_parse((const void *)file, MIN(m->bytes, PAGE_BYTES), m->bytes, IMAGE_BASE(id),
                   IMAGE_BASE(id + 1), &image),
         "its image", id);
    u64 pages = MAX(ROUND_UP(elf_end(&image), PAGE_BYTES) / PAGE_BYTES, 1);
    map_own(file + PAGE_BYTES, m->first + 1, pages - 1, MAP_READ, SLOT_SPACE);
    for (u32 i = 0; i < image.segments; i++)
        load_segment(id, (const u8 *)file, &image.segment[i]);
    unmap_own(file, pages);
    return image.entry;
}

static void make_thread(enum server_id id, vaddr entry) {
    u32 space = ROOT_SLOT(id, OF_SPACE), thread = ROOT_SLOT(id, OF_THREAD);
    struct user_regs regs = {.rip = entry,
                             .rsp = STACK_BASE + STACK_STRIDE,
                             .rdi = id,
                             .rsi = wirings[id].priority,
                             .rdx = wirings[id].table_frames * CAPS_PER_FRAME,
                             .rflags = 0x202};
    pfn message = pool_take(1);
    map_own(STACK_BASE + STACK_STRIDE - STACK_PAGES * PAGE_BYTES, pool_take(STACK_PAGES), STACK_PAGES,
            MAP_READ | MAP_WRITE, space);
    map_own(MSG_BASE, message, 1, MAP_READ | MAP_WRITE, space);
    map_own(INFO_PAGE, info_frame(), 1, MAP_READ, space);
    make_object(id, thread, KIND_THREAD, 1);
    must(sys_thread_bind(thread, space, 0, message, wirings[id].priority, 0), "binding its thread", id);
    memcpy(ipc_area(), &regs, sizeof regs);
    must(sys_regs_write(thread, REGS_GENERAL), "its registers", id);
    fmt_snprintf((char *)ipc_area(), 40, "%s", wirings[id].name);
    must(sys_trace_name(thread), "naming its thread", id);
}

static void make_account(enum server_id id) {
    u32 slot = ROOT_SLOT(id, OF_ACCOUNT);
    if (id == SRV_FRAME)
        must(sys_cap_copy(BOOT_TABLE, slot, BOOT_FRAME_ACCT, RIGHT_ALL, 0), "its account", id);
    else
        must(sys_account_open(BOOT_ACCOUNT, slot), "its account", id);
}

/* The parts of a server's space that other servers may map their frames into: slabs, and ata's ring. */
static void make_windows(enum server_id id) {
    u32 space = ROOT_SLOT(id, OF_SPACE);
    u64 slab_pages = (SLAB_WINDOW_END - SLAB_WINDOW) / PAGE_BYTES;
    must(sys_permit(space, SLAB_WINDOW, slab_pages, MAP_READ | MAP_WRITE, ROOT_SLOT(id, OF_WINDOW)),
         "a permit on its slab window", id);
    if (id == SRV_ATA)
        must(sys_permit(space, ATA_RING_WINDOW, ATA_RING_PAGES, MAP_READ | MAP_WRITE, RING_PERMIT),
             "a permit on its ring", id);
}

/* Its magazines of frames: a page that it writes and frame reads. */
static void make_magazines(enum server_id id) {
    pfn page = pool_take(1);
    set_page(id, page, zeroes);
    map_own(MAGAZINES_PAGE, page, 1, MAP_READ | MAP_WRITE, ROOT_SLOT(id, OF_SPACE));
    map_own(CLIENT_MAGAZINES(id), page, 1, MAP_READ, ROOT_SLOT(SRV_FRAME, OF_SPACE));
}

/* The account decides how mappings are counted, so it is bound before the first one. */
static void bind_space(enum server_id id) {
    u32 crash = SLOT_FREE; /* root's own endpoint with this server's number as badge, only for the binding */
    must(sys_cap_copy(BOOT_TABLE, crash, SLOT_ENDPOINT, RIGHT_ALL, id), "its crash endpoint", id);
    must(sys_space_bind(ROOT_SLOT(id, OF_SPACE), crash, SLOT_NULL, crash, ROOT_SLOT(id, OF_ACCOUNT),
                        ROOT_SLOT(id, OF_TABLE), 0),
         "binding its space", id);
    must(sys_cap_drop(BOOT_TABLE, crash), "its crash endpoint", id);
}

void construct_server(enum server_id id) {
    make_space(id);
    make_object(id, ROOT_SLOT(id, OF_ENDPOINT), KIND_ENDPOINT, 1);
    make_object(id, ROOT_SLOT(id, OF_TABLE), KIND_CAPTABLE, wirings[id].table_frames);
    make_account(id);
    bind_space(id);
    make_windows(id);
    make_magazines(id);
    make_thread(id, load_image(id));
}

static void grant(enum server_id id, u32 slot, u32 from, u64 rights, u64 badge) {
    must(sys_cap_copy(ROOT_SLOT(id, OF_TABLE), slot, from, rights, badge), "a capability", id);
}

static void grant_own(enum server_id id) {
    const struct wiring *w = &wirings[id];
    grant(id, SLOT_TABLE, ROOT_SLOT(id, OF_TABLE), RIGHT_CONTROL, 0);
    grant(id, SLOT_SPACE, ROOT_SLOT(id, OF_SPACE), RIGHT_MAP | RIGHT_FEED | RIGHT_COPY | RIGHT_CONTROL, 0);
    grant(id, SLOT_THREAD, ROOT_SLOT(id, OF_THREAD), RIGHT_CONTROL, 0);
    grant(id, SLOT_ACCOUNT, ROOT_SLOT(id, OF_ACCOUNT), RIGHT_CONTROL, 0);
    grant(id, SLOT_ENDPOINT, ROOT_SLOT(id, OF_ENDPOINT), RIGHT_CALL | RIGHT_RECV | RIGHT_NOTIFY, 0);
    grant(id, SLOT_FRAME_ACCT, ROOT_SLOT(SRV_FRAME, OF_ACCOUNT), 0, 0);
    if (w->irqs)
        grant(id, SLOT_IRQ, BOOT_IRQ, RIGHT_ALL, 0);
    if (w->ports)
        grant(id, SLOT_IOPORT, BOOT_IOPORT, RIGHT_ALL, 0);
}

/* Slots of another server's objects in root's table; root's own are where every server has its own. */
static u32 endpoint_of(u32 id) {
    return id == SRV_ROOT ? SLOT_ENDPOINT : ROOT_SLOT(id, OF_ENDPOINT);
}
static u32 account_of(u32 id) {
    return id == SRV_ROOT ? BOOT_ACCOUNT : ROOT_SLOT(id, OF_ACCOUNT);
}

/* What a server maps into: slab slabs, any other the ring. */
static u32 window_for(u32 id, u32 other) {
    return id == SRV_SLAB ? ROOT_SLOT(other, OF_WINDOW) : RING_PERMIT;
}

void wire_server(enum server_id id) {
    const struct wiring *w = &wirings[id];
    grant_own(id);
    for (u32 other = SRV_ROOT; other < SRV_COUNT; other++) {
        u32 bit = 1u << other;
        if ((w->calls | w->notifies) & bit)
            grant(id, SERVICE(other), endpoint_of(other),
                  w->calls & bit ? RIGHT_CALL | RIGHT_NOTIFY : RIGHT_NOTIFY, id);
        if (w->accounts & bit)
            grant(id, CLIENT_ACCT(other), account_of(other), 0, 0);
        if (w->windows & bit)
            grant(id, WINDOW(other), window_for(id, other), RIGHT_MAP | RIGHT_FEED, 0);
        if (w->copies & bit)
            grant(id, WINDOW(other), ROOT_SLOT(other, OF_SPACE), RIGHT_COPY, 0);
    }
}

void start_server(enum server_id id) {
    must(sys_start(ROOT_SLOT(id, OF_THREAD)), "its first thread", id);
}
