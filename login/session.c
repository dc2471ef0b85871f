#include "login/session.h"
#include "base/log.h"
#include "base/memory.h"
#include "conf/networks.h"
#include "conf/list.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/meter.h"
#include "login/pump.h"
#include "tls/stream.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLOSE_TIME_S = 60 /* for a client that does not take its last answer */ };

void session_reply(session *s, const char *format, ...)
{
    buf text = buf_new(SESSION_IN_MAX);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    stream_write(&s->stream, buf_str(&text));
    buf_free(&text);
}

bool session_has_tls(const session *s)
{
    return tls_is_on(&s->stream);
}

bool session_may_log_in(const session *s)
{
    return session_has_tls(s) || !s->config->login_tls_required;
}

bool session_offers_tls(const session *s)
{
    return s->front->tls && !session_has_tls(s);
}

bool session_offers(const session *s, str mechanism)
{
    return sasl_mechanism_find(mechanism) != SASL_NONE && list_has(s->config->auth_mechanisms, mechanism);
}

static void wait_for(session *s, peer *p)
{
    s->asked = p;
    s->ref = ++s->front->last_ref;
    p->asked++;
    map_put(&s->front->asked, (str){ (char *)&s->ref, sizeof s->ref }, s);
}

static void stop_waiting(session *s)
{
    if (s->asked == NULL)
        return;
    map_remove(&s->front->asked, (str){ (char *)&s->ref, sizeof s->ref });
    if (s->asked->asked)
        s->asked->asked--;
    s->asked = NULL;
}

session *session_by_ref(front *f, const peer *p, uint32_t ref)
{
    session *s = map_get(&f->asked, (str){ (char *)&ref, sizeof ref });
    if (s == NULL || s->asked != p)
        return NULL;
    stop_waiting(s);
    return s;
}

static void meter_put(const session *s, uint16_t type, peer *p)
{
    const config *c = s->config;
    networks spared = { 0 };
    networks_read(c->smtpd_client_event_limit_exceptions, &spared);
    bool is_spared = networks_match_text(&spared, str_c(s->client));
    networks_free(&spared);
    meter_event m = { .service = s->service, .client_address = str_c(s->client),
                      .count_limit = is_spared ? 0 : (uint32_t)c->login_client_connection_count_limit,
                      .rate_unit_s = (uint32_t)c->anvil_rate_time_unit };
    channel_put(&p->channel, type, s->ref, meter_event, &m);
}

void session_finish(session *s, const char *reason)
{
    if (s->phase == AT_END)
        return;
    s->phase = AT_END;
    s->end_reason = reason;
    if (!s->stream_has_ended) {
        timer_set(&s->deadline, CLOSE_TIME_S * 1000);
        stream_finish(&s->stream);
    }
}

static void session_begin(session *s)
{
    s->phase = AT_COMMANDS;
    if (s->config->tls_wrappermode && s->front->tls == NULL) {
        session_finish(s, "TLS is asked for and there is no certificate");
        return;
    }
    if (s->config->tls_wrappermode)
        tls_begin(&s->stream, s->front->tls, s->dialect->protocol, str_c(s->id));
    s->dialect->greet(s);
    stream_resume(&s->stream);
}

void session_on_meter(session *s, bool is_allowed)
{
    if (is_allowed) {
        session_begin(s);
        return;
    }
    if (!s->config->tls_wrappermode)
        s->dialect->bye(s, "Too many connections from your address.");
    session_finish(s, "too many connections from this client");
}

bool session_is_http(str line)
{
    static const str verbs[] = { STR_ROW("GET "), STR_ROW("POST "), STR_ROW("HEAD "), STR_ROW("PUT "),
                                 STR_ROW("OPTIONS "), STR_ROW("CONNECT "), STR_ROW("DELETE "), STR_ROW("PATCH ") };
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_starts(line, verbs[i]))
            return true;
    return false;
}

