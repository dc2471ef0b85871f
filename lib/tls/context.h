/* The server's side of TLS: a certificate with its key, and what of TLS is allowed. Runs in: smtpd, login. A context is
 * counted: sessions hold the one that they began with, so that a new certificate takes effect for new sessions only.
 * Fails: FAULT_REFUSED, with OpenSSL's words, for a certificate or key that cannot be used. */
#pragma once
#include "base/fault.h"
#include "base/secret.h"

enum { TLS_PEM_MAX = 1024 * 1024 };

typedef struct tls_context tls_context;

/* Loads what OpenSSL would open later: its configuration, providers, random numbers. To be called before become(). */
void tls_preload(void);

/* `certificates`: the chain in PEM, the server's own first. `old`, which may be NULL: its session tickets stay valid. */
fault tls_context_make(str certificates, secret key, const tls_context *old, tls_context **out);

/* The same from sealed memory files (os/fd.h), which stay the caller's. */
fault tls_context_open(int certificates_fd, int key_fd, const tls_context *old, tls_context **out);

tls_context *tls_context_hold(tls_context *c);
void tls_context_release(tls_context *c); /* NULL is fine */
