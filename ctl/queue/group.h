/* Messages or recipients counted by what they have in common: for `list --count --by` and `shape`. Runs in: postrider. */
#pragma once
#include "base/map.h"
#include "ctl/queue/filter.h"

enum { AGE_BUCKETS = 10 }; /* up to 5, 10, 20, … 1280 minutes, as qshape doubles, and older */

typedef struct group {
    str key;
    uint64_t count, bytes; /* recipients share the bytes of their message */
    uint64_t ages[AGE_BUCKETS];
} group;

/* What there is to group by. Of a recipient: each one that waits counts, else each message. */
typedef struct group_field {
    const char *name;
    bool is_of_recipient;
    str (*key)(const queue_entry *e, uint32_t recipient, arena *a);
} group_field;

const group_field *group_field_find(const char *name); /* NULL: there is none */
const char *group_field_names(void);                   /* for a message */

typedef struct grouping {
    const group_field *field;
    const queue_filter *filter;
    map by_key;
    arena keys;
    group total;
} grouping;

grouping grouping_begin(const group_field *field, const queue_filter *filter);
void grouping_add(void *context, const queue_entry *e);        /* a queue_entry_fn */
group **grouping_sorted(const grouping *g, size_t *out_count); /* the largest first; free() */
void grouping_free(grouping *g);
unsigned group_bucket_minutes(size_t bucket); /* 0: older than all */
