/* A client from accept to login, and under TLS to its end: then the bytes are only pumped. Runs in: login. One struct a
 * session, in the list of `front`; it frees itself when its streams have ended. Memory before login is capped by the
 * streams' limits. */
#pragma once
#include "login/dialect.h"
#include "login/front.h"
#include "loop/stream.h"
#include "proto/imap_input.h"
#include "proto/line.h"
#include "proto/sasl.h"
#include <netinet/in.h>

enum {
    SESSION_IN_MAX = 16 * 1024,  /* more than any line that is allowed before login */
    SESSION_OUT_MAX = 256 * 1024, /* with what is pumped */
    PUMP_HIGH = 64 * 1024,       /* unsent bytes at which the other side is not read */
    TAG_MAX = 128,
    COMMANDS_MAX = 1000,         /* before login */
    ERRORS_MAX = 10,
    LOGINS_MAX = 10,             /* that failed */
};

typedef enum phase {
    AT_METER,    /* waits for meter's answer; nothing was said yet */
    AT_COMMANDS,
    AT_AUTH,     /* waits for auth's answer */
    AT_HANDOVER, /* waits until its answers are with the kernel */
    AT_PUMP,     /* logged in, under TLS */
    AT_END,
} phase;

struct session {
    front *front;
    session *next, **at;
    generation *generation;
    const config *config;
    const dialect *dialect;
    str service; /* the listener's */
    phase phase;
    char id[SESSION_ID_SIZE], client[INET6_ADDRSTRLEN];
    stream stream;
    timer deadline;
    peer *asked;        /* who has an open question of ours */
    uint32_t ref;
    bool is_counted;    /* meter counts it */
    unsigned commands, errors, failures;
    const char *end_reason;
    /* of the command that logs in */
    char tag[TAG_MAX + 1];
    const char *verb;
    sasl sasl;
    bool is_in_sasl;
    /* IMAP */
    imap_input imap;
    /* POP3, and the lines of SASL */
    line_reader lines;
    buf user;
    /* after login */
    uint64_t token;
    uint32_t pool;
    stream inner;       /* to the worker */
    bool has_inner, inner_has_ended, stream_has_ended, is_fresh /* the worker has not spoken yet */, client_is_done;
};

void session_accept(listener *l, const accepted *a);

/* For the dialects. */
void session_reply(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool session_has_tls(const session *s);
bool session_may_log_in(const session *s);    /* TLS is on, or not required */
bool session_offers_tls(const session *s);
bool session_offers(const session *s, str mechanism);
void session_begin_tls(session *s);           /* after its reply was written */
void session_note_command(session *s, str tag, const char *verb); /* that logs in; `verb` is static */
void session_log_in(session *s, const sasl_plain *credentials);   /* by the command that was noted */
bool session_count_command(session *s);       /* false: too many; the session ends */
bool session_count_error(session *s);         /* the same for what was wrong */
void session_finish(session *s, const char *reason); /* what was written still goes out */
bool session_is_http(str line); /* a browser was made to speak to us: no answer may come of it */

/* For conversations. */
void session_on_meter(session *s, bool is_allowed);
void session_on_auth(session *s, fault_kind outcome, uint64_t token);
void session_lose(session *s, const peer *p); /* the peer is gone */
void session_drain(session *s);
void session_free(session *s);                /* its streams have ended */
session *session_by_ref(front *f, const peer *p, uint32_t ref); /* takes it out of those who wait */

