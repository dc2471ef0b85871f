/* A session's life: open, input, replies, waiting, end. Runs in: smtpd. */
#include "smtpd/session.h"
#include "base/log.h"
#include "base/memory.h"
#include "proto/smtp_reply.h"
#include "smtpd/replies.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INPUT_MAX = 64 * 1024, OUTPUT_MAX = 256 * 1024, GOODBYE_MS = 10000 };

session *session_by_ref(smtpd *d, uint32_t ref)
{
    size_t slot = ref % SESSION_SLOTS_MAX;
    session *s = slot < d->sessions.n ? d->sessions.p[slot] : NULL;
    return s && s->ref == ref ? s : NULL;
}

uint32_t session_ref(session *s)
{
    s->smtpd->serial++;
    return (uint32_t)(s->smtpd->serial % (UINT32_MAX / SESSION_SLOTS_MAX) * SESSION_SLOTS_MAX + s->slot);
}

static bool slot_take(smtpd *d, session *s)
{
    if (d->free_slots.n) {
        s->slot = d->free_slots.p[--d->free_slots.n];
        d->sessions.p[s->slot] = s;
        return true;
    }
    if (d->sessions.n >= SESSION_SLOTS_MAX)
        return false;
    s->slot = d->sessions.n;
    *vec_add(&d->sessions) = s;
    return true;
}

void session_wait(session *s, waiting what, peer *whom)
{
    s->waiting = what;
    s->asked = whom;
    s->ref = session_ref(s);
    stream_pause(&s->stream);
}

void session_resume(session *s)
{
    s->waiting = WAITING_NOT;
    s->asked = NULL;
    s->ref = 0;
    stream_set_idle(&s->stream, s->config->smtpd_timeout); /* the silence was ours */
    stream_resume(&s->stream);
}

void session_write(session *s, const reply *r)
{
    buf out = buf_new(16384), words = buf_new(8192);
    buf_append(&words, r->words);
    transcript_reply(&s->transcript, r->code, r->status, r->words);
    transcript_error(&s->transcript, r->classes, r->words);
    if (r->code >= 400)
        footer_append(s, &words);
    smtp_reply_write(&out, r->code, r->status, buf_str(&words));
    stream_write(&s->stream, buf_str(&out));
    buf_free(&words);
    buf_free(&out);
}

/* Whoever does not read the last words, or never finished the handshake that they would need, is not waited for. */
void session_close(session *s, const reply *last)
{
    bool can_hear = !tls_is_on(&s->stream) || tls_is_established(&s->stream);
    if (last && last->code && can_hear)
        session_write(s, last);
    s->phase = PHASE_CLOSED;
    timer_set(&s->life, GOODBYE_MS);
    if (can_hear)
        stream_finish(&s->stream);
    else
        stream_abort(&s->stream);
}

void session_drain(session *s)
{
    reply bye = reply_of(REPLY_GOING_DOWN);
    if (s->smtpd->process->is_draining && s->waiting == WAITING_NOT && s->phase != PHASE_CONTENT && s->phase != PHASE_CLOSED)
        session_close(s, &bye);
}

static void delay_over(void *context)
{
    session *s = context;
    reply r = s->delayed;
    if (s->waiting == WAITING_POLICY) {
        policy_no_answer(s);
        return;
    }
    session_resume(s);
    session_write(s, &r);
    session_drain(s);
}

/* Counts what is wrong; a client with many errors waits for its replies, one with too many is sent away. 452 is a limit of ours:
 * recipients past it come again in another transaction (RFC 5321 4.5.3.1.10). */
void session_say(session *s, const reply *r)
{
    bool is_error = r->code >= 400 && r->code != 452 && s->phase != PHASE_CLOSED;
    if (is_error && ++s->errors >= s->config->smtpd_hard_error_limit) {
        session_write(s, r);
        reply bye = reply_of(REPLY_TOO_MANY_ERRORS);
        log_event(LOG_WARNING, "too-many-errors", LOG_C("session", s->id), LOG_C("client", s->client));
        session_close(s, &bye);
        return;
    }
    if (is_error && s->errors > s->config->smtpd_soft_error_limit && s->config->smtpd_error_sleep_time > 0) {
        s->delayed = (reply){ r->code, arena_copy(&s->arena, r->status), arena_copy(&s->arena, r->words),
                              r->classes };
        transcript_error(&s->transcript, r->classes, r->words); /* whether or not the client waits for it */
        session_wait(s, WAITING_DELAY, NULL);
        timer_set(&s->delay, s->config->smtpd_error_sleep_time * 1000);
        return;
    }
    session_write(s, r);
}

