#include "proto/dot_stuff.h"

/* Where the text of the line at `i` ends. *lf is the place of the next LF, looked for once and not for each CR. */
static size_t text_end(str in, size_t i, size_t *lf)
{
    if (*lf < i)
        *lf = i + str_find(str_from(in, i), '\n');
    return i + str_find((str){ in.p + i, *lf - i }, '\r');
}

bool dot_stuff_feed(dot_stuff *d, str in, buf *out)
{
    size_t i = 0, lf = in.n ? str_find(in, '\n') : 0;

    while (i < in.n) {
        bool is_second_half = d->last_was_cr && in.p[i] == '\n';
        d->last_was_cr = false;
        if (is_second_half) {
            i++;
            continue;
        }
        if (!d->in_line && in.p[i] == '.' && !buf_append_char(out, '.'))
            return false;
        size_t end = text_end(in, i, &lf);
        if (!buf_append(out, (str){ in.p + i, end - i }))
            return false;
        d->in_line = end == in.n;
        if (end < in.n && !buf_append(out, STR("\r\n")))
            return false;
        d->last_was_cr = end < in.n && in.p[end] == '\r';
        i = end + 1;
    }
    return true;
}

bool dot_stuff_end(dot_stuff *d, buf *out)
{
    if (d->in_line && !buf_append(out, STR("\r\n")))
        return false;
    *d = (dot_stuff){ 0 };
    return buf_append(out, STR(".\r\n"));
}
