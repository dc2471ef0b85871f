/* The server's side of TLS: a certificate with its key, and what of TLS is allowed. Runs in: smtpd, login. A context is
 * counted: sessions hold the one that they began with, so that a new certificate takes effect for new sessions only.
 * Fails: FAULT_REFUSED, with OpenSSL's words, for a certificate or key that cannot be used. */
#pragma once
#include "base/fault.h"
#include "base/secret.h"

enum { TLS_PEM_MAX = 1024 * 1024, TLS_TICKET_KEYS_BYTES = 80 };

typedef struct tls_context tls_context;

/* Loads what OpenSSL would open later: its configuration, providers, random numbers. To be called before become(). */
void tls_preload(void);

/* `certificates`: the chain in PEM, the server's own first. `tickets`: TLS_TICKET_KEYS_BYTES that nobody can guess; a session may
 * resume (RFC 5077, RFC 8446 2.2) with any context that has the same. Empty: with this one alone. */
fault tls_context_make(str certificates, secret key, secret tickets, tls_context **out);

/* The same from sealed memory files (os/fd.h), which stay the caller's. */
fault tls_context_open(int certificates_fd, int key_fd, int tickets_fd, tls_context **out);

tls_context *tls_context_hold(tls_context *c);
void tls_context_release(tls_context *c); /* NULL is fine */
