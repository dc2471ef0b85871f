#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(str s, buf *out)
{
    if (!buf_reserve(out, (s.n + 2) / 3 * 4))
        return false;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t have = s.n - i < 3 ? s.n - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < have ? (unsigned char)s.p[i + k] : 0);
        char four[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63], have > 1 ? alphabet[v >> 6 & 63] : '=',
                         have > 2 ? alphabet[v & 63] : '=' };
        buf_append(out, (str){ four, 4 });
    }
    return true;
}

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* One group of four; `pad` of its last characters are '='. */
static bool group_decode(const char *p, size_t pad, buf *out)
{
    uint32_t v = 0;
    for (size_t k = 0; k < 4; k++) {
        int six = k < 4 - pad ? value_of(p[k]) : 0;
        if (six < 0)
            return false;
        v = v << 6 | (uint32_t)six;
    }
    if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
        return false;
    char three[3] = { (char)(v >> 16), (char)(v >> 8), (char)v };
    return buf_append(out, (str){ three, 3 - pad });
}

bool base64_decode(str s, buf *out)
{
    size_t before = out->n;
    bool good = s.n % 4 == 0;
    for (size_t i = 0; good && i < s.n; i += 4) {
        bool is_last = i + 4 == s.n;
        size_t pad = !is_last ? 0 : s.p[i + 3] != '=' ? 0 : s.p[i + 2] != '=' ? 1 : 2;
        good = group_decode(s.p + i, pad, out);
    }
    if (!good)
        out->n = before;
    return good;
}
