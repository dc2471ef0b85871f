/* The trace field that we add (RFC 5321 4.4, keywords of RFC 3848 and RFC 6531 4.3), and the count of those that are
 * there. Runs in: cleanup, sendmail. The holder owns all texts. Hostile bytes in them come out as '?', so that the
 * field has always one shape. */
#pragma once
#include "mail/date.h"

typedef struct trace_field {
    str helo;        /* as the client said it; empty: none */
    str client_name; /* verified name; empty: unknown */
    str client_ip;   /* "192.0.2.1" or "2001:db8::1"; empty: the message came from a local program */
    bool is_esmtp, is_lmtp, has_login, is_utf8;
    str tls_version, tls_cipher; /* empty: no TLS */
    unsigned tls_bits;           /* 0: not shown */
    str host;                    /* ours */
    str id;                      /* queue id */
    str recipient;               /* shown when the message has just this one, else empty */
    uint64_t uid;                /* of the local program's user, without client_ip */
    date when;
} trace_field;

/* Appends the whole field with its line ends (CRLF). */
bool received_append(buf *out, const trace_field *r);

/* Received fields in a header block: the hop count. */
unsigned received_count(str header_block);
