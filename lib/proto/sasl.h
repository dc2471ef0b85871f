/* SASL exchanges, server side: PLAIN (RFC 4616) and LOGIN, for SMTP, IMAP and POP3 alike. Runs in: smtpd, login.
 * Holds what the peer said until sasl_close, which overwrites it. Says nothing about whether the password is right.
 * Fails: SASL_BROKEN (answer 501 5.5.2, BAD, -ERR), never by anything but the peer's bytes. */
#pragma once
#include "base/buf.h"
#include "base/parse.h"
#include "base/secret.h"

enum {
    SASL_NAME_MAX = 320, /* RFC 4616 2 asks for 255; an address may have 320 */
    SASL_PASSWORD_MAX = 1024,
};

typedef struct sasl_plain {
    str authorization; /* whom to act as; empty: the same */
    str user;
    secret password;
} sasl_plain;

/* A decoded message "authzid NUL authcid NUL passwd". Views into it. Checks as sasl_name_is_valid. */
parse sasl_plain_parse(str message, sasl_plain *out);

/* 1 to SASL_NAME_MAX octets of UTF-8 without control characters: also for USER and LOGIN. */
bool sasl_name_is_valid(str name);
bool sasl_password_is_valid(str password); /* 1 to SASL_PASSWORD_MAX octets, no NUL */

typedef enum sasl_mechanism { SASL_NONE, SASL_PLAIN, SASL_LOGIN } sasl_mechanism;

/* Case ignored; SASL_NONE: not known. */
sasl_mechanism sasl_mechanism_find(str name);

typedef enum sasl_step {
    SASL_CHALLENGE, /* send `challenge` (base64, may be empty) behind "334 " or "+ "; next line: sasl_respond */
    SASL_FINISHED,  /* `credentials` is set, lives until sasl_close */
    SASL_CANCELLED, /* the client sent "*" */
    SASL_BROKEN,
} sasl_step;

typedef struct sasl {
    sasl_mechanism mechanism;
    unsigned step;
    buf first, second;
    str challenge;
    sasl_plain credentials;
} sasl;

/* `initial`: what stood on the command's line, base64, "=" for an empty one; p NULL: nothing. */
sasl_step sasl_start(sasl *s, sasl_mechanism mechanism, str initial);
sasl_step sasl_respond(sasl *s, str line);
void sasl_close(sasl *s);
