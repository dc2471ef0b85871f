#include "base/buf.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>

void buf_free(buf *b)
{
    free(b->p);
    *b = buf_new(b->max);
}

void buf_clear(buf *b)
{
    b->n = 0;
    b->overflow = false;
}

bool buf_reserve(buf *b, size_t more)
{
    size_t max = b->max < SIZE_MAX / 2 ? b->max : SIZE_MAX / 2; /* so that nothing below wraps */
    if (more > max - b->n) {
        b->overflow = true;
        return false;
    }
    size_t wanted = b->n + more + 1; /* one for buf_c */
    if (wanted <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity * 2 : 64;
    if (capacity > max + 1)
        capacity = max + 1;
    if (capacity < wanted)
        capacity = wanted;
    b->p = memory_resize(b->p, capacity, 1);
    b->capacity = capacity;
    return true;
}

bool buf_append(buf *b, str s)
{
    if (!buf_reserve(b, s.n))
        return false;
    if (s.n)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return true;
}

bool buf_append_char(buf *b, char c)
{
    return buf_append(b, (str){ &c, 1 });
}

bool buf_append_number(buf *b, uint64_t number, unsigned least_digits)
{
    char digits[20];
    size_t at = sizeof digits;
    for (unsigned n = 0; at > 0 && (number || n < least_digits); n++, number /= 10)
        digits[--at] = (char)('0' + number % 10);
    return buf_append(b, (str){ digits + at, sizeof digits - at });
}

/* A second time only where there was no room. */
bool buf_vprintf(buf *b, const char *format, va_list args)
{
    size_t room = b->capacity - b->n;
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(room ? b->p + b->n : NULL, room, format, args);
    bool has_room = n >= 0 && ((size_t)n < room || buf_reserve(b, (size_t)n));
    if (has_room && (size_t)n >= room)
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
    va_end(again);
    b->n += has_room ? (size_t)n : 0;
    return has_room;
}

bool buf_printf(buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool done = buf_vprintf(b, format, args);
    va_end(args);
    return done;
}

void buf_consume(buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

const char *buf_c(buf *b)
{
    if (b->p == NULL)
        return "";
    b->p[b->n] = '\0';
    return b->p;
}
