#include "pop3d/worker/session.h"
#include "base/log.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdlib.h>

enum { GOODBYE_S = 10 /* for a client to take the last words */, INFOS = 100 };

void session_write(session *s, str bytes)
{
    s->bytes_out += bytes.n;
    stream_write(&s->stream, bytes);
}

void session_reply(session *s, const char *format, ...)
{
    buf line = buf_new(1024);
    va_list args;
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    buf_append(&line, STR("\r\n"));
    session_write(s, buf_str(&line));
    buf_free(&line);
    s->bad_commands = 0;
}

void session_end(session *s, const char *line, const char *reason)
{
    if (s->mode == MODE_END)
        return;
    if (line)
        session_reply(s, "%s", line);
    s->mode = MODE_END;
    s->end_reason = reason;
    if (s->server->holder == s) /* the client may be back before its last words are taken */
        s->server->holder = NULL;
    stream_set_idle(&s->stream, GOODBYE_S);
    stream_finish(&s->stream);
}

void session_bad(session *s, const char *problem)
{
    unsigned bad = s->bad_commands + 1;
    session_reply(s, "-ERR %s", problem);
    s->bad_commands = bad;
    if (bad >= BAD_COMMANDS_MAX)
        session_end(s, NULL, "bad-commands");
}

bool session_has_room(const session *s)
{
    return s->mode != MODE_END && stream_unsent(&s->stream) + s->server->out.n < OUTPUT_HIGH;
}

static bool may_take(const session *s)
{
    return s->mode == MODE_COMMANDS && stream_unsent(&s->stream) < OUTPUT_HIGH;
}

static void go_on(void *context)
{
    session *s = context;
    bool is_done = true;
    if (s->mode == MODE_END || stream_unsent(&s->stream) >= OUTPUT_HIGH)
        return;
    server_is_busy(s->server);
    if (s->mode == MODE_LISTING)
        is_done = list_step(s);
    else if (s->mode == MODE_SENDING)
        is_done = send_step(s);
    if (is_done && s->mode != MODE_END)
        s->mode = MODE_COMMANDS;
    if (may_take(s))
        stream_resume(&s->stream);
    else if (s->mode != MODE_END)
        task_put(s->server->loop, &s->go_on, go_on, s);
}

static const char *const problems[] = {
    [LINE_FINE] = "Not a line",           [LINE_TOO_LONG] = "Line too long", [LINE_BARE_CR] = "Bare CR in a line",
    [LINE_BARE_LF] = "Bare LF in a line", [LINE_NUL] = "NUL in a line",
};

/* False: there is no whole line. */
static bool line_take(session *s, str bytes, size_t *used)
{
    str line;
    parse p = line_read(&s->lines, bytes, &line, used);
    if (p == PARSE_BAD)
        session_bad(s, problems[s->lines.problem]);
    else if (p == PARSE_DONE)
        session_command(s, line);
    return p != PARSE_MORE || *used > 0;
}

static size_t on_input(void *context, str bytes)
{
    session *s = context;
    size_t used = 0, n;
    bool is_waiting = false;
    server_is_busy(s->server);
    for (unsigned i = 0; used < bytes.n && !is_waiting && i < COMMANDS_A_ROUND && may_take(s); i++) {
        is_waiting = !line_take(s, str_from(bytes, used), &n);
        used += n;
    }
    s->bytes_in += used;
    if (s->mode == MODE_END)
        return bytes.n;
    if (!is_waiting && (used < bytes.n || !may_take(s))) {
        stream_pause(&s->stream);
        task_put(s->server->loop, &s->go_on, go_on, s);
    }
    return used;
}

static void on_drained(void *context)
{
    go_on(context);
}

/* RFC 1939 3: without an update, whatever was marked. */
static void on_idle_time(void *context)
{
    session *s = context;
    bool has_moved = s->bytes_out != s->bytes_out_seen && s->mode == MODE_SENDING;
    s->bytes_out_seen = s->bytes_out;
    if (has_moved) {
        stream_set_idle(&s->stream, s->timeout_s);
        return;
    }
    s->mode = MODE_END;
    s->end_reason = "timeout";
    stream_abort(&s->stream);
}

static void on_end(void *context)
{
    session *s = context;
    server *v = s->server;
    session_closed m = {
        .session = s->id, .reason = str_c(s->end_reason), .bytes_in = s->bytes_in, .bytes_out = s->bytes_out
    };
    send_stop(s);
    mailbox_close(s->box);
    if (v->holder == s)
        v->holder = NULL;
    task_cancel(v->loop, &s->go_on);
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    if (v->on_closed)
        v->on_closed(v->context, &m);
    server_is_busy(v);
    uid_set_free(&s->deleted);
    uid_set_free(&s->retrieved);
    free((char *)(uintptr_t)s->id.p);
    free(s);
}

static const stream_handler handlers = {
    .on_input = on_input, .on_drained = on_drained, .on_idle = on_idle_time, .on_end = on_end
};

/* What STAT says: exact sizes of all messages. */
static fault sizes_add(session *s)
{
    message_info infos[INFOS];
    size_t n = 1;
    fault f = NO_FAULT;
    for (uint32_t from = 1; n && !is_fault(f); from = infos[n - 1].uid + 1) {
        f = mailbox_read(s->box, mailbox_uids(s->box), from, infos, INFOS, &n);
        for (size_t i = 0; i < n && !is_fault(f); i++) {
            uint32_t bytes = infos[i].wire_bytes;
            if (bytes == SIZE_UNKNOWN)
                f = mailbox_size(s->box, infos[i].uid, &bytes);
            if (f.kind == FAULT_REFUSED) { /* gone since the mailbox was opened */
                f = NO_FAULT;
                bytes = 0;
            }
            s->bytes += bytes;
        }
        if (n == 0 || infos[n - 1].uid == UINT32_MAX)
            break;
    }
    return f;
}

static void maildrop_open(session *s)
{
    server *v = s->server;
    if (v->holder) {
        session_end(s, "-ERR [IN-USE] Another session has this maildrop", "in-use");
        return;
    }
    v->holder = s;
    fault f = mailbox_open(v->store, STR("INBOX"), false, &s->box);
    if (!is_fault(f))
        f = sizes_add(s);
    if (is_fault(f)) {
        log_fault(LOG_WARNING, "maildrop", f);
        session_end(s, "-ERR [SYS/TEMP] The maildrop cannot be read", "maildrop");
        return;
    }
    s->count = mailbox_count(s->box);
    session_reply(s, "+OK Logged in, %u messages", s->count);
}

static str keep(str s)
{
    char *p = memory_get(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (str){ p, s.n };
}

void session_start(server *v, const session_open *m, int fd)
{
    session *s = memory_get(sizeof *s);
    *s = (session){ .server = v,
                    .next = v->sessions,
                    .at = &v->sessions,
                    .id = keep(m->session),
                    .timeout_s = m->timeout_s,
                    .end_reason = "disconnect",
                    .lines = line_reader_new(POP3_COMMAND_MAX, true),
                    .sending = { .file = { .fd = -1 } } };
    if (s->next)
        s->next->at = &s->next;
    v->sessions = s;
    stream_open(&s->stream, v->loop, fd, INPUT_MAX, OUTPUT_MAX, &handlers, s);
    stream_set_idle(&s->stream, s->timeout_s);
    maildrop_open(s);
    if (m->input.n && buf_append(&s->stream.in, m->input)) { /* it came behind the login */
        stream_pause(&s->stream);
        stream_resume(&s->stream);
    }
}
