#include "store/mailbox_name.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* One code point; 0 when the bytes are not UTF-8 (overlong, surrogate, cut off) or are NUL. */
static uint32_t utf8_next(str *s)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    unsigned char c = (unsigned char)s->p[0];
    size_t more = c < 0x80 ? 0 : c < 0xc2 ? 4 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 4;
    if (more == 4 || s->n <= more)
        return 0;
    uint32_t point = more ? c & (0x3fu >> more) : c;
    for (size_t i = 1; i <= more; i++) {
        unsigned char next = (unsigned char)s->p[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    *s = str_from(*s, more + 1);
    return point;
}

static void utf8_put(uint32_t point, buf *out)
{
    char b[4] = { (char)(0xf0 | point >> 18), (char)(0x80 | (point >> 12 & 0x3f)), (char)(0x80 | (point >> 6 & 0x3f)),
                  (char)(0x80 | (point & 0x3f)) };
    if (point < 0x80) {
        buf_append_char(out, (char)point);
    } else if (point < 0x800) {
        b[2] = (char)(0xc0 | point >> 6);
        buf_append(out, (str){ b + 2, 2 });
    } else if (point < 0x10000) {
        b[1] = (char)(0xe0 | point >> 12);
        buf_append(out, (str){ b + 1, 3 });
    } else {
        buf_append(out, (str){ b, 4 });
    }
}

static bool is_direct(uint32_t point, bool dot_escaped)
{
    return point >= 0x20 && point < 0x7f && !(point == '.' && dot_escaped);
}

static void unit_put(uint32_t unit, uint32_t *bits, unsigned *held, buf *out)
{
    *bits = *bits << 16 | unit;
    for (*held += 16; *held >= 6; *held -= 6)
        buf_append_char(out, digits[*bits >> (*held - 6) & 63]);
    *bits &= (1u << *held) - 1;
}

bool utf7_encode(str utf8, bool dot_escaped, buf *out)
{
    while (utf8.n) {
        str before = utf8;
        uint32_t point = utf8_next(&utf8);
        if (point == '&' || is_direct(point, dot_escaped)) {
            buf_append(out, point == '&' ? STR("&-") : str_upto(before, 1));
            continue;
        }
        uint32_t bits = 0;
        unsigned held = 0;
        buf_append_char(out, '&');
        for (utf8 = before; utf8.n; before = utf8) {
            point = utf8_next(&utf8);
            if (point == 0)
                return false;
            if (is_direct(point, dot_escaped)) { /* a '&' within a run leaves it too: it is direct as "&-" */
                utf8 = before;
                break;
            }
            if (point >= 0x10000) {
                unit_put(0xd7c0 + (point >> 10), &bits, &held, out);
                unit_put(0xdc00 + (point & 0x3ff), &bits, &held, out);
            } else {
                unit_put(point, &bits, &held, out);
            }
        }
        if (held)
            buf_append_char(out, digits[bits << (6 - held) & 63]);
        buf_append_char(out, '-');
    }
    return !out->overflow;
}

/* The run between '&' and '-'. What is not canonical is found by encoding again. */
static bool run_decode(str run, buf *out)
{
    uint32_t bits = 0, high = 0;
    unsigned held = 0;

    for (size_t i = 0; i < run.n; i++) {
        const char *digit = run.p[i] ? strchr(digits, run.p[i]) : NULL;
        if (digit == NULL)
            return false;
        bits = (bits << 6 | (uint32_t)(digit - digits)) & 0x3fffff;
        held += 6;
        if (held < 16)
            continue;
        held -= 16;
        uint32_t unit = bits >> held & 0xffff;
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (is_low != (high != 0))
            return false;
        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
            continue;
        }
        utf8_put(high ? 0x10000 + ((high & 0x3ff) << 10) + (unit & 0x3ff) : unit, out);
        high = 0;
    }
    return high == 0;
}

bool utf7_decode(str utf7, bool dot_escaped, buf *out)
{
    str rest = utf7;
    size_t start = out->n;

    while (rest.n) {
        if (rest.p[0] != '&') {
            buf_append_char(out, rest.p[0]);
            rest = str_from(rest, 1);
            continue;
        }
        size_t end = str_find(rest, '-');
        if (end == rest.n)
            return false;
        if (end == 1)
            buf_append_char(out, '&');
        else if (!run_decode((str){ rest.p + 1, end - 1 }, out))
            return false;
        rest = str_from(rest, end + 1);
    }
    buf again = buf_new(2 * utf7.n + 16);
    bool is_canonical =
        utf7_encode(str_from(buf_str(out), start), dot_escaped, &again) && str_equal(buf_str(&again), utf7);
    buf_free(&again);
    return is_canonical && !out->overflow;
}

bool mailbox_name_is_inbox(str name)
{
    return str_equal_nocase(name, STR("INBOX"));
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

bool mailbox_name_to_folder(str name, buf *folder)
{
    str rest = name, level;
    bool is_first = true;

    buf_clear(folder);
    if (name.n == 0 || name.n > MAILBOX_NAME_MAX || has_control(name) || name.p[name.n - 1] == '/')
        return false;
    if (mailbox_name_is_inbox(name))
        return true;
    while (str_cut(&rest, '/', &level)) {
        if (is_first && mailbox_name_is_inbox(level))
            level = STR("INBOX");
        is_first = false;
        buf_append_char(folder, '.');
        if (level.n == 0 || !utf7_encode(level, true, folder))
            return false;
    }
    return folder->n <= 255 && !folder->overflow;
}

bool mailbox_name_from_folder(str folder, buf *name)
{
    str rest = str_from(folder, 1), level;

    buf_clear(name);
    if (folder.n < 2 || folder.n > 255 || folder.p[0] != '.')
        return false;
    while (str_cut(&rest, '.', &level)) {
        if (name->n)
            buf_append_char(name, '/');
        if (level.n == 0 || has_control(level) || !utf7_decode(level, true, name))
            return false;
    }
    /* What does not come back the same (".inbox", a '/' in disguise) is no mailbox. */
    buf again = buf_new(1024);
    bool is_same = mailbox_name_to_folder(buf_str(name), &again) && str_equal(buf_str(&again), folder);
    buf_free(&again);
    return is_same && !name->overflow;
}
