/* A login process with everybody whom it talks with, over real channels in one loop, and a client on a socketpair. */
#pragma once
#include "base/log.h"
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/meter.h"
#include "ipc/talk/session.h"
#include "login/session.h"
#include "login/sleep.h"
#include "tls/stream.h"
#include "../tls/certificate.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORLD_CONFIGS = 1, TOKEN = 4711 };

typedef struct world {
    process process;
    generation generation;
    snapshot_service service;
    program program;
    front front;
    listener listener;
    channel meter, auth, pool;
    timer stop;
    int client; /* -1: none */
    /* what the others do and saw */
    bool meter_refuses, auth_is_deaf, pool_refuses;
    fault_kind auth_says;
    unsigned opens, closes, logins, sessions;
    char user[400], password[400], authorization[100], service_name[20], client_address[60];
    char tag[100], verb[20], input[400], state[100];
    uint64_t token;
    uint32_t has_tls;
    int given; /* what the pool got */
    /* the client's TLS */
    SSL_CTX *client_ctx;
    SSL *ssl;
} world;

static inline void keep(char *out, size_t size, str s)
{
    snprintf(out, size, "%.*s", STR_ARG(s));
}

static inline bool world_meter_open(void *context, channel *c, received *r)
{
    world *w = context;
    meter_event m = { 0 };
    assert_int_equal(meter_event_decode(r->bytes, &m), PARSE_DONE);
    w->opens++;
    meter_answer answer = { .is_allowed = !w->meter_refuses };
    return channel_put(c, METER_ANSWER, r->ref, meter_answer, &answer);
}

static inline bool world_meter_close(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((world *)context)->closes++;
    return true;
}

static inline bool world_auth(void *context, channel *c, received *r)
{
    world *w = context;
    auth_login m = { 0 };
    assert_int_equal(auth_login_decode(r->bytes, &m), PARSE_DONE);
    w->logins++;
    keep(w->user, sizeof w->user, m.user);
    keep(w->password, sizeof w->password, m.password.hidden);
    keep(w->authorization, sizeof w->authorization, m.authorization);
    keep(w->service_name, sizeof w->service_name, m.service);
    keep(w->client_address, sizeof w->client_address, m.client_address);
    if (w->auth_is_deaf)
        return true;
    bool is_right = w->auth_says == FAULT_NONE && str_equal(m.password.hidden, STR("secret"));
    auth_answer answer = { .outcome = is_right ? FAULT_NONE : w->auth_says ? w->auth_says : FAULT_REFUSED,
                           .token = is_right ? TOKEN : 0, .user = m.user };
    return channel_put(c, AUTH_ANSWER, r->ref, auth_answer, &answer);
}

static inline bool world_open(void *context, channel *c, received *r)
{
    world *w = context;
    session_open m = { 0 };
    assert_int_equal(session_open_decode(r->bytes, &m), PARSE_DONE);
    w->sessions++;
    keep(w->tag, sizeof w->tag, m.tag);
    keep(w->verb, sizeof w->verb, m.verb);
    keep(w->input, sizeof w->input, m.input);
    keep(w->state, sizeof w->state, m.state);
    w->token = m.token;
    w->has_tls = m.has_tls;
    int fd = r->fds[0];
    r->fds[0] = -1;
    if (w->pool_refuses) {
        session_refused refused = { .token = m.token, .tag = m.tag, .reason = STR("no worker") };
        return channel_put_fds(c, SESSION_REFUSED, r->ref, session_refused, &refused, &fd, 1);
    }
    w->given = fd;
    return true;
}

static const talk_row world_meter_rows[] = { { METER_OPEN, 0, 0, world_meter_open },
                                             { METER_CLOSE, 0, 0, world_meter_close } };
static const talk_row world_auth_rows[] = { { AUTH_LOGIN, 0, 0, world_auth } };
static const talk_row world_pool_rows[] = { { SESSION_OPEN, 1, 1, world_open } };
static const talk world_meter_talk = { "meter", world_meter_rows, COUNT_OF(world_meter_rows), NULL };
static const talk world_auth_talk = { "auth", world_auth_rows, COUNT_OF(world_auth_rows), NULL };
static const talk world_pool_talk = { "pool", world_pool_rows, COUNT_OF(world_pool_rows), NULL };

static inline void world_attach(world *w, channel *c, const talk *t, const char *role)
{
    int pair[2];
    assert_true(channel_pair(pair));
    daemon_peer_add(&w->process, str_c(role), 0, pair[0]);
    channel_open(c, w->process.loop, pair[1], t, w);
}

static inline void world_stop(void *context)
{
    loop_stop(((world *)context)->process.loop);
}

