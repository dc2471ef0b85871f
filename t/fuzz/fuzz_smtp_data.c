/* SOURCES:  NEEDS: proto */
#include "proto/dot_stuff.h"
#include "proto/pop3_top.h"
#include "proto/smtp_data.h"
#include <stdlib.h>

static size_t content_read(str in, size_t piece, smtp_data *d, buf *out)
{
    size_t at = 0;
    parse p = PARSE_MORE;

    *d = (smtp_data){ 0 };
    while (at < in.n && p == PARSE_MORE) {
        str view;
        size_t used;
        p = smtp_data_next(d, str_upto(str_from(in, at), piece), &view, &used);
        if (used == 0 && view.n == 0 && p == PARSE_MORE)
            abort();
        buf_append(out, view);
        at += used;
    }
    return at;
}

/* The end is where the first CRLF.CRLF is, counted with the CRLF of DATA before it, and nowhere else. */
static size_t end_find(str in)
{
    if (str_starts(in, STR(".\r\n")))
        return 3;
    const char *at = in.n ? memmem(in.p, in.n, "\r\n.\r\n", 5) : NULL;
    return at ? (size_t)(at - in.p) + 5 : in.n;
}

static void reader_try(str in)
{
    smtp_data whole, split;
    buf a = buf_new(in.n), b = buf_new(in.n);

    size_t used = content_read(in, in.n, &whole, &a);
    if (used != content_read(in, 1, &split, &b) || !str_equal(buf_str(&a), buf_str(&b)))
        abort();
    if (whole.longest_line != split.longest_line || whole.lines != split.lines || whole.content_bytes != a.n ||
        whole.has_bare_cr != split.has_bare_cr || whole.has_bare_lf != split.has_bare_lf)
        abort();
    if (used != end_find(in))
        abort();
    buf_free(&a);
    buf_free(&b);
}

/* What is stuffed reads back with one end, nothing bare, and the lines it had. */
static void writer_try(str in)
{
    dot_stuff d = { 0 };
    smtp_data reader;
    buf out = buf_new(in.n * 2 + 16), content = buf_new(in.n * 2 + 16);

    for (size_t at = 0; at < in.n; at += 7)
        if (!dot_stuff_feed(&d, str_upto(str_from(in, at), 7), &out))
            abort();
    if (!dot_stuff_end(&d, &out))
        abort();
    if (content_read(buf_str(&out), out.n, &reader, &content) != out.n || reader.state != SMTP_DATA_END ||
        reader.has_bare_cr || reader.has_bare_lf)
        abort();
    buf_free(&out);
    buf_free(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    pop3_top top = pop3_top_new(n ? data[0] % 5 : 0);
    size_t shown;

    reader_try(in);
    writer_try(in);
    if (pop3_top_feed(&top, in, &shown) == PARSE_DONE ? shown > n : shown != n)
        abort();
    return 0;
}
