/* A reader's connection on its way from login to the pool (imapd, pop3d) to the user's worker, and back when it hibernates.
 * The descriptor is the client's socket without TLS, one end of a socketpair that login pumps with it. */
#pragma once
#include "ipc/message.h"

enum session_type {
    SESSION_OPEN = 1, /* session_open; descriptor; login to pool */
    SESSION_GIVE,     /* session_open; descriptor; pool to worker */
    SESSION_REFUSED,  /* session_refused; the same descriptor back; pool to login: the worker could not be had */
    SESSION_SLEEP,    /* session_sleep; descriptor; worker to pool to login: wake me when it speaks */
    SESSION_CLOSED,   /* session_closed; worker to pool: one session less */
};

#define SESSION_OPEN_FIELDS(X)                                                                                         \
    X(u64, token)         /* of the grant; 0 between pool and worker */                                                \
    X(text, session)                                                                                                   \
    X(text, client)       /* address, for the log */                                                                   \
    X(text, user)         /* pool to worker; login sends it empty: the grant says who */                               \
    X(text, tag)          /* IMAP: of the command that logged in; the worker answers it */                             \
    X(text, verb)         /* LOGIN or AUTHENTICATE */                                                                  \
    X(text, input)        /* what the client sent behind it already */                                                 \
    X(text, state)        /* of a session that slept; empty: a new one */                                              \
    X(u32, has_tls)                                                                                                    \
    X(u32, timeout_s)
IPC_MESSAGE(session_open, SESSION_OPEN_FIELDS)

#define SESSION_REFUSED_FIELDS(X)                                                                                      \
    X(u64, token)                                                                                                      \
    X(text, tag)          /* of the SESSION_OPEN */                                                                    \
    X(text, reason)
IPC_MESSAGE(session_refused, SESSION_REFUSED_FIELDS)

#define SESSION_SLEEP_FIELDS(X)                                                                                        \
    X(u64, token)         /* of a new grant that the pool keeps: the SESSION_OPEN that wakes it brings it back */      \
    X(text, session)                                                                                                   \
    X(text, client)                                                                                                    \
    X(text, state)                                                                                                     \
    X(u32, has_tls)                                                                                                    \
    X(u32, timeout_s)     /* how long it may stay silent */
IPC_MESSAGE(session_sleep, SESSION_SLEEP_FIELDS)

#define SESSION_CLOSED_FIELDS(X)                                                                                       \
    X(text, session)                                                                                                   \
    X(text, reason)                                                                                                    \
    X(u64, bytes_in)                                                                                                   \
    X(u64, bytes_out)
IPC_MESSAGE(session_closed, SESSION_CLOSED_FIELDS)
