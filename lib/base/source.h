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

/* The same, with networks of other sizes: 1 to 32 bits of IPv4, 1 to 128 of IPv6. 0: as above. */
source source_of_network(str address, unsigned v4_bits, unsigned v6_bits);

static inline str source_str(const source *s)
{
    return (str){ (const char *)s->bytes, s->n };
}
