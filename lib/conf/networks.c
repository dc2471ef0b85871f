#include "conf/networks.h"
#include "base/num.h"
#include "conf/list.h"
#include <arpa/inet.h>
#include <netinet/in.h>

enum { MAPPED_BITS = 96, ADDRESS_BITS = 128 };

static void bytes_of_v4(const void *four, unsigned char out[16])
{
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, four, 4);
}

static bool is_mapped(const unsigned char bytes[16])
{
    static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static bool address_pton(int family, str text, void *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.n >= sizeof copy || str_has(text, '\0'))
        return false;
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return inet_pton(family, copy, out) == 1;
}

bool address_read(str text, unsigned char out[16])
{
    struct in_addr four;

    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (str){ text.p + 1, text.n - 2 };
    if (str_starts_nocase(text, STR("IPv6:")))
        return address_pton(AF_INET6, str_from(text, 5), out);
    if (address_pton(AF_INET6, text, out))
        return true;
    if (!address_pton(AF_INET, text, &four))
        return false;
    bytes_of_v4(&four, out);
    return true;
}

static bool has_bits_behind(const unsigned char bytes[16], unsigned bits)
{
    for (unsigned i = bits; i < ADDRESS_BITS; i++)
        if (bytes[i / 8] & (0x80 >> i % 8))
            return true;
    return false;
}

static bool refuse(fault *f, const char *what, str text)
{
    *f = fault_make(FAULT_REFUSED, "3.5", "\"%.*s\" %s", STR_ARG(str_upto(text, 60)), what);
    return false;
}

static bool is_elsewhere(str text)
{
    return list_is_table(text) || (text.n && text.p[0] == '/');
}

bool network_read(str text, network *out, fault *f)
{
    size_t slash = str_find(text, '/');
    str address = str_upto(text, slash);
    uint64_t bits;

    *out = (network){ .bits = ADDRESS_BITS };
    if (!address_read(address, out->bytes))
        return refuse(f, is_elsewhere(text) ? "is a table or file, which only mynetworks may name" : "is not a network address",
                      text);
    if (slash == text.n)
        return true;
    bool is_v4 = !str_has(address, ':'); /* ::ffff:10.0.0.0/104 counts its bits from the front */
    if (!num_parse(str_from(text, slash + 1), 0, is_v4 ? 32 : ADDRESS_BITS, &bits))
        return refuse(f, is_v4 ? "needs a length from 0 to 32" : "needs a length from 0 to 128", text);
    out->bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
    if (has_bits_behind(out->bytes, out->bits))
        return refuse(f, "has bits set behind its length", text);
    return true;
}

static fault list_read(str list, bool is_plain, networks *out)
{
    fault f = NO_FAULT;
    bool is_over = false;
    str word;

    *out = (networks){ 0 };
    while (list_next(&list, &word)) {
        network n;
        bool is_excluded = word.n && word.p[0] == '!';
        word = str_from(word, is_excluded);
        if (!network_read(word, &n, &f)) {
            if (!is_plain || !is_elsewhere(word))
                return f;
            is_over = is_over || is_excluded || word.p[0] == '/';
            continue;
        }
        n.is_excluded = is_excluded;
        if (!is_over)
            *vec_add(&out->rows) = n;
    }
    return NO_FAULT;
}

fault networks_read(str list, networks *out)
{
    return list_read(list, false, out);
}

fault networks_read_plain(str list, networks *out)
{
    return list_read(list, true, out);
}

void networks_free(networks *ns)
{
    vec_free(&ns->rows);
}

static bool network_has(const network *n, const unsigned char bytes[16])
{
    unsigned whole = n->bits / 8, left = n->bits % 8;
    if (memcmp(n->bytes, bytes, whole) != 0)
        return false;
    return left == 0 || ((n->bytes[whole] ^ bytes[whole]) >> (8 - left)) == 0;
}

static bool match_bytes(const networks *ns, const unsigned char bytes[16])
{
    for (size_t i = 0; i < ns->rows.n; i++) {
        const network *n = &ns->rows.p[i];
        bool is_wide = n->bits < MAPPED_BITS && is_mapped(bytes); /* ::/0 is IPv6 alone */
        if (!is_wide && network_has(n, bytes))
            return !n->is_excluded;
    }
    return false;
}

bool networks_match(const networks *ns, const struct sockaddr *address)
{
    unsigned char bytes[16];

    if (address->sa_family == AF_INET) {
        bytes_of_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, bytes);
        return match_bytes(ns, bytes);
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof bytes);
    return match_bytes(ns, bytes);
}

bool networks_match_text(const networks *ns, str address)
{
    unsigned char bytes[16];
    return address_read(address, bytes) && match_bytes(ns, bytes);
}
