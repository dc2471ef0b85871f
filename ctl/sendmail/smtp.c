#include "ctl/sendmail/smtp.h"
#include "ctl/sendmail/content.h"
#include "ctl/sendmail/header.h"
#include "os/file.h"
#include "proto/smtp_command.h"
#include "proto/smtp_data.h"
#include "proto/smtp_params.h"
#include "proto/smtp_reply.h"
#include "queue/id.h"
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

enum { PIECE = 16 * 1024, ERRORS_MAX = 20, OUT_MAX = 64 * 1024 };

typedef enum phase {
    PHASE_HELLO = 1, /* before HELO */
    PHASE_MAIL = 2,
    PHASE_RCPT = 4, /* a sender, no recipient yet */
    PHASE_DATA = 8,
    PHASE_CONTENT = 16,
    PHASE_CLOSED = 32,
    PHASE_ANY = PHASE_HELLO | PHASE_MAIL | PHASE_RCPT | PHASE_DATA,
} phase;

typedef struct session {
    const config *config;
    phase phase;
    unsigned errors;
    bool has_line_ends, is_lf; /* lines end in a bare LF: known from the first */
    buf in, out;
    line_reader lines;
    /* of a transaction */
    arena arena;
    header_job job;
    recipients recipients;
    content content;
    smtp_data data;
    sink sink;
    bool is_8bit;
    fault fault; /* of the content that is being read */
} session;

static void reply(session *s, unsigned code, const char *status, str text)
{
    s->errors += code >= 500;
    smtp_reply_write(&s->out, code, str_c(status), text);
}

static fault on_header(void *context, str header, buf *out)
{
    session *s = context;
    return header_prepare(&s->job, header, out);
}

static void transaction_reset(session *s)
{
    sink_free(&s->sink);
    content_free(&s->content);
    recipients_free(&s->recipients);
    arena_free(&s->arena);
    s->recipients = (recipients){ 0 };
    s->sink = sink_new(s->config);
    s->content = content_new(true, on_header, s);
    s->data = (smtp_data){ 0 };
    s->fault = NO_FAULT;
    if (s->phase != PHASE_HELLO)
        s->phase = PHASE_MAIL;
}

static void on_hello(session *s, const smtp_command *c)
{
    if (s->phase == PHASE_HELLO)
        s->phase = PHASE_MAIL;
    transaction_reset(s);
    arena a = arena_new(0);
    bool is_esmtp = str_equal_nocase(c->verb, STR("EHLO"));
    str host = s->config->myhostname;
    reply(s, 250, "",
          is_esmtp ? arena_printf(&a, "%.*s\nPIPELINING\nSIZE %llu\n8BITMIME\nENHANCEDSTATUSCODES", STR_ARG(host),
                                  (unsigned long long)s->config->message_size_limit)
                   : host);
    arena_free(&a);
}

static void on_mail(session *s, const smtp_command *c)
{
    smtp_params p;
    if (smtp_mail_params_parse(c->params, SMTP_PARAM_SIZE | SMTP_PARAM_BODY, &s->arena, &p) != PARSE_DONE) {
        reply(s, p.is_unknown ? 555 : 501, "5.5.4", STR("Bad parameter"));
        return;
    }
    if (s->config->message_size_limit && p.size_bytes > s->config->message_size_limit) {
        reply(s, 552, "5.3.4", STR("Message exceeds the size limit"));
        return;
    }
    fault f = sender_read(c->argument, s->config->myorigin, &s->arena, &s->job.sender);
    if (is_fault(f)) {
        reply(s, 501, "5.1.7", STR("Bad sender address"));
        return;
    }
    s->is_8bit = p.body == SMTP_BODY_8BITMIME;
    s->phase = PHASE_RCPT;
    reply(s, 250, "2.1.0", STR("Ok"));
}

static void on_rcpt(session *s, const smtp_command *c)
{
    fault f = recipient_add(&s->recipients, c->argument, s->config->myorigin);
    if (c->params.n) {
        reply(s, 555, "5.5.4", STR("Bad parameter"));
    } else if (is_fault(f)) {
        bool is_over = s->recipients.rows.n >= RECIPIENTS_MAX;
        reply(s, is_over ? 452 : 501, is_over ? "4.5.3" : "5.1.3",
              is_over ? STR("Too many recipients") : STR("Bad recipient address"));
    } else {
        s->phase = PHASE_DATA;
        reply(s, 250, "2.1.5", STR("Ok"));
    }
}

