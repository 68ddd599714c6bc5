/* SPDX-License-Identifier: MIT */
/* Prints docs/capabilities.md from root's table (servers/root/wiring.c). */
#include "wiring.h"
#include <stdio.h>

static void print_names(u32 set) {
    const char *between = "";
    for (u32 id = SRV_ROOT; id < SRV_COUNT; id++)
        if (set >> id & 1) {
            printf("%s%s", between, wirings[id].name);
            between = ", ";
        }
    printf(set ? " | " : "- | ");
}

int main(void) {
    printf(
        "<!-- Made by `make docs` from servers/root/wiring.c; do not edit. -->\n"
        "# Who holds which capabilities\n\n"
        "root gives each server its own capability table, space, first thread, account and endpoint, frame's "
        "account (to\n"
        "give frames back) and the right to write trace events, and maps in each a page that frame can read: "
        "its "
        "magazines of\n"
        "frames. Beside these it has only what stands here. "
        "*windows*: a permit to\n"
        "map frames of its own into the slab window of that server's space (cache: into the window of the "
        "disk "
        "ring).\n\n"
        "| server | priority | calls | notifies | gives frames to | windows | copies from | irqs, ports |\n"
        "|---|---|---|---|---|---|---|---|\n");
    for (u32 id = SRV_FRAME; id < SRV_COUNT; id++) {
        const struct wiring *w = &wirings[id];
        printf("| %s | %d | ", w->name, w->priority);
        print_names(w->calls);
        print_names(w->notifies);
        print_names(w->accounts);
        print_names(w->windows);
        print_names(w->copies);
        printf("%s |\n", w->irqs ? "yes" : "-");
    }
    return 0;
}
