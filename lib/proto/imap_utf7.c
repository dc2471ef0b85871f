#include "proto/imap_utf7.h"
#include "mail/address.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_printable(uint32_t c)
{
    return c >= ' ' && c <= '~';
}

/* One code point from the front of valid UTF-8. */
static uint32_t code_point(str s, size_t *used)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    *used = n;
    return c;
}

typedef struct shifted { /* a run of base64, bits not yet written out */
    uint32_t bits;
    unsigned count;
} shifted;

static bool unit_put(shifted *s, uint32_t unit, buf *out)
{
    s->bits = s->bits << 16 | unit;
    s->count += 16;
    while (s->count >= 6) {
        s->count -= 6;
        if (!buf_append_char(out, alphabet[s->bits >> s->count & 63]))
            return false;
    }
    s->bits &= (1u << s->count) - 1;
    return true;
}

static bool point_put(shifted *s, uint32_t c, buf *out)
{
    if (c < 0x10000)
        return unit_put(s, c, out);
    c -= 0x10000;
    return unit_put(s, 0xd800 | c >> 10, out) && unit_put(s, 0xdc00 | (c & 0x3ff), out);
}

static bool run_end(shifted *s, buf *out)
{
    if (s->count && !buf_append_char(out, alphabet[s->bits << (6 - s->count) & 63]))
        return false;
    *s = (shifted){ 0 };
    return buf_append_char(out, '-');
}

static bool encode(str utf8, buf *out)
{
    shifted run = { 0 };
    bool in_run = false;

    for (size_t i = 0, n; i < utf8.n; i += n) {
        uint32_t c = code_point(str_from(utf8, i), &n);
        if (c < ' ' || c == 127)
            return false;
        if (is_printable(c) == in_run && !(in_run ? run_end(&run, out) : buf_append_char(out, '&')))
            return false;
        in_run = !is_printable(c);
        if (!(in_run ? point_put(&run, c, out) : buf_append(out, c == '&' ? STR("&-") : (str){ utf8.p + i, 1 })))
            return false;
    }
    return !in_run || run_end(&run, out);
}

bool imap_utf7_encode(str utf8, buf *out)
{
    size_t before = out->n;

    if (utf8_is_valid(utf8) && encode(utf8, out))
        return true;
    out->n = before;
    return false;
}

static bool utf8_put(uint32_t c, buf *out)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
    return buf_append(out, (str){ b, n });
}

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* UTF-16 units into UTF-8; *high is a surrogate that waits for its second half. */
static bool unit_take(uint32_t unit, uint32_t *high, buf *out)
{
    bool is_low = unit >= 0xdc00 && unit < 0xe000;

    if (is_low != (*high != 0))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00) {
        *high = unit;
        return true;
    }
    uint32_t c = is_low ? 0x10000 + ((*high & 0x3ff) << 10 | (unit & 0x3ff)) : unit;
    *high = 0;
    return utf8_put(c, out);
}

/* The inside of "&…-". */
static bool run_decode(str run, buf *out)
{
    uint32_t bits = 0, high = 0;
    unsigned count = 0;

    for (size_t i = 0; i < run.n; i++) {
        int six = value_of(run.p[i]);
        if (six < 0)
            return false;
        bits = bits << 6 | (uint32_t)six;
        count += 6;
        if (count < 16)
            continue;
        count -= 16;
        if (!unit_take(bits >> count & 0xffff, &high, out))
            return false;
    }
    return high == 0;
}

static bool decode(str utf7, buf *out)
{
    for (size_t i = 0; i < utf7.n; i++) {
        if (!is_printable((unsigned char)utf7.p[i]))
            return false;
        if (utf7.p[i] != '&') {
            if (!buf_append_char(out, utf7.p[i]))
                return false;
            continue;
        }
        str run = str_from(utf7, i + 1);
        size_t n = str_find(run, '-');
        if (n == run.n || !(n ? run_decode(str_upto(run, n), out) : buf_append_char(out, '&')))
            return false;
        i += n + 1;
    }
    return true;
}

/* One way to write each name: encoding the result must give the same bytes again. */
static bool is_canonical(str utf7, str utf8)
{
    buf again = buf_new(utf7.n);
    bool same = imap_utf7_encode(utf8, &again) && str_equal(buf_str(&again), utf7);

    buf_free(&again);
    return same;
}

bool imap_utf7_decode(str utf7, buf *out)
{
    size_t before = out->n;

    if (decode(utf7, out) && is_canonical(utf7, str_from(buf_str(out), before)))
        return true;
    out->n = before;
    return false;
}
