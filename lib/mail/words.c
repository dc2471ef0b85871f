#include "mail/words.h"
#include "mail/address.h"
#include "mail/transfer.h"

static bool code_append(uint32_t code, buf *out)
{
    char p[4];
    size_t n = 0;

    if (code < 0x80) {
        p[n++] = (char)code;
    } else if (code < 0x800) {
        p[n++] = (char)(0xc0 | code >> 6);
        p[n++] = (char)(0x80 | (code & 63));
    } else {
        p[n++] = (char)(0xe0 | code >> 12);
        p[n++] = (char)(0x80 | (code >> 6 & 63));
        p[n++] = (char)(0x80 | (code & 63));
    }
    return buf_append(out, (str){ p, n });
}

enum { REPLACEMENT = 0xfffd };

static const uint16_t windows_1252[32] = {
    /* 0x80 to 0x9f */
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static uint32_t from_ascii(unsigned char c)
{
    return c < 128 ? c : REPLACEMENT;
}

static uint32_t from_latin_1(unsigned char c)
{
    return c;
}

static uint32_t from_windows_1252(unsigned char c)
{
    return c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c;
}

static uint32_t from_latin_9(unsigned char c)
{
    switch (c) {
    case 0xa4: return 0x20ac;
    case 0xa6: return 0x160;
    case 0xa8: return 0x161;
    case 0xb4: return 0x17d;
    case 0xb8: return 0x17e;
    case 0xbc: return 0x152;
    case 0xbd: return 0x153;
    case 0xbe: return 0x178;
    default: return c;
    }
}

static const struct {
    str name;
    uint32_t (*code)(unsigned char c); /* NULL: utf-8 */
} charsets[] = {
    { STR_ROW("utf-8"), NULL },
    { STR_ROW("utf8"), NULL },
    { STR_ROW("us-ascii"), from_ascii },
    { STR_ROW("ascii"), from_ascii },
    { STR_ROW("ansi_x3.4-1968"), from_ascii },
    { STR_ROW("iso-8859-1"), from_latin_1 },
    { STR_ROW("iso_8859-1"), from_latin_1 },
    { STR_ROW("iso8859-1"), from_latin_1 },
    { STR_ROW("latin1"), from_latin_1 },
    { STR_ROW("l1"), from_latin_1 },
    { STR_ROW("iso-8859-15"), from_latin_9 },
    { STR_ROW("iso_8859-15"), from_latin_9 },
    { STR_ROW("iso8859-15"), from_latin_9 },
    { STR_ROW("latin-9"), from_latin_9 },
    { STR_ROW("latin9"), from_latin_9 },
    { STR_ROW("windows-1252"), from_windows_1252 },
    { STR_ROW("cp1252"), from_windows_1252 },
};

/* Valid stretches as they are, each byte that is of none as U+FFFD. */
static void utf8_append(str bytes, buf *out)
{
    size_t done = 0, n;

    for (size_t i = 0; i < bytes.n; i += n) {
        n = utf8_length(str_from(bytes, i));
        if (n)
            continue;
        buf_append(out, str_upto(str_from(bytes, done), i - done));
        code_append(REPLACEMENT, out);
        n = 1;
        done = i + 1;
    }
    buf_append(out, str_from(bytes, done));
}

bool words_convert(void *context_unused, str charset, str bytes, buf *out)
{
    (void)context_unused;
    if (charset.n == 0)
        charset = STR("us-ascii");
    for (size_t i = 0; i < COUNT_OF(charsets); i++) {
        if (!str_equal_nocase(charset, charsets[i].name))
            continue;
        if (charsets[i].code == NULL)
            utf8_append(bytes, out);
        for (size_t k = 0; charsets[i].code && k < bytes.n; k++)
            code_append(charsets[i].code((unsigned char)bytes.p[k]), out);
        return true;
    }
    return false;
}

static bool converted(words_converter convert, void *context, str charset, str bytes, buf *out)
{
    return words_convert(NULL, charset, bytes, out) || (convert && convert(context, charset, bytes, out));
}

/* "=?charset*language?B?text?=" (RFC 2047 2, RFC 2231 5). */
typedef struct word {
    str charset, text;
    bool is_base64;
    size_t n; /* bytes in all */
} word;

enum { WORD_MAX = 1000 }; /* RFC 2047 has 75; a search for the end stays short, so that the whole is linear */

static bool word_read(str at, word *out)
{
    str rest = str_upto(at, WORD_MAX), charset, encoding;

    if (!str_starts(rest, STR("=?")))
        return false;
    rest = str_from(rest, 2);
    if (!str_cut(&rest, '?', &charset) || !str_cut(&rest, '?', &encoding) || rest.p == NULL || encoding.n != 1 ||
        charset.n == 0)
        return false;
    char e = encoding.p[0];
    size_t end = str_find(rest, '?');
    if ((e != 'b' && e != 'B' && e != 'q' && e != 'Q') || end + 1 >= rest.n || rest.p[end + 1] != '=')
        return false;
    out->charset = str_upto(charset, str_find(charset, '*'));
    out->is_base64 = e == 'b' || e == 'B';
    out->text = str_upto(rest, end);
    out->n = (size_t)(rest.p + end + 2 - at.p);
    return true;
}

/* The bytes of a word behind those already in `bytes`: one character may be split between two words of one charset. */
static void word_decode(const word *w, buf *bytes)
{
    transfer t = transfer_open(w->is_base64 ? TRANSFER_BASE64 : TRANSFER_QUOTED);

    for (size_t i = 0; i < w->text.n; i++) {
        char c = w->text.p[i];
        bool is_blank = !w->is_base64 && (c == '_' || c == ' '); /* as an escape: a blank at the end would go */
        transfer_feed(&t, is_blank ? STR("=20") : (str){ &c, 1 }, bytes);
    }
    transfer_close(&t, bytes);
}

/* Bytes that are not of an encoded word. */
static void plain_append(str text, buf *out)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '\r' && text.p[i] != '\n')
            continue;
        str line = str_upto(str_from(text, start), i - start);
        words_convert(NULL, utf8_is_valid(line) ? STR("utf-8") : STR("windows-1252"), line, out);
        start = i + 1;
    }
}

