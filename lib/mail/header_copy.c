#include "mail/header_copy.h"
#include "mail/header.h"

/* A field's first line, or one that goes on with it. */
static bool belongs(const header_copy *h, str line)
{
    size_t colon = str_find(line, ':');
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return h->has_field;
    return colon < line.n && header_name_is_valid(str_trim(str_upto(line, colon)));
}

static void line_over(header_copy *h, buf *out)
{
    str line = { h->line, h->n };
    h->n = 0;
    h->saw_cr = false;
    if (line.n == 0 || !belongs(h, line) || h->written + line.n + 2 > h->limit) {
        h->is_done = true;
        return;
    }
    h->has_field = true;
    h->written += line.n + 2;
    buf_append(out, line);
    buf_append(out, STR("\r\n"));
}

/* What does not fit the line is left out. */
static void byte_add(header_copy *h, char c)
{
    if (h->n < HEADER_COPY_LINE_MAX)
        h->line[h->n++] = c;
}

parse header_copy_feed(header_copy *h, str piece, buf *out)
{
    for (size_t i = 0; i < piece.n && !h->is_done; i++) {
        char c = piece.p[i];
        if (c == '\n') {
            line_over(h, out);
            continue;
        }
        if (h->saw_cr)
            byte_add(h, '?');
        h->saw_cr = c == '\r';
        if (!h->saw_cr)
            byte_add(h, c == '\0' ? '?' : c);
    }
    return h->is_done ? PARSE_DONE : PARSE_MORE;
}
