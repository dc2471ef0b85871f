#include "imapd/worker/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "imapd/worker/handlers.h"
#include <stdarg.h>
#include <stdlib.h>

enum { GOODBYE_S = 10 /* for a client to take the last words */, MEMORY_MAX = 32 * 1024 * 1024 };

void session_write(session *s, str bytes)
{
    s->bytes_out += bytes.n;
    stream_write(&s->stream, bytes);
}

void session_printf(session *s, const char *format, ...)
{
    buf line = buf_new(8192);
    va_list args;
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    session_write(s, buf_str(&line));
    buf_free(&line);
}

void session_bye(session *s, const char *text, const char *reason)
{
    if (s->mode == MODE_END)
        return;
    s->mode = MODE_END;
    s->end_reason = reason;
    session_printf(s, "* BYE %s\r\n", text);
    stream_set_idle(&s->stream, GOODBYE_S);
    stream_finish(&s->stream);
}

/* Counts what a client gets wrong in a row. */
static void count_bad(session *s, bool is_bad)
{
    s->bad_commands = is_bad ? s->bad_commands + 1 : 0;
    if (s->bad_commands >= BAD_COMMANDS_MAX)
        session_bye(s, "Too many invalid commands", "bad-commands");
}

/* The text is one line, whatever it was made of. */
static void answer_write(session *s, str text)
{
    buf line = buf_new(text.n + 1024);
    buf_append(&line, s->command.tag.n ? s->command.tag : STR("*"));
    buf_append_char(&line, ' ');
    size_t start = line.n;
    buf_append(&line, text);
    for (size_t i = start; i < line.n; i++)
        if (line.p[i] < ' ' || line.p[i] > '~')
            line.p[i] = '?';
    buf_append(&line, STR("\r\n"));
    session_write(s, buf_str(&line));
    buf_free(&line);
}

void session_answer_text(session *s, str text)
{
    if (s->tells != TELLS_NOTHING)
        news_tell(s, s->tells == TELLS_ALL, false);
    if (s->mode != MODE_END) {
        answer_write(s, text);
        count_bad(s, str_starts(text, STR("BAD")));
    }
    s->is_answered = true;
}

void session_answer(session *s, const char *format, ...)
{
    buf text = buf_new(8192);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    session_answer_text(s, buf_str(&text));
    buf_free(&text);
}

void session_answer_fault(session *s, fault f)
{
    const char *code = "";
    if (f.kind == FAULT_TRY_LATER)
        code = "[UNAVAILABLE] ";
    if (strcmp(f.status, "2.2") == 0 || strcmp(f.status, "3.1") == 0)
        code = "[OVERQUOTA] ";
    if (f.kind == FAULT_TRY_LATER || f.kind == FAULT_BUG)
        log_fault(LOG_WARNING, "command-failed", f);
    session_answer(s, "NO %s%s", code, f.text);
}

bool session_has_room(session *s)
{
    return s->mode != MODE_END && stream_unsent(&s->stream) + s->server->out.n < OUTPUT_HIGH &&
           !server_turn_is_over(s->server);
}

void session_start_job(session *s, job *j)
{
    s->job = j;
    s->mode = MODE_JOB;
}

static void job_end(session *s)
{
    if (s->job && s->job->drop)
        s->job->drop(s->job);
    s->job = NULL;
}

/* The command is answered: its memory goes. */
static void command_end(session *s)
{
    job_end(s);
    append_drop(s);
    s->is_answered = false;
    imap_input_next(&s->input);
    s->command = (imap_command){ .verb = IMAP_UNKNOWN };
    arena_clear(&s->mem);
    if (s->mode != MODE_END)
        s->mode = MODE_COMMANDS;
    server_tell_others(s->server);
}

static void job_step(session *s)
{
    server_turn(s->server);
    server_is_busy(s->server);
    if (s->job->step(s, s->job) || s->mode == MODE_END)
        command_end(s);
}

static bool may_take(const session *s)
{
    return s->mode != MODE_JOB && s->mode != MODE_END && stream_unsent(&s->stream) < OUTPUT_HIGH;
}

static void go_on(void *context);

void session_later(session *s)
{
    task_put(s->server->loop, &s->go_on, go_on, s);
}

/* A round's share of what is under way; comes again as the output drains, or in the next round. */
static void go_on(void *context)
{
    session *s = context;
    if (s->mode == MODE_END || stream_unsent(&s->stream) >= OUTPUT_HIGH)
        return;
    if (s->flags_due.n && !news_tell_flags(s))
        return;
    if (s->is_notice_due)
        session_notice(s);
    if (s->mode == MODE_JOB)
        job_step(s);
    if (s->mode == MODE_JOB)
        session_later(s);
    else if (may_take(s))
        stream_resume(&s->stream);
}

static unsigned state_of(const session *s)
{
    return s->box ? IMAP_SELECTED : IMAP_AUTHENTICATED;
}

static void command_run(session *s)
{
    str text = imap_input_command(&s->input);
    parse p = imap_command_parse(text, &s->mem, &s->command);
    s->tells = TELLS_NOTHING;
    if (p != PARSE_DONE)
        session_answer(s, "BAD %s", s->command.problem ? s->command.problem : "Syntax error");
    else if (s->mem.is_over)
        session_answer(s, "BAD Too complex");
    else if (!(s->command.legal_in & state_of(s)))
        session_answer(s, "BAD %s", s->command.legal_in & IMAP_SELECTED ? "No mailbox selected" : "Already logged in");
    else
        session_dispatch(s);
    if (s->input.state == IMAP_AT_MESSAGE)
        imap_input_refuse(&s->input);
    if (s->is_answered)
        command_end(s);
    else if (s->mode == MODE_JOB)
        job_step(s);
}