void session_settle(session *s, verdict v)
{
    if (s->phase == PHASE_CLOSED)
        return;
    s->phase = v.next;
    if (v.reply.code)
        session_say(s, &v.reply);
    if (s->phase == PHASE_CLOSED)
        session_close(s, NULL);
    if (s->arena.is_over && s->phase != PHASE_CLOSED) {
        reply r = reply_of(REPLY_TOO_MUCH_MEMORY);
        session_close(s, &r);
    }
    session_drain(s);
}

static void problem_say(session *s)
{
    reply r = reply_of(s->lines.problem == LINE_TOO_LONG ? REPLY_LINE_TOO_LONG : REPLY_LINE_NOT_CLEAN);
    session_settle(s, (verdict){ s->phase, r });
}

/* One line: a command, or an answer within AUTH. 0: there is no whole line yet. */
static size_t line_take(session *s, str bytes)
{
    str line;
    size_t used;
    parse p = line_read(&s->lines, bytes, &line, &used);
    if (p == PARSE_BAD) {
        transcript_secret(&s->transcript);
        if (s->phase == PHASE_SASL) {
            sasl_close(&s->sasl);
            s->phase = PHASE_MAIL;
        }
        problem_say(s);
    }
    if (p != PARSE_DONE)
        return used;
    if (s->phase == PHASE_SASL) {
        transcript_secret(&s->transcript);
        auth_line(s, line);
        return used;
    }
    smtp_command c;
    smtp_command_parse(line, &c);
    transcript_command(&s->transcript, line, session_knows(s, &c));
    phase before = s->phase;
    verdict v = session_command(s, &c);
    /* A handler that settled already, or waits, leaves no reply. */
    if (v.reply.code || v.next != before)
        session_settle(s, v);
    return used;
}

static size_t on_input(void *context, str bytes)
{
    session *s = context;
    str rest = bytes;
    while (rest.n && s->waiting == WAITING_NOT && s->phase != PHASE_CLOSED && !s->stream.is_ended) {
        bool is_clear = !tls_is_on(&s->stream);
        s->lines.max = s->phase == PHASE_SASL ? SMTP_RESPONSE_MAX : s->config->line_length_limit;
        size_t used = s->phase == PHASE_CONTENT ? content_take(s, rest) : line_take(s, rest);
        rest = str_from(rest, used);
        if (used == 0)
            break;
        if (is_clear && tls_is_on(&s->stream))
            return bytes.n; /* what came behind STARTTLS is never run */
    }
    return s->phase == PHASE_CLOSED ? bytes.n : bytes.n - rest.n;
}

static void on_idle(void *context)
{
    session *s = context;
    reply r = reply_of(REPLY_TOO_LONG_SILENCE);
    if (s->phase == PHASE_CLOSED)
        return;
    if (s->waiting != WAITING_NOT) { /* the silence is ours */
        stream_set_idle(&s->stream, s->config->smtpd_timeout);
        return;
    }
    log_event(LOG_INFO, "timeout", LOG_C("session", s->id), LOG_C("client", s->client));
    session_close(s, &r);
}

static void on_life_over(void *context)
{
    session *s = context;
    reply r = reply_of(REPLY_TOO_LONG_SESSION);
    if (s->phase == PHASE_CLOSED)
        stream_abort(&s->stream);
    else
        session_close(s, &r);
}

static void on_end(void *context)
{
    session *s = context;
    smtpd *d = s->smtpd;
    log_event(LOG_INFO, "disconnect", LOG_C("session", s->id), LOG_C("client", s->client), LOG_NUM("errors", s->errors));
    notice_send(s);
    transcript_free(&s->transcript);
    transaction_clear(s);
    meter_forget(s);
    sasl_close(&s->sasl);
    timer_close(&s->life);
    timer_close(&s->delay);
    d->sessions.p[s->slot] = NULL;
    *vec_add(&d->free_slots) = s->slot;
    d->session_count--;
    arena_free(&s->arena);
    arena_free(&s->tx.arena);
    generation_release(s->generation);
    free((char *)(uintptr_t)s->service.p);
    free(s);
    daemon_session_closed(d->process);
}

static const stream_handler handlers = { .on_input = on_input, .on_idle = on_idle, .on_end = on_end };

static void client_name(session *s, const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, s->client, sizeof s->client);
    else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], s->client, sizeof s->client);
    else if (from->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, s->client, sizeof s->client);
    else if (from->ss_family == AF_UNIX)
        snprintf(s->client, sizeof s->client, "127.0.0.1"); /* as from any program of this host */
    s->is_local = from->ss_family == AF_UNIX;
}

