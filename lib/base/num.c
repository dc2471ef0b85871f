#include "base/num.h"
#include <assert.h>

bool num_parse(str s, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

static bool scaled(str digits, uint64_t scale, uint64_t max, uint64_t *out)
{
    uint64_t v;
    if (!num_parse(digits, 0, UINT64_MAX, &v) || __builtin_mul_overflow(v, scale, &v) || v > max)
        return false;
    *out = v;
    return true;
}

bool num_parse_bytes(str s, uint64_t max, uint64_t *out)
{
    static const char units[] = "kmg";
    const char *unit = s.n ? strchr(units, s.p[s.n - 1] | 0x20) : NULL;
    if (unit == NULL || *unit == '\0')
        return scaled(s, 1, max, out);
    return scaled(str_upto(s, s.n - 1), UINT64_C(1) << (10 * (unit - units + 1)), max, out);
}

static uint64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return 604800;
    }
    return 0;
}

bool num_parse_seconds(str s, char unit, uint64_t max, uint64_t *out)
{
    assert(unit_seconds(unit));
    uint64_t scale = s.n ? unit_seconds((char)(s.p[s.n - 1] | 0x20)) : 0;
    if (scale)
        return scaled(str_upto(s, s.n - 1), scale, max, out);
    return scaled(s, unit_seconds(unit), max, out);
}
