/* SOURCES:  NEEDS: mail */
#include "mail/header.h"
#include "mail/received.h"
#include "mail/words.h"
#include "mail/address.h"
#include <stdlib.h>

/* What the writer wrote is one field, and reads back under its name. */
static void write_try(const header_field *f, arena *mem)
{
    buf out = buf_new(1 << 20);
    header_field back;

    if (header_add(&out, f->name, f->value)) {
        header_walk walk = header_open(buf_str(&out));
        if (!header_next(&walk, &back) || back.end != out.n || !str_equal(back.name, f->name))
            abort();
    }
    buf_clear(&out);
    words_decode(header_unfold(f->value, mem), NULL, NULL, &out);
    if (!utf8_is_valid(buf_str(&out)))
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    arena mem = arena_new(0);
    header_walk walk = header_open(in);
    header_scan scan = { 0 };
    header_field f;
    parse p = PARSE_MORE;

    while (header_next(&walk, &f))
        if (f.is_valid)
            write_try(&f, &mem);
    for (size_t at = 0, used; p == PARSE_MORE && at < n; at += used)
        p = header_scan_feed(&scan, str_upto(str_from(in, at), 1 + at % 7), &used);
    if (walk.has_end != (p == PARSE_DONE) || (walk.has_end && scan.seen != walk.at))
        abort();
    received_count(in);
    arena_free(&mem);
    return 0;
}