typedef struct decoding {
    words_converter convert;
    void *context;
    buf *out;
    str charset; /* of the words in `bytes` */
    str raw;     /* the words as written, should nobody know their charset */
    buf bytes;
} decoding;

static void words_flush(decoding *d)
{
    if (d->raw.n && !converted(d->convert, d->context, d->charset, buf_str(&d->bytes), d->out))
        plain_append(d->raw, d->out);
    d->raw = STR_NONE;
    buf_clear(&d->bytes);
}

static void word_take(decoding *d, const word *w, str raw)
{
    bool goes_on = d->raw.n && str_equal_nocase(d->charset, w->charset);

    if (!goes_on)
        words_flush(d);
    d->raw = goes_on ? (str){ d->raw.p, (size_t)(raw.p + raw.n - d->raw.p) } : raw;
    d->charset = w->charset;
    word_decode(w, &d->bytes);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool words_decode(str raw, words_converter convert, void *context, buf *out)
{
    decoding d = { .convert = convert, .context = context, .out = out, .bytes = buf_new(raw.n) };
    size_t plain = 0; /* start of what is not yet written and of no word */
    bool blanks_only = false;
    word w;

    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] == '=' && word_read(str_from(raw, i), &w)) {
            if (!blanks_only) {
                words_flush(&d);
                plain_append(str_upto(str_from(raw, plain), i - plain), out);
            }
            word_take(&d, &w, str_upto(str_from(raw, i), w.n));
            i += w.n;
            plain = i;
            blanks_only = true; /* so far, behind a word */
        } else {
            blanks_only = blanks_only && is_blank(raw.p[i]);
            i++;
        }
    }
    words_flush(&d);
    plain_append(str_from(raw, plain), out);
    buf_free(&d.bytes);
    return !out->overflow;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

bool words_decode_extended(str value, words_converter convert, void *context, buf *out)
{
    str rest = value, charset, language;
    buf bytes = buf_new(value.n);

    if (!str_cut(&rest, '\'', &charset) || !str_cut(&rest, '\'', &language) || rest.p == NULL) {
        charset = STR("utf-8");
        rest = value;
    }
    for (size_t i = 0; i < rest.n; i++) {
        int high = rest.p[i] == '%' && i + 2 < rest.n ? hex_digit(rest.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(rest.p[i + 2]) : -1;
        int c = low >= 0 ? high << 4 | low : rest.p[i];
        buf_append_char(&bytes, (char)c);
        i += low >= 0 ? 2 : 0;
    }
    if (!converted(convert, context, charset.n ? charset : STR("utf-8"), buf_str(&bytes), out))
        plain_append(value, out);
    buf_free(&bytes);
    return !out->overflow;
}

void words_fold_ascii(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 'a' - 'A');
}
