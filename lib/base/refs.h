/* Numbers for what is open: a question, a delivery. Who puts an item in gets the number by which its answer finds it. A number
 * is not given again for a long time, so an answer that comes late, or twice, finds nothing instead of somebody else's item.
 * The holder owns the items. More than REFS_MAX items at once end the process as a lack of memory does. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { REFS_SLOT_BITS = 22, REFS_MAX = 1 << REFS_SLOT_BITS };

typedef struct refs_slot {
    void *item; /* NULL: free */
    uint32_t ref;
    uint32_t next_free;
} refs_slot;

typedef struct refs { /* zeroed: empty */
    refs_slot *slots;
    size_t n, capacity; /* slots in use or free */
    size_t free_count;
    uint32_t free_first, free_last;
} refs;

uint32_t refs_put(refs *r, void *item);       /* item is not NULL */
void *refs_get(const refs *r, uint32_t ref);  /* NULL: not there (any more) */
void *refs_take(refs *r, uint32_t ref);       /* the same, and out of the table */
void *refs_next(const refs *r, size_t *cursor); /* *cursor starts at 0; NULL: the end; items may come and go meanwhile */
void refs_free(refs *r);                      /* not the items */
