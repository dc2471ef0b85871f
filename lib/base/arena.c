#include "base/arena.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 1000, CHUNK_BYTES_MAX = 64 * 1024 };

struct arena_chunk {
    arena_chunk *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

static arena_chunk *chunk_add(arena *a, size_t bytes)
{
    size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_BYTES;
    if (size > CHUNK_BYTES_MAX)
        size = CHUNK_BYTES_MAX;
    if (size < bytes)
        size = bytes;
    arena_chunk *c = memory_resize(NULL, 1, size > SIZE_MAX - sizeof *c ? SIZE_MAX : sizeof *c + size);
    *c = (arena_chunk){ .next = a->chunks, .size = size };
    a->chunks = c;
    return c;
}

void *arena_get(arena *a, size_t bytes)
{
    size_t align = _Alignof(max_align_t);
    size_t rounded = (bytes + align - 1) & ~(align - 1);
    arena_chunk *c = a->chunks;
    if (rounded < bytes || c == NULL || rounded > c->size - c->used)
        c = chunk_add(a, rounded < bytes ? SIZE_MAX : rounded);
    void *p = c->bytes + c->used;
    c->used += rounded;
    a->used += rounded;
    a->is_over = a->is_over || (a->max && a->used > a->max);
    return memset(p, 0, bytes);
}

void *arena_array(arena *a, size_t count, size_t size)
{
    size_t bytes;
    return arena_get(a, __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes);
}

str arena_copy(arena *a, str s)
{
    char *p = arena_get(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (str){ p, s.n };
}

const char *arena_c(arena *a, str s)
{
    return arena_copy(a, s).p;
}

/* A second time only what is long. */
str arena_printf(arena *a, const char *format, ...)
{
    char text[200];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *p = arena_get(a, n < 0 ? 1 : (size_t)n + 1);
    if (n >= (int)sizeof text)
        vsnprintf(p, (size_t)n + 1, format, again);
    else if (n > 0)
        memcpy(p, text, (size_t)n);
    va_end(again);
    return (str){ p, n < 0 ? 0 : (size_t)n };
}

static void chunks_free(arena_chunk *c)
{
    while (c) {
        arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void arena_clear(arena *a)
{
    arena_chunk *keep = a->chunks;
    if (keep && keep->size > CHUNK_BYTES) {
        arena_free(a);
    } else if (keep) {
        chunks_free(keep->next);
        *keep = (arena_chunk){ .size = keep->size };
    }
    a->used = 0;
    a->is_over = false;
}

void arena_free(arena *a)
{
    chunks_free(a->chunks);
    *a = arena_new(a->max);
}