static void on_data(session *s, const smtp_command *c)
{
    (void)c;
    s->phase = PHASE_CONTENT;
    reply(s, 354, "", STR("End data with <CR><LF>.<CR><LF>"));
}

static void on_rset(session *s, const smtp_command *c)
{
    (void)c;
    transaction_reset(s);
    reply(s, 250, "2.0.0", STR("Ok"));
}

static void on_noop(session *s, const smtp_command *c)
{
    (void)c;
    reply(s, 250, "2.0.0", STR("Ok"));
}

static void on_verify(session *s, const smtp_command *c)
{
    (void)c;
    reply(s, 252, "2.0.0", STR("Send it and see"));
}

static void on_help(session *s, const smtp_command *c)
{
    (void)c;
    reply(s, 214, "2.0.0", STR("EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT"));
}

static void on_quit(session *s, const smtp_command *c)
{
    (void)c;
    s->phase = PHASE_CLOSED;
    reply(s, 221, "2.0.0", STR("Bye"));
}

static const struct verb {
    str name;
    unsigned legal_in;
    bool has_argument, has_path;
    void (*handle)(session *s, const smtp_command *c);
} verbs[] = {
    { STR_ROW("EHLO"), PHASE_ANY, true, false, on_hello },
    { STR_ROW("HELO"), PHASE_ANY, true, false, on_hello },
    { STR_ROW("MAIL FROM:"), PHASE_HELLO | PHASE_MAIL, true, true, on_mail },
    { STR_ROW("RCPT TO:"), PHASE_RCPT | PHASE_DATA, true, true, on_rcpt },
    { STR_ROW("DATA"), PHASE_DATA, false, false, on_data },
    { STR_ROW("RSET"), PHASE_ANY, false, false, on_rset },
    { STR_ROW("NOOP"), PHASE_ANY, false, false, on_noop },
    { STR_ROW("VRFY"), PHASE_ANY, true, false, on_verify },
    { STR_ROW("HELP"), PHASE_ANY, false, false, on_help },
    { STR_ROW("QUIT"), PHASE_ANY, false, false, on_quit },
};

static void command_do(session *s, const smtp_command *c)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_equal_nocase(verbs[i].name, c->verb))
            continue;
        if (!(verbs[i].legal_in & s->phase))
            reply(s, 503, "5.5.1", STR("Bad sequence of commands"));
        else if (verbs[i].has_path ? !c->is_path : verbs[i].has_argument && c->argument.n == 0 && !c->is_path)
            reply(s, 501, "5.5.4", STR("Syntax error"));
        else
            verbs[i].handle(s, c);
        return;
    }
    reply(s, 500, "5.5.2", STR("Unknown command"));
}

static void command_next(session *s, bool *got_on)
{
    smtp_command c;
    size_t used;
    parse p = smtp_command_read(&s->lines, buf_str(&s->in), &c, &used);
    if (p == PARSE_DONE)
        command_do(s, &c);
    else if (p == PARSE_BAD)
        reply(s, 500, "5.5.2", STR("Line too long, or with a bare line end"));
    buf_consume(&s->in, used);
    *got_on = p != PARSE_MORE;
    if (s->errors > ERRORS_MAX && s->phase != PHASE_CLOSED) {
        s->phase = PHASE_CLOSED;
        reply(s, 421, "4.7.0", STR("Too many errors"));
    }
}

static fault commit(session *s, uint64_t *out_id)
{
    envelope e = { .reverse_path = s->job.sender,
                   .session = STR("sendmail"),
                   .protocol = STR("local"),
                   .login = arena_printf(&s->arena, "uid:%u", (unsigned)getuid()),
                   .flags = ENVELOPE_SUBMITTED };
    if (s->is_8bit || s->content.is_8bit)
        e.flags |= ENVELOPE_8BIT;
    if (s->recipients.has_utf8)
        e.flags |= ENVELOPE_UTF8;
    wishes w = { 0 };
    return sink_commit(&s->sink, &e, &s->recipients, &w, out_id);
}

