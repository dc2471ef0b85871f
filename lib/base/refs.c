#include "base/refs.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

/* A slot rests until so many others are free, or a table of few items would use up its numbers in no time. */
enum { REST_SLOTS = 64 };
#define SLOT_OF(ref) ((ref) & (REFS_MAX - 1))

static uint32_t slot_new(refs *r)
{
    if (r->n == REFS_MAX)
        _exit(EXIT_OUT_OF_MEMORY);
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : REST_SLOTS;
        r->slots = memory_resize(r->slots, r->capacity, sizeof *r->slots);
    }
    r->slots[r->n] = (refs_slot){ .ref = (uint32_t)r->n };
    return (uint32_t)r->n++;
}

static uint32_t slot_again(refs *r)
{
    uint32_t slot = r->free_first;
    r->free_first = r->slots[slot].next_free;
    r->free_count--;
    return slot;
}

uint32_t refs_put(refs *r, void *item)
{
    assert(item);
    uint32_t slot = r->free_count > REST_SLOTS ? slot_again(r) : slot_new(r);
    refs_slot *s = &r->slots[slot];
    s->item = item;
    s->ref += REFS_MAX; /* the upper bits count how often the slot was used */
    return s->ref;
}

void *refs_get(const refs *r, uint32_t ref)
{
    uint32_t slot = SLOT_OF(ref);
    return slot < r->n && r->slots[slot].ref == ref ? r->slots[slot].item : NULL;
}

void *refs_take(refs *r, uint32_t ref)
{
    void *item = refs_get(r, ref);
    uint32_t slot = SLOT_OF(ref);
    if (item == NULL)
        return NULL;
    r->slots[slot].item = NULL;
    if (r->free_count++ == 0)
        r->free_first = slot;
    else
        r->slots[r->free_last].next_free = slot;
    r->free_last = slot;
    return item;
}

void *refs_next(const refs *r, size_t *cursor)
{
    while (*cursor < r->n) {
        void *item = r->slots[(*cursor)++].item;
        if (item)
            return item;
    }
    return NULL;
}

void refs_free(refs *r)
{
    free(r->slots);
    *r = (refs){ 0 };
}
