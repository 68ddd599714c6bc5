/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists through a link in the element: run queues, waiting senders and receivers,
 * deadlines. A head is a link too; an element that is on no list points to itself. */
#pragma once

#include <abi/types.h>

struct link {
    struct link *next, *prev;
};

static inline void link_init(struct link *l) {
    l->next = l->prev = l;
}
static inline bool link_empty(const struct link *head) {
    return head->next == head;
}

static inline void link_between(struct link *l, struct link *prev, struct link *next) {
    l->prev = prev;
    l->next = next;
    prev->next = l;
    next->prev = l;
}
static inline void link_push_head(struct link *head, struct link *l) {
    link_between(l, head, head->next);
}
static inline void link_push_tail(struct link *head, struct link *l) {
    link_between(l, head->prev, head);
}

/* Take an element off the list that it is on. */
static inline void link_unlink(struct link *l) {
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

/* The same; nothing happens if it is on none. */
static inline void link_remove(struct link *l) {
    link_unlink(l);
    link_init(l);
}
