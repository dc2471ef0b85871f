/* A session with TLS under a stream, and OpenSSL's own client at the other end, in a thread with a blocking socket. */
#pragma once
#include "tls/stream.h"
#include "certificate.h"
#include <openssl/ssl.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { BULK = 3 * 1024 * 1024 };

typedef struct fixture {
    loop *loop;
    stream stream;
    tls_context *context;
    SSL_CTX *client_ctx;
    SSL_SESSION *session; /* for resumption */
    int client_fd;
    size_t sent_to_us;
    buf got, description;
    bool echoes, greets, finishes, was_resumed;
    unsigned ended;
    uint64_t idle_s;
} fixture;

static inline size_t on_input(void *context, str bytes)
{
    fixture *f = context;
    f->sent_to_us += bytes.n;
    if (f->description.n == 0)
        tls_describe(&f->stream, &f->description);
    f->was_resumed = tls_was_resumed(&f->stream);
    buf_append(&f->got, str_upto(bytes, 64));
    if (f->echoes)
        stream_write(&f->stream, bytes);
    if (f->finishes)
        stream_finish(&f->stream);
    return bytes.n;
}

static inline void on_idle(void *context)
{
    stream_abort(&((fixture *)context)->stream);
}

static inline void on_end(void *context)
{
    fixture *f = context;
    f->ended++;
    loop_stop(f->loop);
}

static const stream_handler handler = { .on_input = on_input, .on_idle = on_idle, .on_end = on_end };

static const char ticket_keys[] = "0123456789012345678901234567890123456789"
                                  "0123456789012345678901234567890123456789";

static inline tls_context *context_new(const char *tickets)
{
    buf certificate = buf_new(100000), key = buf_new(100000);
    tls_context *c;
    certificate_make("mx.example.test", &certificate, &key);
    assert_false(
        is_fault(tls_context_make(buf_str(&certificate), (secret){ buf_str(&key) }, (secret){ str_c(tickets) }, &c)));
    buf_free(&certificate);
    buf_free(&key);
    return c;
}

static inline int setup(void **state)
{
    static fixture f;
    f = (fixture){ .loop = loop_new(),
                   .context = context_new(ticket_keys),
                   .client_ctx = SSL_CTX_new(TLS_client_method()),
                   .got = buf_new(1 << 20),
                   .description = buf_new(200),
                   .idle_s = 10 };
    SSL_CTX_set_session_cache_mode(f.client_ctx, SSL_SESS_CACHE_CLIENT);
    *state = &f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    tls_context_release(f->context);
    SSL_CTX_free(f->client_ctx);
    SSL_SESSION_free(f->session);
    buf_free(&f->got);
    buf_free(&f->description);
    loop_free(f->loop);
    return 0;
}

typedef void *client(void *);

/* A session from its start to its end on both sides; what the client's thread returned. */
static inline void *serve(fixture *f, client *run, str in_clear)
{
    int pair[2];
    pthread_t thread;
    void *result;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(write(pair[1], in_clear.p, in_clear.n), (ssize_t)in_clear.n);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    f->client_fd = pair[1];
    stream_open(&f->stream, f->loop, pair[0], 64 * 1024, 2 * BULK, &handler, f);
    stream_set_idle(&f->stream, f->idle_s);
    tls_begin(&f->stream, f->context, "imap", STR("s1"));
    if (f->greets)
        stream_write(&f->stream, STR("* OK\r\n"));
    assert_int_equal(pthread_create(&thread, NULL, run, f), 0);
    loop_run(f->loop);
    assert_int_equal(pthread_join(thread, &result), 0);
    close(f->client_fd);
    return result;
}

static inline SSL *connect_tls(fixture *f)
{
    SSL *ssl = SSL_new(f->client_ctx);
    SSL_set_fd(ssl, f->client_fd);
    if (f->session)
        SSL_set_session(ssl, f->session);
    if (SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    shutdown(f->client_fd, SHUT_RDWR);
    return NULL;
}

static inline void leave(fixture *f, SSL *ssl)
{
    SSL_SESSION_free(f->session);
    f->session = SSL_get1_session(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    shutdown(f->client_fd, SHUT_WR);
}

static inline void *says_hello(void *context)
{
    fixture *f = context;
    char text[32] = "";
    SSL *ssl = connect_tls(f);
    if (ssl == NULL)
        return "no handshake";
    if (SSL_write(ssl, "hello", 5) != 5 || SSL_read(ssl, text, sizeof text) != 5)
        return "no echo";
    leave(f, ssl);
    return strcmp(text, "hello") == 0 ? NULL : "another echo";
}
