/* SOURCES:  NEEDS: proto */
#include "proto/smtp_command.h"
#include "proto/smtp_params.h"
#include "proto/smtp_reply.h"
#include "proto/xtext.h"
#include <stdlib.h>

static void command_try(const smtp_command *c)
{
    arena mem = arena_new(0);
    smtp_params params;
    buf text = buf_new(1 << 16), back = buf_new(1 << 16);

    smtp_mail_params_parse(c->params, ~0u, &mem, &params);
    smtp_rcpt_params_parse(c->params, ~0u, &mem, &params);
    if (!xtext_encode(c->argument, &text) || !xtext_decode(buf_str(&text), &back) ||
        !str_equal(buf_str(&back), c->argument))
        abort();
    buf_free(&text);
    buf_free(&back);
    arena_free(&mem);
}

/* Whatever the text, a reply has lines that end in CRLF and show nothing but printable ASCII. */
static void reply_try(str text)
{
    buf out = buf_new(1 << 20);
    smtp_reply_reader r = smtp_reply_reader_new(1 << 20, 1 << 20);
    smtp_reply back;
    size_t used;

    if (!smtp_reply_write(&out, 550, STR("5.7.1"), text))
        abort();
    if (smtp_reply_read(&r, buf_str(&out), &back, &used) != PARSE_DONE || used != out.n || back.code != 550)
        abort();
    for (size_t i = 0; i < out.n; i++)
        if ((out.p[i] < ' ' || out.p[i] > '~') && out.p[i] != '\r' && out.p[i] != '\n')
            abort();
    smtp_reply_reader_free(&r);
    buf_free(&out);
}

static void replies_read(str in)
{
    smtp_reply_reader r = smtp_reply_reader_new(10, 500);
    smtp_reply reply;
    parse p = PARSE_DONE;

    for (size_t used; p == PARSE_DONE && in.n; in = str_from(in, used))
        p = smtp_reply_read(&r, in, &reply, &used);
    smtp_reply_reader_free(&r);
}

/* Lines found in pieces are the lines found at once. */
static size_t lines_read(str in, size_t piece, uint64_t *sum)
{
    line_reader r = line_reader_new(64, in.n && in.p[0] == 'l');
    size_t at = 0, n = 0;

    for (size_t end = 0; end < in.n;) {
        parse p = PARSE_DONE;
        end = end + piece < in.n ? end + piece : in.n;
        while (p != PARSE_MORE) {
            smtp_command c;
            size_t used;
            p = smtp_command_read(&r, (str){ in.p + at, end - at }, &c, &used);
            at += used;
            n += p != PARSE_MORE;
            if (p != PARSE_MORE)
                *sum = *sum * 31 + (p == PARSE_DONE ? c.verb.n + c.argument.n * 7 : 100000 + r.problem);
            if (p == PARSE_DONE && piece >= in.n)
                command_try(&c);
        }
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    uint64_t whole = 0, pieces = 0;

    if (lines_read(in, n, &whole) != lines_read(in, 1, &pieces) || whole != pieces)
        abort();
    reply_try(in);
    replies_read(in);
    return 0;
}