bool session_count_command(session *s)
{
    if (++s->commands <= COMMANDS_MAX)
        return true;
    s->dialect->bye(s, "Too many commands before login.");
    session_finish(s, "too many commands before login");
    return false;
}

bool session_count_error(session *s)
{
    if (++s->errors < ERRORS_MAX)
        return true;
    s->dialect->bye(s, "Too many bad commands.");
    session_finish(s, "too many bad commands");
    return false;
}

/* RFC 3501 6.2.1, RFC 2595 4: nothing that was said in clear counts afterwards. */
void session_begin_tls(session *s)
{
    s->dialect->reset(s);
    tls_begin(&s->stream, s->front->tls, s->dialect->protocol, str_c(s->id));
}

static void login_failed(session *s, fault_kind why)
{
    s->phase = AT_COMMANDS;
    s->dialect->refuse(s, why);
    if (++s->failures >= LOGINS_MAX) {
        s->dialect->bye(s, "Too many failed logins.");
        session_finish(s, "too many failed logins");
        return;
    }
    stream_resume(&s->stream);
}

void session_note_command(session *s, str tag, const char *verb)
{
    snprintf(s->tag, sizeof s->tag, "%.*s", STR_ARG(tag));
    s->verb = verb;
}

void session_log_in(session *s, const sasl_plain *credentials)
{
    peer *pool = daemon_peer(s->front->process, s->dialect->pool), *judge = daemon_peer(s->front->process, "auth");
    stream_pause(&s->stream);
    if (pool == NULL || judge == NULL) {
        login_failed(s, FAULT_TRY_LATER);
        return;
    }
    s->phase = AT_AUTH;
    s->pool = pool->instance;
    wait_for(s, judge);
    auth_login m = { .service = str_c(s->dialect->protocol), .client_address = str_c(s->client),
                     .session = str_c(s->id), .authorization = credentials->authorization, .user = credentials->user,
                     .password = credentials->password, .pool = s->pool };
    channel_put(&judge->channel, AUTH_LOGIN, s->ref, auth_login, &m);
}

void session_on_auth(session *s, fault_kind outcome, uint64_t token)
{
    if (outcome != FAULT_NONE) {
        login_failed(s, outcome == FAULT_TRY_LATER ? FAULT_TRY_LATER : FAULT_REFUSED);
        return;
    }
    s->token = token;
    s->phase = AT_HANDOVER;
    if (stream_unsent(&s->stream) == 0)
        pump_hand_over(s);
}

void session_lose(session *s, const peer *p)
{
    if (s->asked != p)
        return;
    phase was = s->phase;
    stop_waiting(s);
    if (was == AT_METER)
        session_on_meter(s, true); /* a missing meter must not keep anybody out */
    else if (was == AT_AUTH)
        login_failed(s, FAULT_TRY_LATER);
}

void session_drain(session *s)
{
    if (s->phase == AT_PUMP || s->phase == AT_HANDOVER || s->phase == AT_END)
        return;
    stop_waiting(s);
    if (s->phase != AT_METER)
        s->dialect->bye(s, "The server is going down.");
    session_finish(s, "the process ends");
}

static size_t on_input(void *context, str bytes)
{
    session *s = context;
    if (s->phase == AT_PUMP)
        return pump_input(s, bytes);
    if (s->phase != AT_COMMANDS)
        return s->phase == AT_END ? bytes.n : 0;
    size_t used = s->dialect->input(s, bytes);
    if (s->phase == AT_AUTH) /* a password stood there */
        secret_wipe((char *)(uintptr_t)bytes.p, used);
    return used;
}

static void on_drained(void *context)
{
    session *s = context;
    if (s->phase == AT_HANDOVER)
        pump_hand_over(s);
    else if (s->phase == AT_PUMP)
        pump_client_drained(s);
}

static void on_peer_done(void *context)
{
    session *s = context;
    if (s->phase == AT_PUMP)
        pump_client_done(s);
    else
        session_finish(s, "the client closed the connection");
}

