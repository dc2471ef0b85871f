#include "base/source.h"
#include <arpa/inet.h>

enum { V4_BITS = 32, V6_BITS = 64, V4_BITS_MAX = 32, V6_BITS_MAX = 128 };

static source source_make(char kind, const void *bytes, size_t n)
{
    source s = { .n = n + 1 };
    s.bytes[0] = (unsigned char)kind;
    if (n)
        memcpy(s.bytes + 1, bytes, n);
    return s;
}

static source network_make(char kind, const void *bytes, unsigned bits)
{
    source s = source_make(kind, bytes, (bits + 7) / 8);
    if (bits % 8)
        s.bytes[s.n - 1] &= (unsigned char)(0xff << (8 - bits % 8));
    return s;
}

source source_of(str address)
{
    return source_of_network(address, 0, 0);
}

source source_of_network(str address, unsigned v4_bits, unsigned v6_bits)
{
    v4_bits = v4_bits && v4_bits < V4_BITS_MAX ? v4_bits : V4_BITS;
    v6_bits = v6_bits == 0 ? V6_BITS : v6_bits < V6_BITS_MAX ? v6_bits : V6_BITS_MAX;
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
            return network_make('4', &v4, v4_bits);
        if (inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6))
            return network_make('4', v6.s6_addr + 12, v4_bits);
        if (inet_pton(AF_INET6, text, &v6) == 1)
            return network_make('6', &v6, v6_bits);
    }
    str cut = str_upto(address, SOURCE_MAX - 1);
    return source_make('?', cut.p, cut.n);
}
