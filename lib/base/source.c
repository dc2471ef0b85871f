#include "base/source.h"
#include <arpa/inet.h>

enum { V4_BYTES = 4, V6_PREFIX_BYTES = 8 };

static source source_make(char kind, const void *bytes, size_t n)
{
    source s = { .n = n + 1 };
    s.bytes[0] = (unsigned char)kind;
    if (n)
        memcpy(s.bytes + 1, bytes, n);
    return s;
}

source source_of(str address)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (str_starts_nocase(address, STR("IPv6:")))
        address = str_from(address, 5);
    str copied = str_upto(address, sizeof text - 1);
    if (copied.n)
        memcpy(text, copied.p, copied.n);
    text[copied.n] = 0;
    if (copied.n == address.n && !str_has(address, 0)) {
        if (inet_pton(AF_INET, text, &v4) == 1)
            return source_make('4', &v4, V4_BYTES);
        if (inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6))
            return source_make('4', v6.s6_addr + 12, V4_BYTES);
        if (inet_pton(AF_INET6, text, &v6) == 1)
            return source_make('6', &v6, V6_PREFIX_BYTES);
    }
    str cut = str_upto(address, SOURCE_MAX - 1);
    return source_make('?', cut.p, cut.n);
}
