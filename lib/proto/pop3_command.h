/* Grammar of POP3 command lines (RFC 1939, 2449, 2595, 5034), each verb a row: where it is legal, what it takes.
 * Runs in: login (authorization), pop3d's worker (transaction). Views into the caller's line.
 * Fails: PARSE_BAD; `problem` says what to answer after "-ERR". Whole lines only; read them by proto/line.h. */
#pragma once
#include "base/parse.h"
#include "base/str.h"

enum {
    POP3_COMMAND_MAX = 255,    /* RFC 2449 4, with CRLF */
    POP3_RESPONSE_MAX = 12288, /* a line of an AUTH exchange */
};

enum pop3_state {
    POP3_AUTHORIZATION = 1 << 0,
    POP3_TRANSACTION = 1 << 1,
    POP3_ANY = POP3_AUTHORIZATION | POP3_TRANSACTION,
};

typedef enum pop3_verb {
    POP3_UNKNOWN,
    POP3_AUTH,
    POP3_CAPA,
    POP3_DELE,
    POP3_LIST,
    POP3_NOOP,
    POP3_PASS,
    POP3_QUIT,
    POP3_RETR,
    POP3_RSET,
    POP3_STAT,
    POP3_STLS,
    POP3_TOP,
    POP3_UIDL,
    POP3_USER,
} pop3_verb;

typedef struct pop3_command {
    pop3_verb verb;
    unsigned legal_in; /* pop3_state bits; the session refuses what is not legal now */
    str argument;      /* USER, PASS (may hold blanks); AUTH: the mechanism, empty: list them */
    str initial;       /* AUTH: initial response, "=" for an empty one; p NULL: none */
    bool has_number;
    uint32_t number;     /* message, from 1 */
    uint32_t lines;      /* TOP */
    const char *problem; /* after PARSE_BAD, static */
} pop3_command;

parse pop3_command_parse(str line, pop3_command *out);
