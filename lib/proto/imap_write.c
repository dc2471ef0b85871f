#include "proto/imap_write.h"
#include "mail/date.h"
#include "proto/imap_lexer.h"
#include "proto/imap_utf7.h"

enum { QUOTED_MAX = 1000 }; /* longer ones go as literals: some clients read lines into small buffers */

static bool is_quotable(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\r' || c == '\n' || c == '\0' || (unsigned char)c > 127)
            return false;
    }
    return s.n <= QUOTED_MAX;
}

static bool quoted_write(buf *out, str s)
{
    bool good = buf_append_char(out, '"');

    for (size_t i = 0; good && i < s.n; i++)
        good = ((s.p[i] != '"' && s.p[i] != '\\') || buf_append_char(out, '\\')) && buf_append_char(out, s.p[i]);
    return good && buf_append_char(out, '"');
}

bool imap_write_literal(buf *out, str s)
{
    if (!buf_printf(out, "{%zu}\r\n", s.n))
        return false;
    size_t start = out->n;
    if (!buf_append(out, s))
        return false;
    for (char *p; (p = memchr(out->p + start, '\0', out->n - start)) != NULL;)
        *p = (char)0x80;
    return true;
}

bool imap_write_string(buf *out, str s)
{
    return is_quotable(s) ? quoted_write(out, s) : imap_write_literal(out, s);
}

bool imap_write_nstring(buf *out, str s)
{
    return s.p == NULL ? buf_append(out, STR("NIL")) : imap_write_string(out, s);
}

static bool is_atom(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!imap_is_atom_char(s.p[i]))
            return false;
    return s.n > 0 && !str_equal_nocase(s, STR("NIL"));
}

bool imap_write_astring(buf *out, str s)
{
    return is_atom(s) ? buf_append(out, s) : imap_write_string(out, s);
}

bool imap_write_mailbox(buf *out, str utf8_name)
{
    buf wire = buf_new(utf8_name.n * 4 + 8); /* a byte of UTF-8 becomes 3 of base64 at most, with '&' and '-' */
    bool good = imap_utf7_encode(utf8_name, &wire) && imap_write_astring(out, buf_str(&wire));

    buf_free(&wire);
    return good;
}

bool imap_write_number(buf *out, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return buf_append(out, (str){ digits + at, sizeof digits - at });
}

bool imap_write_date(buf *out, int64_t utc_s)
{
    return buf_append_char(out, '"') && date_append_internal(out, (date){ .utc_s = utc_s }) &&
           buf_append_char(out, '"');
}

bool imap_write_set(buf *out, const imap_range *ranges, size_t n)
{
    bool good = true;

    for (size_t i = 0; good && i < n; i++) {
        good = (i == 0 || buf_append_char(out, ',')) && imap_write_number(out, ranges[i].first);
        if (good && ranges[i].last != ranges[i].first)
            good = buf_append_char(out, ':') && imap_write_number(out, ranges[i].last);
    }
    return good;
}

bool imap_write_text(buf *out, str text)
{
    size_t start = out->n;

    if (!buf_append(out, text.n ? text : STR("-")))
        return false;
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] < ' ' || out->p[i] > '~')
            out->p[i] = '?';
    return true;
}
