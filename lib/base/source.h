/* What counts as one client where clients are counted: an IPv4 address, the /64 of an IPv6 address (a host has a whole
 * one), or the text itself when it is no address. Pure. */
#pragma once
#include "base/str.h"

enum { SOURCE_MAX = 17 };

typedef struct source {
    unsigned char bytes[SOURCE_MAX];
    size_t n;
} source;

source source_of(str address);

static inline str source_str(const source *s)
{
    return (str){ (const char *)s->bytes, s->n };
}
