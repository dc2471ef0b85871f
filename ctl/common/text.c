#include "ctl/common/text.h"
#include <inttypes.h>

short_text text_duration(uint64_t s)
{
    static const struct unit {
        uint64_t seconds;
        char name;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    short_text out = { "0s" };
    size_t n = 0, shown = 0;
    for (size_t i = 0; i < COUNT_OF(units) && shown < 2; i++) {
        uint64_t count = s / units[i].seconds;
        s %= units[i].seconds;
        if (count == 0 && shown == 0)
            continue;
        shown++;
        if (count == 0)
            break;
        n += (size_t)snprintf(out.text + n, sizeof out.text - n, "%" PRIu64 "%c", count % 100000, units[i].name);
    }
    return out;
}

short_text text_bytes(uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    short_text out;
    if (bytes < 1024) {
        snprintf(out.text, sizeof out.text, "%" PRIu64, bytes);
        return out;
    }
    size_t at = 0;
    uint64_t tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
    for (; tenths >= 10240 && at + 2 < sizeof units; at++)
        tenths /= 1024;
    snprintf(out.text, sizeof out.text, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, units[at]);
    return out;
}

/* C0, DEL, and C1 in the two octets that UTF-8 has for them. */
void text_print(FILE *to, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_c1 = c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0;
        putc(c < ' ' || c == 0x7f || is_c1 ? '?' : c, to);
        i += is_c1;
    }
}
