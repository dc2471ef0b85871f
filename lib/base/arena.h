/* Memory that is given back all at once. Arenas are named by lifetime: process, session, transaction, command.
 * `max` is a soft limit: an allocation past it succeeds and sets `is_over`; the session's loop closes that session. */
#pragma once
#include "base/str.h"

typedef struct arena_chunk arena_chunk;

typedef struct arena {
    arena_chunk *chunks;
    size_t used, max;
    bool is_over;
} arena;

static inline arena arena_new(size_t max)
{
    return (arena){ .max = max };
}

void *arena_get(arena *a, size_t bytes); /* zeroed, aligned for any type */
void *arena_array(arena *a, size_t count, size_t size); /* the same; a product too large ends the process */
str arena_copy(arena *a, str s);         /* ends in a NUL that n does not count */
const char *arena_c(arena *a, str s);    /* the same, as a C string */
str arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_clear(arena *a);              /* gives everything back but one small chunk */
void arena_free(arena *a);

#define ARENA_NEW(a, type) ((type *)arena_get((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))
