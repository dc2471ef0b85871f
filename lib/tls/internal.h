/* What contexts and streams share. For lib/tls only. */
#pragma once
#include "base/fault.h"
#include "loop/stream.h"
#include "tls/context.h"
#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *ctx;
    unsigned holders;
};

typedef struct tls_session {
    SSL *ssl;
    tls_context *context;
    const char *protocol;
    const stream *stream;
    char id[40];
    bool is_established, is_broken, is_at_end;
    bool is_last_write; /* the goodbye follows */
} tls_session;

fault tls_fault(fault_kind kind, const char *what); /* with the reason from OpenSSL's error queue, which is empty then */

/* wire.c */
bool tls_wire_load(void);            /* to be called before become() */
bool tls_wire_open(tls_session *t); /* the session's SSL reads and writes its stream's descriptor; false: no memory */
