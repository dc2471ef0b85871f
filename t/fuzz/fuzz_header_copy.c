/* SOURCES:  NEEDS: mail */
/* What is copied is a header and nothing else, the same whatever pieces it came in. The first byte says where a piece ends. */
#include "mail/header.h"
#include "mail/header_copy.h"
#include <stdlib.h>

enum { LIMIT = 4096 };

static void copy(str in, size_t step, buf *out)
{
    header_copy *h = calloc(1, sizeof *h);
    parse p = PARSE_MORE;
    h->limit = LIMIT;
    for (size_t at = 0; at < in.n; at += step) {
        size_t before = out->n;
        bool was_done = p == PARSE_DONE;
        p = header_copy_feed(h, str_upto(str_from(in, at), step), out);
        if (was_done && (p != PARSE_DONE || out->n != before))
            abort();
    }
    free(h);
}

static void lines_check(str block)
{
    header_walk walk = header_open(block);
    header_field f;
    while (header_next(&walk, &f))
        if (!f.is_valid)
            abort();
    if (walk.has_end)
        abort();
    for (str line; block.n && str_cut(&block, '\n', &line);)
        if (line.n < 2 || line.n > HEADER_COPY_LINE_MAX + 1 || line.p[line.n - 1] != '\r' ||
            str_has(str_upto(line, line.n - 1), '\r') || str_has(line, '\0'))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    str in = { (const char *)data + 1, n - 1 };
    buf whole = buf_new(LIMIT), pieces = buf_new(LIMIT);
    copy(in, in.n + 1, &whole);
    copy(in, 1 + data[0] % 16, &pieces);
    if (whole.overflow || pieces.overflow || !str_equal(buf_str(&whole), buf_str(&pieces)))
        abort();
    lines_check(buf_str(&whole));
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
