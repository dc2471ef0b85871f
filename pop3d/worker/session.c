#include "pop3d/worker/session.h"
#include "base/log.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 64 * 1024, OUTPUT_MAX = 1024 * 1024, OUTPUT_HIGH = 128 * 1024, ERRORS_MAX = 20 };

void session_say(session *s, const char *format, ...)
{
    va_list args;
    buf line = buf_new(1024);
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    buf_append(&line, STR("\r\n"));
    s->bytes_out += line.n;
    stream_write(&s->stream, buf_str(&line));
    buf_free(&line);
}

void session_finish(session *s, const char *reason)
{
    s->end_reason = reason;
    stream_finish(&s->stream);
}

static void line_bad(session *s)
{
    if (++s->errors >= ERRORS_MAX) {
        session_say(s, "-ERR Too many errors");
        session_finish(s, "too many errors");
        return;
    }
    session_say(s, "-ERR %s", s->lines.problem == LINE_TOO_LONG ? "Line too long" : "Line is not clean");
}

static void line_run(session *s, str line)
{
    pop3_command c;
    if (pop3_command_parse(line, &c) == PARSE_DONE && (c.legal_in & POP3_TRANSACTION)) {
        session_command(s, &c);
        return;
    }
    if (++s->errors >= ERRORS_MAX) {
        session_say(s, "-ERR Too many errors");
        session_finish(s, "too many errors");
        return;
    }
    session_say(s, "-ERR %s", c.problem ? c.problem : "Not in this state");
}

static size_t on_input(void *context, str bytes)
{
    session *s = context;
    str rest = bytes;
    while (rest.n && !s->sending.is_on && s->end_reason == NULL) {
        str line;
        size_t used;
        parse p = line_read(&s->lines, rest, &line, &used);
        rest = str_from(rest, used);
        if (p == PARSE_BAD)
            line_bad(s);
        else if (p == PARSE_DONE)
            line_run(s, line);
        else if (used == 0)
            break;
    }
    if (s->sending.is_on)
        stream_pause(&s->stream);
    s->bytes_in += bytes.n - rest.n;
    return s->end_reason ? bytes.n : bytes.n - rest.n;
}

static void on_drained(void *context)
{
    session *s = context;
    if (s->sending.is_on)
        sending_go_on(s);
}

static void on_idle(void *context)
{
    session_finish(context, "timeout"); /* RFC 1939 3: without the update, and without a word */
}

static void on_end(void *context)
{
    session *s = context;
    server *v = s->server;
    session_closed m = { .session = str_c(s->id), .reason = str_c(s->end_reason ? s->end_reason : "disconnected"),
                         .bytes_in = s->bytes_in, .bytes_out = s->bytes_out };
    sending_stop(s);
    maildrop_close(&s->drop);
    if (v->holder == s)
        v->holder = NULL;
    v->sessions--;
    v->on_closed(v->context, &m);
    free(s);
    if (v->sessions == 0)
        store_sleep(v->store);
}

static const stream_handler handlers = { .on_input = on_input, .on_drained = on_drained, .on_idle = on_idle,
                                         .on_end = on_end };

static void greet(session *s)
{
    server *v = s->server;
    if (v->holder) {
        session_say(s, "-ERR [IN-USE] Another session has this maildrop");
        session_finish(s, "maildrop in use");
        return;
    }
    fault f = maildrop_open(v->store, &s->drop);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "maildrop", f);
        session_say(s, "-ERR [SYS/TEMP] The maildrop cannot be opened now");
        session_finish(s, "maildrop not opened");
        return;
    }
    v->holder = s;
    session_say(s, "+OK Logged in, %u messages (%llu octets)", s->drop.count, (unsigned long long)s->drop.bytes);
}

void session_start(server *v, const session_open *m, int fd)
{
    session *s = memory_get(sizeof *s);
    s->server = v;
    s->lines = line_reader_new(POP3_COMMAND_MAX, false);
    s->sending.file.fd = -1;
    snprintf(s->id, sizeof s->id, "%.*s", STR_ARG(m->session));
    v->sessions++;
    stream_open(&s->stream, v->loop, fd, INPUT_MAX, OUTPUT_MAX, &handlers, s);
    stream_set_idle(&s->stream, m->timeout_s);
    greet(s);
    if (m->input.n && s->end_reason == NULL)
        stream_feed(&s->stream, m->input);
}

void sending_stop(session *s)
{
    if (s->sending.is_on)
        message_close(&s->sending.file);
    s->sending = (sending){ .file = { .fd = -1 } };
}

static parse piece_next(session *s, buf *piece)
{
    bool is_end = false;
    fault f = message_next(&s->sending.file, piece, &is_end);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "message", f);
        return PARSE_BAD;
    }
    if (!s->sending.is_top)
        return is_end ? PARSE_DONE : PARSE_MORE;
    size_t shown;
    parse p = pop3_top_feed(&s->sending.top, buf_str(piece), &shown);
    piece->n = shown;
    return is_end ? PARSE_DONE : p;
}

/* A message that breaks off in the middle must not look whole: the connection ends instead. */
void sending_go_on(session *s)
{
    buf piece = buf_new(256 * 1024), out = buf_new(600 * 1024);
    parse p = PARSE_MORE;
    while (p == PARSE_MORE && stream_unsent(&s->stream) < OUTPUT_HIGH) {
        buf_clear(&piece);
        buf_clear(&out);
        p = piece_next(s, &piece);
        if (p == PARSE_BAD)
            break;
        dot_stuff_feed(&s->sending.stuff, buf_str(&piece), &out);
        if (p == PARSE_DONE)
            dot_stuff_end(&s->sending.stuff, &out);
        s->bytes_out += out.n;
        stream_write(&s->stream, buf_str(&out));
    }
    buf_free(&piece);
    buf_free(&out);
    if (p == PARSE_BAD) {
        s->end_reason = "message not readable";
        stream_abort(&s->stream);
    } else if (p == PARSE_DONE) {
        sending_stop(s);
        stream_resume(&s->stream);
    }
}
