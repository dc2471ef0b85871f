/* Bytes that grow up to a maximum given at creation. The holder owns them; views into a buf die with the next append.
 * Fails: an append past the maximum adds nothing and sets `overflow`, which the holder must look at. */
#pragma once
#include "base/str.h"
#include <stdarg.h>
#include <stdint.h>

typedef struct buf {
    char *p;
    size_t n, capacity, max;
    bool overflow;
} buf;

static inline buf buf_new(size_t max)
{
    return (buf){ .max = max };
}

static inline str buf_str(const buf *b)
{
    return (str){ b->p, b->n };
}

void buf_free(buf *b);
void buf_clear(buf *b);                  /* keeps the memory */
bool buf_reserve(buf *b, size_t more);   /* false, and overflow, when max would be passed */
bool buf_append(buf *b, str s);
bool buf_append_char(buf *b, char c);
bool buf_append_number(buf *b, uint64_t number, unsigned least_digits); /* decimal, at most 20; zeros in front; printf is far slower */
bool buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buf_consume(buf *b, size_t n);      /* drops the first n bytes */
const char *buf_c(buf *b);               /* ends it in NUL (not counted in n); lives until the next change */
