/* SOURCES:  NEEDS: mail */
#include "mail/mime.h"
#include "mail/transfer.h"
#include "mail/words.h"
#include <stdlib.h>

static void part_check(const mime_part *p, str in, buf *out)
{
    transfer t = transfer_open(transfer_named(p->encoding));

    if (p->header.stored > p->body.stored || p->body.stored > p->end.stored || p->end.stored > in.n ||
        p->body.crlf > p->end.crlf || p->type.n == 0 || p->subtype.n == 0 ||
        (p->kind == MIME_MESSAGE) != (p->child && !p->child->next && p->child->envelope))
        abort();
    if (p->parent && (p->header.stored < p->parent->body.stored || p->end.stored > p->parent->end.stored))
        abort();
    for (size_t i = 0; i < p->params.n; i++) {
        buf_clear(out);
        words_decode_extended(p->params.p[i].value, NULL, NULL, out);
    }
    if (p->child)
        return;
    str body = str_upto(str_from(in, p->body.stored), mime_body_size(p).stored);
    for (size_t at = 0; at < body.n; at += 100) {
        buf_clear(out);
        if (!transfer_feed(&t, str_upto(str_from(body, at), 100), out) || out->n > 100 + 96)
            abort();
    }
    transfer_close(&t, out);
}

/* The tree as a number: equal for every way to split the input. */
static uint64_t read_in(str in, size_t step, const mime_limits *limits)
{
    arena mem = arena_new(0);
    buf out = buf_new(1 << 20);
    uint64_t sum = 0;
    mime m;

    mime_open(&m, &mem, limits);
    for (size_t at = 0; at < in.n; at += step)
        mime_feed(&m, str_upto(str_from(in, at), step));
    for (const mime_part *p = mime_close(&m); p;) {
        part_check(p, in, &out);
        sum = sum * 31 + p->kind + p->header.crlf * 3 + p->body.crlf * 5 + p->end.crlf * 7 + p->end.lines +
              p->params.n + p->type.n;
        if (p->child) {
            p = p->child;
            continue;
        }
        while (p && !p->next)
            p = p->parent;
        p = p ? p->next : NULL;
    }
    buf_free(&out);
    arena_free(&mem);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const mime_limits small = { .depth = 4, .parts = 6, .field_bytes = 64, .kept_bytes = 300 };
    str in = { (const char *)data, n };

    if (read_in(in, n + 1, NULL) != read_in(in, 1, NULL) || read_in(in, n + 1, &small) != read_in(in, 3, &small))
        abort();
    return 0;
}
