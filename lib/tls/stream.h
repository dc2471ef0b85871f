/* TLS under a stream, the server's side: the handshake runs when the stream next reads or writes. Its time limit is the
 * stream's idle time, which bytes of a handshake do not renew. The stream owns the session and the hold on the context.
 * Fails: a peer that breaks TLS ends its stream, with one line in the log. */
#pragma once
#include "loop/stream.h"
#include "tls/context.h"

/* Begins TLS on a stream: what was written before leaves in clear at once (a peer that does not even take "go ahead"
 * loses its stream), what was read in clear and not taken is forgotten (RFC 3207 4.2). `protocol`, static, is the only
 * name that ALPN accepts ("smtp", "imap", "pop3"); a client without ALPN is fine. `id`: of the session, for the log. */
void tls_begin(stream *s, tls_context *c, const char *protocol, str id);

bool tls_is_on(const stream *s);          /* tls_begin was called */
bool tls_is_established(const stream *s); /* and the handshake is done */

/* "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", for Received and the log; nothing before the handshake
 * is done. */
void tls_describe(const stream *s, buf *out);

bool tls_was_resumed(const stream *s);
