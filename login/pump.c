#include "login/pump.h"
#include "base/log.h"
#include "ipc/talk/session.h"
#include "tls/stream.h"
#include <sys/socket.h>
#include <unistd.h>

static str token_key(const session *s)
{
    return (str){ (const char *)&s->token, sizeof s->token };
}

static void put_open(session *s, peer *pool, str input, int fd)
{
    const config *c = s->config;
    uint64_t timeout_s = s->dialect == &imap_dialect ? c->imap_timeout : c->pop3_timeout;
    session_open m = { .token = s->token, .session = str_c(s->id), .client = str_c(s->client), .tag = str_c(s->tag),
                       .verb = str_c(s->verb), .input = input, .has_tls = session_has_tls(s),
                       .timeout_s = (uint32_t)timeout_s };
    channel_put_fds(&pool->channel, SESSION_OPEN, ++s->front->last_ref, session_open, &m, &fd, 1);
}

static void give_socket(session *s, peer *pool)
{
    buf left = buf_new(SESSION_IN_MAX);
    s->phase = AT_END;
    s->end_reason = "handed over";
    int fd = stream_detach(&s->stream, &left);
    put_open(s, pool, buf_str(&left), fd);
    buf_free(&left);
}

static void not_fresh(session *s)
{
    if (s->is_fresh)
        map_remove(&s->front->handed, token_key(s));
    s->is_fresh = false;
}

static size_t inner_input(void *context, str bytes)
{
    session *s = context;
    not_fresh(s);
    s->front->pumped_bytes += bytes.n;
    stream_write(&s->stream, bytes);
    if (stream_unsent(&s->stream) > PUMP_HIGH)
        stream_pause(&s->inner);
    return bytes.n;
}

static void inner_drained(void *context)
{
    session *s = context;
    if (s->client_is_done)
        shutdown(s->inner.fd, SHUT_WR);
    else
        stream_resume(&s->stream);
}

static void inner_done(void *context)
{
    session *s = context;
    if (s->is_fresh) {
        pump_refused(s);
        return;
    }
    session_finish(s, "the session is over");
    stream_abort(&s->inner);
}

static void inner_end(void *context)
{
    session *s = context;
    s->inner_has_ended = true;
    if (s->stream_has_ended)
        session_free(s);
    else
        session_finish(s, "the worker is gone");
}

static const stream_handler inner_handler = { .on_input = inner_input, .on_drained = inner_drained,
                                              .on_end = inner_end, .on_peer_done = inner_done };

static void log_tls(const session *s)
{
    buf text = buf_new(200);
    tls_describe(&s->stream, &text);
    log_event(LOG_INFO, "handed-over", LOG_C("session", s->id), LOG_STR("tls", buf_str(&text)));
    buf_free(&text);
}

static void give_pair(session *s, peer *pool)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        log_fault(LOG_ERROR, "no-socketpair", fault_errno("socketpair"));
        session_on_auth(s, FAULT_TRY_LATER, 0);
        return;
    }
    stream_open(&s->inner, s->stream.loop, pair[0], PUMP_HIGH, SESSION_OUT_MAX, &inner_handler, s);
    s->has_inner = s->is_fresh = true;
    s->phase = AT_PUMP;
    map_put(&s->front->handed, token_key(s), s);
    timer_stop(&s->deadline);
    s->dialect->reset(s); /* its memory is not needed any more */
    put_open(s, pool, STR_NONE, pair[1]);
    log_tls(s);
    stream_resume(&s->stream);
}

void pump_hand_over(session *s)
{
    peer *pool = daemon_peer_instance(s->front->process, s->dialect->pool, s->pool);
    if (pool == NULL)
        session_on_auth(s, FAULT_TRY_LATER, 0);
    else if (session_has_tls(s))
        give_pair(s, pool);
    else
        give_socket(s, pool);
}

void pump_refused(session *s)
{
    not_fresh(s);
    if (s->phase != AT_PUMP)
        return;
    s->dialect->refuse(s, FAULT_TRY_LATER);
    s->dialect->bye(s, "Try again later.");
    session_finish(s, "no worker could be had");
    stream_abort(&s->inner);
}

size_t pump_input(session *s, str bytes)
{
    s->front->pumped_bytes += bytes.n;
    stream_write(&s->inner, bytes);
    if (stream_unsent(&s->inner) > PUMP_HIGH)
        stream_pause(&s->stream);
    return bytes.n;
}

void pump_client_drained(session *s)
{
    if (!s->inner_has_ended)
        stream_resume(&s->inner);
}

void pump_client_done(session *s)
{
    s->client_is_done = true;
    if (!s->inner_has_ended && stream_unsent(&s->inner) == 0)
        shutdown(s->inner.fd, SHUT_WR);
}
