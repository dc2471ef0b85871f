/* A queue that is served by two rules in turn: the oldest first, and who has the least left first. So what is small never waits
 * for all of what is large, and what is large never waits for ever. Runs in: qmgr. Items are embedded in their owners, which take
 * them out before they go; no memory, no I/O. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAIR_CLASSES = 8 }; /* of what is left: 0-1, 2-7, 8-63, …: eight times as much each */

typedef struct fair_link {
    struct fair_link *before, *after;
} fair_link;

typedef struct fair_item {
    fair_link by_age, by_size;
    unsigned class;
    bool is_in;
} fair_item;

typedef struct fair {
    fair_link by_age, by_size[FAIR_CLASSES];
    bool is_size_next;
} fair;

void fair_open(fair *f); /* empty */
bool fair_is_empty(const fair *f);

/* At the end by age. One that is in already only changes its class. */
void fair_put(fair *f, fair_item *i, unsigned class);
void fair_take(fair_item *i); /* out; nothing happens when it is not in */

fair_item *fair_last(const fair *f); /* the youngest; not of an empty queue */

fair_item *fair_next(fair *f); /* whose turn it is; it stays in. NULL: empty */

unsigned fair_class(uint64_t left);
unsigned fair_least(const fair *f); /* the lowest class that is in; FAIR_CLASSES: empty */

#define FAIR_OWNER(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))