static void content_over(session *s)
{
    uint64_t id = 0;
    arena a = arena_new(0);
    fault f = s->fault;
    if (!is_fault(f))
        f = commit(s, &id);
    const char *rest = f.status[0] ? f.status : "3.0";
    if (!is_fault(f))
        reply(s, 250, "2.0.0", id ? arena_printf(&a, "Ok: queued as %s", queue_id_text(id).text) : STR("Ok: queued"));
    else if (f.kind == FAULT_REFUSED)
        reply(s, 554, arena_printf(&a, "5.%s", rest).p, str_c(f.text));
    else
        reply(s, 451, arena_printf(&a, "4.%s", rest).p, str_c(f.text));
    arena_free(&a);
    transaction_reset(s);
}

/* After a fault the content is read to its end all the same. */
static void content_pass(session *s, parse p, buf *out)
{
    if (!is_fault(s->fault) && p == PARSE_BAD)
        s->fault = s->content.fault;
    if (!is_fault(s->fault))
        s->fault = sink_write(&s->sink, buf_str(out));
    buf_clear(out);
}

static void content_next(session *s, bool *got_on)
{
    str in = buf_str(&s->in), piece;
    buf out = buf_new(2 * CONTENT_HEADER_MAX);
    parse p = PARSE_MORE;
    size_t used, sum = 0;
    while (p == PARSE_MORE && in.n) {
        p = smtp_data_next(&s->data, in, &piece, &used);
        if (!is_fault(s->fault))
            content_pass(s, content_feed(&s->content, piece, &out), &out);
        in = str_from(in, used);
        sum += used;
    }
    if (p == PARSE_DONE) {
        if (!is_fault(s->fault))
            content_pass(s, content_end(&s->content, &out), &out);
        content_over(s);
    }
    buf_free(&out);
    buf_consume(&s->in, sum);
    *got_on = p == PARSE_DONE;
}

/* A person at a terminal ends lines in LF; a program in CRLF, and then only CRLF counts. */
static void input_add(session *s, str piece)
{
    size_t end = str_find(piece, '\n');
    if (!s->has_line_ends && end < piece.n) {
        s->has_line_ends = true;
        s->is_lf = end == 0 ? !str_ends(buf_str(&s->in), STR("\r")) : piece.p[end - 1] != '\r';
    }
    if (!s->is_lf) {
        buf_append(&s->in, piece);
        return;
    }
    for (str line; piece.n && str_cut(&piece, '\n', &line);) {
        buf_append(&s->in, line);
        if (piece.p)
            buf_append(&s->in, STR("\r\n"));
    }
}

static bool output_send(session *s)
{
    bool is_sent = file_write_all(STDOUT_FILENO, buf_str(&s->out));
    buf_clear(&s->out);
    return is_sent;
}

/* All that the input so far allows. */
static void input_take(session *s)
{
    bool got_on = true;
    while (got_on && s->phase != PHASE_CLOSED && s->in.n) {
        if (s->out.n > OUT_MAX / 2 && !output_send(s))
            s->phase = PHASE_CLOSED;
        else if (s->phase == PHASE_CONTENT)
            content_next(s, &got_on);
        else
            command_next(s, &got_on);
    }
}

static int session_run(session *s)
{
    static char piece[PIECE];
    while (s->phase != PHASE_CLOSED) {
        if (!output_send(s))
            return EX_IOERR;
        ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EX_OK : EX_IOERR;
        input_add(s, (str){ piece, (size_t)n });
        input_take(s);
    }
    return output_send(s) ? EX_OK : EX_IOERR;
}

int smtp_serve(const config *c, const sendmail_options *o)
{
    session s = { .config = c,
                  .phase = PHASE_HELLO,
                  .in = buf_new(4 * PIECE),
                  .out = buf_new(OUT_MAX),
                  .lines = line_reader_new(SMTP_COMMAND_MAX, false),
                  .sink = sink_new(c) };
    arena a = arena_new(0);
    s.job = (header_job){ .full_name = o->full_name, .origin = c->myorigin };
    transaction_reset(&s);
    reply(&s, 220, "", arena_printf(&a, "%.*s ESMTP", STR_ARG(c->myhostname)));
    int status = session_run(&s);
    transaction_reset(&s);
    content_free(&s.content);
    sink_free(&s.sink);
    buf_free(&s.in);
    buf_free(&s.out);
    arena_free(&a);
    return status;
}
