#include "proto/pop3_top.h"

/* Bytes at the front of `body` that hold the lines still wanted. */
static size_t lines_take(pop3_top *t, str body)
{
    size_t i = 0;

    while (t->lines_left && i < body.n) {
        i += str_find(str_from(body, i), '\n') + 1;
        if (i > body.n)
            return body.n;
        t->lines_left--;
    }
    return i;
}

parse pop3_top_feed(pop3_top *t, str piece, size_t *shown)
{
    *shown = 0;
    if (!t->in_body) {
        if (header_scan_feed(&t->header, piece, shown) != PARSE_DONE) {
            *shown = piece.n;
            return PARSE_MORE;
        }
        t->in_body = true;
    }
    *shown += lines_take(t, str_from(piece, *shown));
    return t->lines_left ? PARSE_MORE : PARSE_DONE;
}
