#include "proto/line.h"

/* Octets up to and with the end of the line that is being skipped. */
static size_t line_skip(line_reader *r, str in)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n' && (r->last_was_cr || r->lf_ends)) {
            r->is_skipping = r->last_was_cr = false;
            return i + 1;
        }
        r->last_was_cr = in.p[i] == '\r';
    }
    return in.n;
}

static parse line_refuse(line_reader *r, str in, line_problem problem, size_t *used)
{
    r->problem = problem;
    r->is_skipping = true;
    r->last_was_cr = *used > 0 && in.p[*used - 1] == '\r';
    r->looked = 0;
    return PARSE_BAD;
}

static parse line_end(line_reader *r, str in, size_t n, size_t end_bytes, str *line, size_t *used)
{
    *line = str_upto(in, n);
    *used = n + end_bytes;
    r->problem = LINE_FINE;
    r->looked = 0;
    return PARSE_DONE;
}

/* The first octet that is more than text of a line, from r->looked on, within r->max; else the number of octets. */
static size_t line_special(const line_reader *r, str in)
{
    size_t n = in.n < r->max ? in.n : r->max;

    for (size_t i = r->looked; i < n; i++)
        if (in.p[i] == '\r' || in.p[i] == '\n' || in.p[i] == '\0')
            return i;
    return n;
}

static parse line_front(line_reader *r, str in, str *line, size_t *used)
{
    size_t i = line_special(r, in);

    *used = 0;
    if (i >= r->max) {
        *used = r->max;
        return line_refuse(r, in, LINE_TOO_LONG, used);
    }
    if (i == in.n || (in.p[i] == '\r' && i + 1 == in.n && i + 1 < r->max)) {
        r->looked = i;
        return PARSE_MORE;
    }
    if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n' && i + 2 <= r->max)
        return line_end(r, in, i, 2, line, used);
    if (in.p[i] == '\n' && r->lf_ends)
        return line_end(r, in, i, 1, line, used);
    *used = i + 1;
    if (in.p[i] == '\r' && i + 2 > r->max)
        return line_refuse(r, in, LINE_TOO_LONG, used);
    return line_refuse(r, in, in.p[i] == '\r' ? LINE_BARE_CR : in.p[i] == '\n' ? LINE_BARE_LF : LINE_NUL, used);
}

parse line_read(line_reader *r, str in, str *line, size_t *used)
{
    size_t skipped = r->is_skipping ? line_skip(r, in) : 0;

    *used = skipped;
    if (r->is_skipping || skipped == in.n)
        return PARSE_MORE;
    parse p = line_front(r, str_from(in, skipped), line, used);
    *used += skipped;
    return p;
}