static const char *const problems[] = {
    [IMAP_INPUT_FINE] = "Syntax error",
    [IMAP_INPUT_LINE_TOO_LONG] = "Command line too long",
    [IMAP_INPUT_LITERAL_TOO_BIG] = "[TOOBIG] Literal too big",
    [IMAP_INPUT_BAD_BYTE] = "NUL or bare CR in a command",
};

static void input_bad(session *s)
{
    s->command.tag = imap_input_tag(&s->input);
    s->tells = TELLS_NOTHING;
    session_answer(s, "BAD %s", problems[s->input.problem]);
    if (s->input.is_fatal)
        session_bye(s, "Cannot follow", "bad-input");
    command_end(s);
}

static size_t command_take(session *s, str bytes)
{
    size_t used;
    parse p = imap_input_feed(&s->input, bytes, &used);
    if (p == PARSE_BAD)
        input_bad(s);
    else if (p == PARSE_DONE && s->mode == MODE_IDLE)
        idle_end(s, imap_input_command(&s->input));
    else if (p == PARSE_DONE)
        command_run(s);
    else if (s->input.wants_continuation)
        session_write(s, STR("+ OK\r\n"));
    return used;
}

/* What this round does not get to, for the output or for the number of commands, comes with the next. */
static size_t on_input(void *context, str bytes)
{
    session *s = context;
    size_t used = 0;
    server_is_busy(s->server);
    server_turn(s->server);
    for (unsigned n = 0; used < bytes.n && n < COMMANDS_A_ROUND && may_take(s); n++) {
        str rest = str_from(bytes, used);
        used += s->mode == MODE_APPEND ? append_take(s, rest) : command_take(s, rest);
        if (s->is_answered)
            command_end(s);
    }
    s->bytes_in += used;
    if (s->mode == MODE_END)
        return bytes.n;
    if (used < bytes.n || !may_take(s)) {
        stream_pause(&s->stream);
        session_later(s);
    }
    return used;
}

static void on_drained(void *context)
{
    go_on(context);
}

/* Time is up for a client that says nothing and takes nothing. */
static void on_idle_time(void *context)
{
    session *s = context;
    bool has_moved = s->bytes_out != s->bytes_out_seen && s->mode == MODE_JOB;
    s->bytes_out_seen = s->bytes_out;
    if (has_moved) {
        stream_set_idle(&s->stream, s->timeout_s);
        return;
    }
    if (s->mode == MODE_END || stream_unsent(&s->stream) > 0) {
        s->mode = MODE_END;
        s->end_reason = "timeout";
        stream_abort(&s->stream);
        return;
    }
    session_bye(s, "Autologout; idle for too long", "timeout");
}

void session_deselect(session *s)
{
    reading_close(&s->reading);
    if (s->box) {
        mailbox_cache_flush(s->box);
        mailbox_close(s->box);
    }
    s->box = NULL;
    s->synced_ms = 0;
    uid_set_free(&s->flags_due);
}

void session_rest(session *s)
{
    if (s->mode != MODE_JOB) /* its client is slow, and will have the rest */
        reading_close(&s->reading);
    if (s->input.state == IMAP_IN_LINE && s->input.command.n == 0)
        imap_input_free(&s->input);
    if (s->mode == MODE_COMMANDS)
        arena_free(&s->mem);
}

static void on_end(void *context)
{
    session *s = context;
    server *v = s->server;
    session_closed m = {
        .session = s->id, .reason = str_c(s->end_reason), .bytes_in = s->bytes_in, .bytes_out = s->bytes_out
    };
    s->mode = MODE_END;
    job_end(s);
    append_drop(s);
    session_deselect(s);
    task_cancel(v->loop, &s->go_on);
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    if (v->on_closed)
        v->on_closed(v->context, &m);
    server_is_busy(v);
    imap_input_free(&s->input);
    arena_free(&s->mem);
    free((char *)(uintptr_t)s->id.p);
    free(s);
}

static const stream_handler handlers = {
    .on_input = on_input, .on_drained = on_drained, .on_idle = on_idle_time, .on_end = on_end
};

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
                    .mem = arena_new(MEMORY_MAX),
                    .id = keep(m->session),
                    .timeout_s = m->timeout_s,
                    .end_reason = "disconnect",
                    .input = imap_input_new(IMAP_LIMITS(MESSAGE_MAX)) };
    if (s->next)
        s->next->at = &s->next;
    v->sessions = s;
    stream_open(&s->stream, v->loop, fd, INPUT_MAX, OUTPUT_MAX, &handlers, s);
    stream_set_idle(&s->stream, s->timeout_s);
    session_printf(s, "%.*s OK [CAPABILITY " CAPABILITIES "] Logged in\r\n", STR_ARG(m->tag));
    if (m->input.n && buf_append(&s->stream.in, m->input)) { /* it came behind the login */
        stream_pause(&s->stream);
        stream_resume(&s->stream);
    }
}
