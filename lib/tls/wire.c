/* Between OpenSSL and the socket: what will be followed by more at once goes out with it, in one packet and with one waking of the
 * peer. OpenSSL's own socket BIO sends each piece for itself. */
#include "tls/internal.h"
#include <errno.h>
#include <openssl/bio.h>
#include <sys/socket.h>
#include <unistd.h>

static BIO_METHOD *method;

/* A ticket of TLS 1.3 comes after the handshake, just before the answer to what the client sent with its Finished; the last
 * reply, before the goodbye. */
static int flags(const tls_session *t)
{
    bool is_followed = SSL_get_state(t->ssl) == TLS_ST_SW_SESSION_TICKET || t->is_last_write;
    return MSG_NOSIGNAL | (is_followed ? MSG_MORE : 0);
}

static int wire_write(BIO *b, const char *bytes, int n)
{
    const tls_session *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t put = send(t->stream->fd, bytes, (size_t)n, flags(t));
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    return (int)put;
}

static int wire_read(BIO *b, char *bytes, int n)
{
    tls_session *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t got = read(t->stream->fd, bytes, (size_t)n);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    t->is_at_end = got == 0;
    return (int)got;
}

static long wire_ctrl(BIO *b, int command, long n, void *p)
{
    const tls_session *t = BIO_get_data(b);
    (void)n, (void)p;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1; /* nothing is kept here */
    case BIO_CTRL_EOF: return t->is_at_end;
    default: return 0;
    }
}

bool tls_wire_load(void)
{
    if (method)
        return true;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a stream");
    return method && BIO_meth_set_write(method, wire_write) && BIO_meth_set_read(method, wire_read) &&
           BIO_meth_set_ctrl(method, wire_ctrl);
}

bool tls_wire_open(tls_session *t)
{
    BIO *b = tls_wire_load() ? BIO_new(method) : NULL;
    if (b == NULL)
        return false;
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    SSL_set_bio(t->ssl, b, b);
    return true;
}
