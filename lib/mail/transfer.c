#include "mail/transfer.h"
#include "mail/mime_field.h"

transfer_kind transfer_named(str encoding)
{
    static const struct {
        str name;
        transfer_kind kind;
    } names[] = {
        { STR_ROW("7bit"), TRANSFER_IDENTITY },           { STR_ROW("8bit"), TRANSFER_IDENTITY },
        { STR_ROW("binary"), TRANSFER_IDENTITY },         { STR_ROW("base64"), TRANSFER_BASE64 },
        { STR_ROW("quoted-printable"), TRANSFER_QUOTED },
    };
    str word = mime_word_parse(encoding);

    if (word.n == 0)
        return TRANSFER_IDENTITY;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(word, names[i].name))
            return names[i].kind;
    return TRANSFER_UNKNOWN;
}

transfer transfer_open(transfer_kind kind)
{
    return (transfer){ .kind = kind };
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Padding ends a group of four, not the body: encoded pieces are found one behind the other. */
static void base64_byte(transfer *t, char c, buf *out)
{
    int v = base64_value(c);

    if (v < 0) {
        t->is_over = t->is_over || c == '=';
        if (c == '=')
            t->held = t->bits = 0;
        else if (c != '\r' && c != '\n' && c != ' ' && c != '\t')
            t->is_bad = true;
        return;
    }
    t->is_bad = t->is_bad || t->is_over;
    t->bits = (t->bits << 6 | (unsigned)v) & 0xffff;
    t->held += 6;
    if (t->held >= 8) {
        t->held -= 8;
        buf_append_char(out, (char)(t->bits >> t->held & 0xff));
    }
}

/* `held` of quoted-printable: what of an escape was read. */
enum { ESCAPE_NONE, ESCAPE_STARTED, ESCAPE_DIGIT, ESCAPE_BLANKS, ESCAPE_CR };

static void blanks_write(transfer *t, buf *out)
{
    buf_append(out, (str){ t->blanks, t->blank_n });
    t->blank_n = 0;
}

static void plain_byte(transfer *t, char c, buf *out)
{
    if (c == ' ' || c == '\t') {
        if (t->blank_n == sizeof t->blanks)
            blanks_write(t, out); /* no encoder's line is that long: they are text */
        t->blanks[t->blank_n++] = c;
    } else if (c == '=') {
        blanks_write(t, out);
        t->held = ESCAPE_STARTED;
    } else {
        if (c == '\r' || c == '\n')
            t->blank_n = 0; /* RFC 2045 6.7 (3): blanks at the end of a line are not of the text */
        else
            blanks_write(t, out);
        buf_append_char(out, c);
    }
}

/* Behind '=': two digits, or a soft line end with blanks in front of it. */
static void quoted_byte(transfer *t, char c, buf *out)
{
    switch (t->held) {
    case ESCAPE_STARTED:
        if (hex_value(c) >= 0) {
            t->bits = (unsigned char)c;
            t->held = ESCAPE_DIGIT;
            return;
        }
        /* fall through */
    case ESCAPE_BLANKS:
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t') {
            t->held = c == '\n' ? ESCAPE_NONE : c == '\r' ? ESCAPE_CR : ESCAPE_BLANKS;
            return;
        }
        t->is_bad = true;
        t->held = ESCAPE_NONE;
        buf_append_char(out, '=');
        plain_byte(t, c, out);
        return;
    case ESCAPE_DIGIT:
        t->held = ESCAPE_NONE;
        if (hex_value(c) >= 0) {
            buf_append_char(out, (char)(hex_value((char)t->bits) << 4 | hex_value(c)));
            return;
        }
        t->is_bad = true;
        buf_append_char(out, '=');
        buf_append_char(out, (char)t->bits);
        plain_byte(t, c, out);
        return;
    case ESCAPE_CR:
        t->held = ESCAPE_NONE;
        if (c != '\n')
            plain_byte(t, c, out);
        return;
    default: plain_byte(t, c, out);
    }
}

bool transfer_feed(transfer *t, str piece, buf *out)
{
    void (*byte)(transfer *, char, buf *) = t->kind == TRANSFER_BASE64 ? base64_byte : quoted_byte;

    if (t->kind == TRANSFER_IDENTITY || t->kind == TRANSFER_UNKNOWN)
        return buf_append(out, piece);
    for (size_t i = 0; i < piece.n; i++)
        byte(t, piece.p[i], out);
    return !out->overflow;
}

bool transfer_close(transfer *t, buf *out)
{
    if (t->kind == TRANSFER_QUOTED) {
        t->is_bad = t->is_bad || t->held == ESCAPE_DIGIT;
        if (t->held == ESCAPE_DIGIT) {
            buf_append_char(out, '=');
            buf_append_char(out, (char)t->bits);
        }
        t->blank_n = 0;
    }
    if (t->kind == TRANSFER_BASE64 && t->held >= 6)
        t->is_bad = true; /* a digit that is no byte yet */
    t->held = 0;
    return !out->overflow;
}