/* The banner: limits first, then the client's own restrictions if they do not wait for RCPT. */
static void connect_decided(session *s, const policy_answer *a)
{
    if (a->code >= 400) {
        reply r = policy_reply(s, a);
        r.code = a->code >= 500 ? 554 : 421;
        session_close(s, &r);
        return;
    }
    s->policy_flags |= a->flags;
    reply banner = { 220, STR_NONE, s->config->smtpd_banner, 0 };
    session_settle(s, (verdict){ PHASE_HELLO, banner });
}

void session_greet(session *s)
{
    static const policy_answer fine = { .code = 250 };
    if (s->config->smtpd_delay_reject || s->config->smtpd_client_restrictions.n == 0)
        connect_decided(s, &fine);
    else
        policy_question(s, POLICY_STAGE_CONNECT, STR_NONE, connect_decided);
}

static void connection_counted(session *s, bool is_allowed)
{
    reply r = reply_of(REPLY_TOO_MANY_CONNECTIONS);
    str words = is_allowed ? STR_NONE : meter_words(s, "many connections");
    r.words = arena_printf(&s->arena, "%.*s %.*s", STR_ARG(s->config->myhostname), STR_ARG(words));
    if (is_allowed)
        session_greet(s);
    else
        session_close(s, &r);
}

static void limits_check(session *s)
{
    reply r = reply_of(REPLY_TOO_MANY_SESSIONS);
    if (s->smtpd->session_count > s->config->smtpd_session_limit)
        session_close(s, &r);
    else
        meter_question(s, connection_counted);
}

/* In clear nothing is said here. */
static void wrapper_counted(session *s, bool is_allowed)
{
    if (!is_allowed) {
        session_close(s, NULL);
        return;
    }
    tls_begin(&s->stream, s->smtpd->tls, "smtp", str_c(s->id));
    limits_check(s);
}

static void log_connect(const session *s, const accepted *a)
{
    if (s->is_local)
        log_event(LOG_INFO, "connect", LOG_C("session", s->id), LOG_NUM("uid", a->uid), LOG_NUM("pid", a->pid),
                  LOG_STR("service", s->service));
    else
        log_event(LOG_INFO, "connect", LOG_C("session", s->id), LOG_C("client", s->client), LOG_STR("service", s->service));
}

void session_open(listener *l, const accepted *a)
{
    smtpd *d = l->daemon->state;
    session *s = memory_get(sizeof *s);
    if (!slot_take(d, s)) {
        close(a->fd);
        free(s);
        return;
    }
    char *key = memory_get(l->service.n + 1);
    memcpy(key, l->service.p, l->service.n);
    s->smtpd = d;
    s->service = (str){ key, l->service.n };
    s->generation = generation_hold(l->daemon->current);
    s->config = generation_config(s->generation, s->service);
    s->arena = arena_new(s->config->session_memory_limit);
    s->tx = (transaction){ .arena = arena_new(s->config->session_memory_limit), .fd = -1 };
    s->phase = PHASE_GREET;
    transcript_open(&s->transcript, s->config->notify_classes);
    s->lines = line_reader_new(s->config->line_length_limit, false);
    client_name(s, &a->address);
    session_id_make(&d->ids, "", s->id);
    s->is_unlimited = is_lmtp(s) || networks_match(&d->trusted, (const struct sockaddr *)&a->address);
    s->is_trusted_newline = networks_match(&d->newline_exceptions, (const struct sockaddr *)&a->address);
    d->session_count++;
    daemon_session_opened(d->process);
    stream_open(&s->stream, d->process->loop, a->fd, INPUT_MAX, is_lmtp(s) ? LMTP_OUTPUT_MAX : OUTPUT_MAX, &handlers, s);
    stream_set_idle(&s->stream, s->config->smtpd_tls_wrappermode ? s->config->smtpd_starttls_timeout : s->config->smtpd_timeout);
    timer_open(&s->life, d->process->loop, on_life_over, s);
    timer_set(&s->life, s->config->smtpd_session_time_limit * 1000);
    timer_open(&s->delay, d->process->loop, delay_over, s);
    log_connect(s, a);
    if (s->config->smtpd_tls_wrappermode && d->tls == NULL) {
        log_event(LOG_ERROR, "no-tls", LOG_C("session", s->id), LOG_C("reason", "smtpd_tls_wrappermode without a certificate"));
        session_close(s, NULL); /* in clear nothing is said here */
        return;
    }
    if (s->config->smtpd_tls_wrappermode)
        meter_count(s, METER_TLS_SESSIONS, wrapper_counted);
    else
        limits_check(s);
}
