#include "tls/stream.h"
#include "base/log.h"
#include "base/memory.h"
#include "tls/internal.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

static int length(size_t n)
{
    return n < INT_MAX ? (int)n : INT_MAX;
}

static ssize_t broken(tls_session *t)
{
    fault f = tls_fault(FAULT_BROKEN, t->is_established ? "TLS" : "TLS handshake");
    log_event(LOG_INFO, "tls-failed", LOG_C("session", t->id), LOG_C("reason", f.text));
    t->is_broken = true;
    errno = EPROTO;
    return -1;
}

/* What a failed SSL_read or SSL_write means in the terms of the system calls. */
static ssize_t outcome(tls_session *t, int result, unsigned *wants)
{
    int error = errno;
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *wants = WATCH_READ;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        *wants = WATCH_WRITE;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL: /* the connection is gone: of no interest to the log */
        t->is_broken = true;
        ERR_clear_error();
        errno = error ? error : ECONNRESET;
        return -1;
    default:
        return broken(t);
    }
}

static void handshake_done(tls_session *t)
{
    if (!t->is_established)
        t->is_established = SSL_is_init_finished(t->ssl) == 1;
}

static ssize_t tls_read(void *context, void *bytes, size_t n, unsigned *wants)
{
    tls_session *t = context;
    if (t->is_broken) {
        errno = EPROTO;
        return -1;
    }
    ERR_clear_error();
    errno = 0;
    int got = SSL_read(t->ssl, bytes, length(n));
    handshake_done(t);
    return got > 0 ? got : outcome(t, got, wants);
}

static ssize_t tls_write(void *context, const void *bytes, size_t n, unsigned *wants)
{
    tls_session *t = context;
    if (t->is_broken) {
        errno = EPROTO;
        return -1;
    }
    ERR_clear_error();
    errno = 0;
    t->is_last_write = t->stream->is_closing && n == t->stream->out.n;
    int put = SSL_write(t->ssl, bytes, length(n));
    handshake_done(t);
    return put > 0 ? put : outcome(t, put, wants);
}

static bool tls_pending(void *context)
{
    const tls_session *t = context;
    return !t->is_broken && SSL_has_pending(t->ssl) == 1 /* what was read ahead, too */;
}

static void tls_close(void *context)
{
    tls_session *t = context;
    ERR_clear_error();
    t->is_last_write = false;
    if (!t->is_broken && t->is_established)
        SSL_shutdown(t->ssl); /* says goodbye; the peer's is not waited for */
    SSL_free(t->ssl);
    ERR_clear_error();
    tls_context_release(t->context);
    free(t);
}

static const transport tls_transport = { tls_read, tls_write, tls_close, tls_pending };

void tls_begin(stream *s, tls_context *c, const char *protocol, str id)
{
    if (!stream_send(s)) {
        stream_abort(s);
        return;
    }
    tls_session *t = memory_get(sizeof *t);
    *t = (tls_session){ .ssl = SSL_new(c->ctx), .context = tls_context_hold(c), .protocol = protocol, .stream = s };
    snprintf(t->id, sizeof t->id, "%.*s", STR_ARG(id));
    bool is_set = t->ssl && tls_wire_open(t);
    assert(is_set); /* fails for want of memory only */
    SSL_set_app_data(t->ssl, t);
    SSL_set_accept_state(t->ssl);
    stream_discard_input(s);
    stream_set_transport(s, &tls_transport, t);
}

static const tls_session *session_of(const stream *s)
{
    return s->transport == &tls_transport ? s->transport_context : NULL;
}

bool tls_is_on(const stream *s)
{
    return session_of(s) != NULL;
}

bool tls_is_established(const stream *s)
{
    const tls_session *t = session_of(s);
    return t && t->is_established;
}

void tls_describe(const stream *s, buf *out)
{
    const tls_session *t = session_of(s);
    if (t == NULL || !t->is_established)
        return;
    int of = 0, bits = SSL_get_cipher_bits(t->ssl, &of);
    buf_printf(out, "%s with cipher %s (%d/%d bits)", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl), bits, of);
}

bool tls_was_resumed(const stream *s)
{
    const tls_session *t = session_of(s);
    return t && SSL_session_reused(t->ssl) == 1;
}
