#include "base/map.h"
#include "base/memory.h"
#include <stdlib.h>
#include <sys/random.h>

#define ROTATE(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[2] = ROTATE(v[2], 32);
}

uint64_t hash_bytes(const uint64_t seed[2], str s)
{
    uint64_t v[4] = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
                      seed[1] ^ 0x7465646279746573 };
    size_t whole = s.n & ~(size_t)7;
    uint64_t word;
    for (size_t i = 0; i < whole; i += 8) {
        memcpy(&word, s.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)s.n << 56;
    for (size_t i = whole; i < s.n; i++)
        word |= (uint64_t)(unsigned char)s.p[i] << (8 * (i - whole));
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The entry that holds key, or the free one where it would go. */
static map_entry *entry_find(const map *m, str key, uint64_t hash)
{
    size_t at = hash & (m->capacity - 1);
    while (m->entries[at].key.p && !(m->entries[at].hash == hash && str_equal(m->entries[at].key, key)))
        at = (at + 1) & (m->capacity - 1);
    return &m->entries[at];
}

/* Asks the kernel once a process: short-lived maps are many. What one map's order tells says nothing of the next's seed. */
static void seed_take(uint64_t out[2])
{
    static uint64_t secret[2], count;
    if (count == 0 && getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        secret[0] = (uintptr_t)out; /* never on Linux after boot */
    for (int i = 0; i < 2; i++) {
        count++;
        out[i] = hash_bytes(secret, (str){ (const char *)&count, sizeof count });
    }
}

static void grow(map *m)
{
    map old = *m;
    if (old.capacity == 0)
        seed_take(m->seed);
    m->capacity = old.capacity ? old.capacity * 2 : 16;
    m->entries = memory_get(m->capacity * sizeof *m->entries);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].key.p)
            *entry_find(m, old.entries[i].key, old.entries[i].hash) = old.entries[i];
    free(old.entries);
}

void *map_get(const map *m, str key)
{
    if (m->n == 0)
        return NULL;
    map_entry *e = entry_find(m, key, hash_bytes(m->seed, key));
    return e->key.p ? e->value : NULL;
}

void *map_put(map *m, str key, void *value)
{
    if (m->n * 4 >= m->capacity * 3)
        grow(m);
    uint64_t hash = hash_bytes(m->seed, key);
    map_entry *e = entry_find(m, key, hash);
    void *old = e->key.p ? e->value : NULL;
    if (e->key.p == NULL) {
        char *copy = memory_get(key.n + 1);
        if (key.n)
            memcpy(copy, key.p, key.n);
        *e = (map_entry){ .key = { copy, key.n }, .hash = hash };
        m->n++;
    }
    e->value = value;
    return old;
}

void *map_remove(map *m, str key)
{
    if (m->n == 0)
        return NULL;
    map_entry *e = entry_find(m, key, hash_bytes(m->seed, key));
    if (e->key.p == NULL)
        return NULL;
    void *old = e->value;
    free((char *)(uintptr_t)e->key.p);
    m->n--;
    /* Close the gap: move back whatever would not be found across it. */
    size_t gap = (size_t)(e - m->entries), at = gap;
    for (;;) {
        at = (at + 1) & (m->capacity - 1);
        map_entry *next = &m->entries[at];
        if (next->key.p == NULL)
            break;
        size_t home = next->hash & (m->capacity - 1);
        if (((at - home) & (m->capacity - 1)) >= ((at - gap) & (m->capacity - 1))) {
            m->entries[gap] = *next;
            gap = at;
        }
    }
    m->entries[gap] = (map_entry){ 0 };
    return old;
}

bool map_next(const map *m, size_t *cursor, map_entry *out)
{
    while (*cursor < m->capacity) {
        map_entry *e = &m->entries[(*cursor)++];
        if (e->key.p) {
            *out = *e;
            return true;
        }
    }
    return false;
}

void map_free(map *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        free((char *)(uintptr_t)m->entries[i].key.p);
    free(m->entries);
    *m = (map){ 0 };
}
