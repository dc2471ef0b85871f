/* Hash table from bytes to a pointer, keyed with random bits, so that no peer can choose collisions.
 * The map owns copies of the keys, not the values. */
#pragma once
#include "base/str.h"

typedef struct map_entry {
    str key;
    void *value;
    uint64_t hash;
} map_entry;

typedef struct map {
    map_entry *entries; /* open addressing; key.p NULL: free */
    size_t n, capacity;
    uint64_t seed[2];
} map;

void *map_get(const map *m, str key);              /* NULL: not there */
void *map_put(map *m, str key, void *value);       /* returns the value that stood there, or NULL; value is not NULL */
void *map_remove(map *m, str key);                 /* returns the value that stood there, or NULL */
bool map_next(const map *m, size_t *cursor, map_entry *out); /* *cursor starts at 0; any order; no change meanwhile */
void map_free(map *m);                             /* frees the keys, not the values */

/* SipHash-1-3 of the bytes under a random key of this process. */
uint64_t hash_bytes(const uint64_t seed[2], str bytes);
