/* SOURCES:  NEEDS: mail */
/* Texts of strangers in a report, one for each line of the input: each field stays one field, each line one line. */
#include "mail/dsn.h"
#include "mail/header.h"
#include <stdlib.h>

static str next(str *rest)
{
    str line;
    return str_cut(rest, '\n', &line) ? line : STR_NONE;
}

static size_t fields(str block)
{
    header_walk walk = header_open(block);
    header_field f;
    size_t n = 0;
    while (header_next(&walk, &f)) {
        if (!f.is_valid)
            abort();
        n++;
    }
    return n;
}

static void bytes_check(str s, bool may_be_8bit)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_end = c == '\r' ? i + 1 < s.n && s.p[i + 1] == '\n' : c == '\n' && i > 0 && s.p[i - 1] == '\r';
        if ((c < ' ' && c != '\t' && !is_end) || c == 0x7f || (c > 0x7f && !may_be_8bit))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str rest = { (const char *)data + (n > 0), n - (n > 0) };
    dsn_report r = {
        .host = STR("h"), .id = STR("1"), .boundary = STR("b"), .is_utf8 = n && data[0] & 1, .about = STR("2")
    };
    dsn_recipient to = { .action = (dsn_action)(n ? data[0] >> 1 : 0) };
    str *const texts[] = { &r.from,      &r.subject, &r.to,      &r.sender,  &r.envelope_id, &to.address,
                           &to.original, &to.orcpt,  &to.status, &to.reason, &to.remote };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = next(&rest);
    r.message_id = dsn_message_id(next(&rest));
    buf out = buf_new(1 << 20);
    if (!dsn_header_append(&out, &r) || fields(buf_str(&out)) != 9u + 2u * (r.message_id.n > 0) + r.is_utf8)
        abort();
    bytes_check(buf_str(&out), r.is_utf8);
    buf_clear(&out);
    if (!dsn_message_fields_append(&out, &r) || fields(buf_str(&out)) != 3u + (r.sender.n > 0) + (r.envelope_id.n > 0))
        abort();
    if (!dsn_recipient_fields_append(&out, &r, &to) || !dsn_recipient_text_append(&out, &r, &to))
        abort();
    bytes_check(buf_str(&out), r.is_utf8);
    buf_free(&out);
    return 0;
}