static void on_deadline(void *context)
{
    session *s = context;
    bool is_mute = session_has_tls(s) && !tls_is_established(&s->stream);
    if (s->phase == AT_END || is_mute) {
        s->end_reason = s->end_reason ? s->end_reason : "no TLS handshake in time";
        s->phase = AT_END;
        stream_abort(&s->stream);
        return;
    }
    s->dialect->bye(s, "Disconnected: no login in time.");
    session_finish(s, "no login in time");
}

void session_free(session *s)
{
    peer *meter = daemon_peer(s->front->process, "meter");
    if (s->is_counted && meter)
        meter_put(s, METER_CLOSE, meter);
    stop_waiting(s);
    if (s->is_fresh)
        map_remove(&s->front->handed, (str){ (char *)&s->token, sizeof s->token });
    log_event(LOG_INFO, "disconnected", LOG_C("session", s->id), LOG_C("client", s->client),
              LOG_C("reason", s->end_reason ? s->end_reason : "the connection broke"));
    timer_close(&s->deadline);
    s->dialect->reset(s);
    generation_release(s->generation);
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    process *p = s->front->process;
    free((char *)(uintptr_t)s->service.p);
    free(s);
    daemon_session_closed(p);
}

static void on_end(void *context)
{
    session *s = context;
    s->stream_has_ended = true;
    if (s->has_inner && !s->inner_has_ended)
        stream_abort(&s->inner); /* its end frees the session */
    else
        session_free(s);
}

static const stream_handler client_handler = { .on_input = on_input, .on_drained = on_drained, .on_end = on_end,
                                               .on_peer_done = on_peer_done };

static void address_write(const struct sockaddr_storage *a, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)a;
    snprintf(out, INET6_ADDRSTRLEN, "unknown");
    if (a->ss_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, out, INET6_ADDRSTRLEN);
    else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
    else if (a->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, out, INET6_ADDRSTRLEN);
}

static session *session_new(listener *l, const accepted *a)
{
    front *f = l->daemon->state;
    session *s = memory_get(sizeof *s);
    generation *g = generation_hold(l->daemon->current);
    const config *c = generation_config(g, l->service);
    *s = (session){ .front = f, .next = f->sessions, .at = &f->sessions, .generation = g, .config = c,
                    .dialect = c->login_protocol == LOGIN_POP3 ? &pop3_dialect : &imap_dialect, .phase = AT_METER };
    char *key = memory_get(l->service.n + 1);
    memcpy(key, l->service.p, l->service.n);
    s->service = (str){ key, l->service.n };
    if (s->next)
        s->next->at = &s->next;
    f->sessions = s;
    session_id_make(&f->ids, "L", s->id);
    address_write(&a->address, s->client);
    s->dialect->reset(s);
    return s;
}

void session_accept(listener *l, const accepted *a)
{
    session *s = session_new(l, a);
    bool is_full = l->daemon->sessions >= s->config->login_session_limit;
    daemon_session_opened(l->daemon);
    stream_open(&s->stream, l->daemon->loop, a->fd, SESSION_IN_MAX, SESSION_OUT_MAX, &client_handler, s);
    stream_pause(&s->stream);
    timer_open(&s->deadline, l->daemon->loop, on_deadline, s);
    timer_set(&s->deadline, s->config->login_timeout * 1000);
    log_event(LOG_INFO, "connected", LOG_C("session", s->id), LOG_STR("service", s->service),
              LOG_C("client", s->client));
    peer *meter = daemon_peer(l->daemon, "meter");
    if (is_full) {
        if (!s->config->tls_wrappermode)
            s->dialect->bye(s, "Too many connections.");
        session_finish(s, "login_session_limit");
    } else if (meter) {
        s->is_counted = true;
        wait_for(s, meter);
        meter_put(s, METER_OPEN, meter);
    } else {
        session_begin(s);
    }
}
