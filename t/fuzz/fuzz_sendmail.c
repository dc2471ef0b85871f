/* SOURCES: ctl/sendmail/content.c ctl/sendmail/header.c ctl/sendmail/recipients.c  NEEDS: mail */
#include "ctl/sendmail/content.h"
#include "ctl/sendmail/header.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fault on_header(void *context, str header, buf *out)
{
    return header_prepare(context, header, out);
}

static parse run(str in, size_t step, bool ignores_dot, buf *out)
{
    recipients r = { 0 };
    header_job job = {
        .recipients = &r, .sender = STR("me@here.test"), .full_name = STR("Me"), .origin = STR("here.test")
    };
    content c = content_new(ignores_dot, on_header, &job);
    parse p = PARSE_MORE;
    while (in.n && p == PARSE_MORE) {
        str piece = str_upto(in, step);
        p = content_feed(&c, piece, out);
        in = str_from(in, piece.n);
    }
    if (p == PARSE_MORE)
        p = content_end(&c, out);
    content_free(&c);
    recipients_free(&r);
    return p;
}

/* The same however it is cut, and lines end in CRLF alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    str in = { (const char *)data + 2, size - 2 };
    bool ignores_dot = data[0] & 1;
    buf whole = buf_new(64 * 1024 * 1024), cut = buf_new(64 * 1024 * 1024);
    parse a = run(in, in.n ? in.n : 1, ignores_dot, &whole), b = run(in, (size_t)data[1] + 1, ignores_dot, &cut);
    if (a != b || (a == PARSE_DONE && !str_equal(buf_str(&whole), buf_str(&cut))))
        abort();
    for (size_t i = 0; i < whole.n && a == PARSE_DONE; i++)
        if ((whole.p[i] == '\n') != (i > 0 && whole.p[i - 1] == '\r') || whole.p[i] == '\0')
            abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
