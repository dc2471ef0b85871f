/* The message that a report is about, read through its descriptor in pieces. Runs in: bounce. Memory is bounded whatever its size. */
#pragma once
#include "base/arena.h"
#include "base/fault.h"

typedef struct original {
    int fd; /* the caller's */
    uint64_t offset, bytes;
    bool is_whole; /* else its header alone, of at most `limit` octets */
    uint64_t limit;
} original;

typedef struct original_facts {
    bool is_8bit;      /* what is returned has bytes above 127 */
    bool has_boundary; /* ... or the boundary */
} original_facts;

/* Gives what is returned of it to `take`, in pieces. Stops at its first fault. */
typedef fault original_take(void *context, str piece);
fault original_read(const original *o, original_take *take, void *context);

fault original_look(const original *o, str boundary, original_facts *out);

/* Its Message-ID as it may be referred to; empty: none. Lives in `mem`. */
fault original_message_id(const original *o, arena *mem, str *out);
