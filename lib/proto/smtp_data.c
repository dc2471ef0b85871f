#include "proto/smtp_data.h"

static void line_ends(smtp_data *d)
{
    d->lines++;
    d->line_bytes = 0;
    d->state = SMTP_DATA_LINE_START;
}

/* Text of a line up to its CR. LF in it is bare. */
static size_t text_take(smtp_data *d, str in)
{
    size_t n = str_find(in, '\r');

    d->has_bare_lf = d->has_bare_lf || str_has(str_upto(in, n), '\n');
    d->line_bytes += n;
    if (d->line_bytes > d->longest_line)
        d->longest_line = d->line_bytes;
    if (n < in.n)
        d->state = SMTP_DATA_CR;
    return n < in.n ? n + 1 : n;
}

/* Octets of content at the front of `in`: stops before a dot that begins a line. */
static size_t content_take(smtp_data *d, str in)
{
    size_t i = 0;

    while (i < in.n) {
        if (d->state == SMTP_DATA_LINE_START && in.p[i] == '.')
            break;
        if (d->state == SMTP_DATA_CR && in.p[i] == '\n') {
            line_ends(d);
            i++;
            continue;
        }
        if (d->state == SMTP_DATA_CR) {
            d->has_bare_cr = true;
            d->line_bytes++;
        }
        d->state = SMTP_DATA_IN_LINE;
        i += text_take(d, str_from(in, i));
    }
    return i;
}

static void piece_hand(smtp_data *d, str piece, str *out)
{
    *out = piece;
    d->content_bytes += piece.n;
    d->has_nul = d->has_nul || str_has(piece, '\0');
}

/* Behind a dot that began a line and was taken off. CR is held back until it is known whether LF follows. */
static parse dot_next(smtp_data *d, str in, str *piece, size_t *used)
{
    bool is_end = d->state == SMTP_DATA_DOT_CR && in.p[0] == '\n';

    if (d->state == SMTP_DATA_DOT_CR && !is_end) {
        d->state = SMTP_DATA_CR;
        piece_hand(d, STR("\r"), piece);
        return PARSE_MORE;
    }
    d->state = is_end ? SMTP_DATA_END : SMTP_DATA_DOT_CR;
    *used = 1;
    return is_end ? PARSE_DONE : PARSE_MORE;
}

parse smtp_data_next(smtp_data *d, str in, str *piece, size_t *used)
{
    *piece = str_upto(in, 0);
    *used = 0;
    if (d->state == SMTP_DATA_END)
        return PARSE_DONE;
    if (in.n == 0)
        return PARSE_MORE;
    if (d->state == SMTP_DATA_LINE_START && in.p[0] == '.') {
        d->state = SMTP_DATA_DOT;
        *used = 1;
        return PARSE_MORE;
    }
    if (d->state == SMTP_DATA_DOT_CR || (d->state == SMTP_DATA_DOT && in.p[0] == '\r'))
        return dot_next(d, in, piece, used);
    if (d->state == SMTP_DATA_DOT)
        d->state = SMTP_DATA_IN_LINE; /* a second dot is content */
    *used = content_take(d, in);
    piece_hand(d, str_upto(in, *used), piece);
    return PARSE_MORE;
}