/* Lets everybody do what they can do now: a chain of steps of all, however slow the machine is. */
static inline void rounds(world *w)
{
    for (int i = 0; i < 10; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static inline void world_tls(world *w)
{
    buf certificate = buf_new(100000), key = buf_new(100000);
    certificate_make("mx.example.test", &certificate, &key);
    assert_false(is_fault(tls_context_make(buf_str(&certificate), (secret){ buf_str(&key) }, (secret){ STR_NONE }, &w->front.tls)));
    buf_free(&certificate);
    buf_free(&key);
}

static inline void world_open_all(world *w, unsigned protocol)
{
    *w = (world){ .client = -1, .given = -1 };
    w->generation.holders = 1;
    w->service = (snapshot_service){ .key = STR("test/inet") };
    w->service.config = (config){ .myhostname = STR("mx.example.test"), .mail_name = STR("Postrider"),
                                  .auth_mechanisms = STR("plain login"), .login_timeout = 60,
                                  .login_session_limit = 100, .login_protocol = protocol, .imap_timeout = 1800,
                                  .pop3_timeout = 600, .anvil_rate_time_unit = 60,
                                  .login_client_connection_count_limit = 10 };
    w->generation.snapshot.services = &w->service;
    w->generation.snapshot.service_count = 1;
    w->program = (program){ .peers = front_peers, .peer_count = front_peer_count };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .current = &w->generation,
                            .state = &w->front, .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->front.process = &w->process;
    w->listener = (listener){ .daemon = &w->process, .service = STR("test/inet") };
    timer_open(&w->stop, w->process.loop, world_stop, w);
    world_attach(w, &w->meter, &world_meter_talk, "meter");
    world_attach(w, &w->auth, &world_auth_talk, "auth");
    world_attach(w, &w->pool, &world_pool_talk, protocol == LOGIN_POP3 ? "pop3d" : "imapd");
}

static inline void world_close_all(world *w)
{
    channel *all[] = { &w->meter, &w->auth, &w->pool };
    SSL_free(w->ssl);
    SSL_CTX_free(w->client_ctx);
    if (w->client >= 0)
        close(w->client);
    if (w->given >= 0)
        close(w->given);
    for (session *s = w->front.sessions; s; s = s->next)
        stream_abort(&s->stream);
    sleep_end_all(&w->front);
    rounds(w);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        channel_close(all[i]);
    rounds(w);
    assert_null(w->front.sessions);
    assert_null(w->process.peers);
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->front.asked.n, 0);
    assert_int_equal(w->front.handed.n, 0);
    assert_int_equal(w->generation.holders, 1);
    assert_int_equal(w->opens, w->closes);
    map_free(&w->front.asked);
    map_free(&w->front.handed);
    tls_context_release(w->front.tls);
    loop_free(w->process.loop);
}

static inline void client_connect(world *w)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    accepted a = { .fd = pair[0] };
    struct sockaddr_in *address = (struct sockaddr_in *)&a.address;
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(0xc0000201);
    w->client = pair[1];
    session_accept(&w->listener, &a);
    rounds(w);
}

static inline void say(world *w, const char *text)
{
    assert_int_equal(write(w->client, text, strlen(text)), (ssize_t)strlen(text));
    rounds(w);
}

/* All that the client has got since the last call; "EOF" behind it when the connection has ended. */
static inline const char *heard(world *w)
{
    static char text[300000];
    size_t n = 0;
    ssize_t got;
    while ((got = read(w->client, text + n, sizeof text - n - 8)) > 0)
        n += (size_t)got;
    text[n] = 0;
    if (got == 0 || (got < 0 && errno != EAGAIN))
        memcpy(text + n, "EOF", 4);
    return text;
}

#define assert_hears(w, want) assert_string_equal(heard(w), want)

static inline bool hears(world *w, const char *part)
{
    const char *text = heard(w);
    bool does = strstr(text, part) != NULL;
    if (!does)
        print_error("\"%s\" is not in \"%s\"\n", part, text);
    return does;
}

/* The client's side of TLS, in the same loop: tries, lets the others run, tries again. */
static inline bool client_tls(world *w)
{
    if (w->client_ctx == NULL)
        w->client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_free(w->ssl);
    w->ssl = SSL_new(w->client_ctx);
    SSL_set_fd(w->ssl, w->client);
    for (int i = 0; i < 10; i++) {
        int done = SSL_connect(w->ssl);
        if (done == 1)
            return true;
        int why = SSL_get_error(w->ssl, done);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return false;
        rounds(w);
    }
    return false;
}

static inline void say_tls(world *w, const char *text)
{
    assert_int_equal(SSL_write(w->ssl, text, (int)strlen(text)), (int)strlen(text));
    rounds(w);
}

static inline const char *heard_tls(world *w)
{
    static char text[300000];
    size_t n = 0;
    int got;
    while ((got = SSL_read(w->ssl, text + n, (int)(sizeof text - n - 8))) > 0)
        n += (size_t)got;
    text[n] = 0;
    if (SSL_get_error(w->ssl, got) != SSL_ERROR_WANT_READ)
        memcpy(text + n, "EOF", 4);
    return text;
}

#define assert_hears_tls(w, want) assert_string_equal(heard_tls(w), want)
