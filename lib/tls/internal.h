/* What contexts and streams share. For lib/tls only. */
#pragma once
#include "base/fault.h"
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
    char id[40];
    bool is_established, is_broken;
} tls_session;

fault tls_fault(fault_kind kind, const char *what); /* with the reason from OpenSSL's error queue, which is empty then */
