/* The envelope of a message: said once, used between processes (talk/cleanup.h) and as records of the queue file. */
#pragma once
#include "ipc/message.h"

/* What is known of a message besides its recipients. Texts are empty when unknown. */
#define ENVELOPE(X)                                                                                                    \
    X(text, reverse_path)   /* without brackets; empty: the null reverse-path */                                       \
    X(text, session)        /* id of the session that brought it */                                                    \
    X(text, client_name)    /* verified host name, or "unknown" */                                                     \
    X(text, client_address) /* as in an address literal, without brackets */                                           \
    X(text, helo)                                                                                                      \
    X(text, protocol)       /* of Received: ESMTPSA, … (RFC 3848), or "local" */                                       \
    X(text, tls)            /* protocol and cipher, for the trace field */                                             \
    X(text, login)          /* who authenticated, or the local user */                                                 \
    X(text, envelope_id)    /* ENVID, decoded (RFC 3461 4.4) */                                                        \
    X(text, returns)        /* RET: FULL, HDRS or empty */                                                             \
    X(text, verp)           /* two delimiters: each recipient's copy gets a sender of its own; empty: no VERP */      \
    X(text, forwarders)     /* users whose .forward it has been through, divided by blanks: not looked at again for it */ \
    X(u32, flags)           /* ENVELOPE_… */
IPC_MESSAGE(envelope, ENVELOPE)

static inline bool envelope_has_forwarder(str forwarders, str user)
{
    str name;
    while (str_word(&forwarders, " ", &name))
        if (str_equal(name, user))
            return true;
    return false;
}

enum {
    ENVELOPE_8BIT = 1,       /* BODY=8BITMIME */
    ENVELOPE_UTF8 = 2,       /* SMTPUTF8 */
    ENVELOPE_HOLD = 4,       /* policy said HOLD: it goes to hold/ */
    ENVELOPE_SUBMITTED = 8,  /* by a local program or a user's login: missing fields are completed */
    ENVELOPE_NO_TRACE = 16,  /* Received is there already */
    ENVELOPE_DIRECT = 32,    /* by LMTP: who brought it keeps it until each recipient's result is said, so it needs no fsync
                              * and is discarded at a start */
};

/* One final recipient. Transport "local": nexthop is the user's name; with a backslash in front his .forward is not looked at.
 * Transport "pipe": nexthop is the user's name, a blank and
 * a member of an alias or of .forward: "|command", "/file", ":include:/file". Transport "error": nexthop is the enhanced status
 * and the reason, "5.1.1 User unknown". An empty transport: not resolved yet. */
#define ENVELOPE_RECIPIENT(X)                                                                                          \
    X(text, address)                                                                                                   \
    X(text, original)  /* as the client said it */                                                                     \
    X(text, transport)                                                                                                 \
    X(text, nexthop)                                                                                                   \
    X(text, orcpt)     /* ORCPT, decoded: "rfc822;…" (RFC 3461 4.2) */                                                 \
    X(u32, notify)     /* NOTIFY_…; 0: not said */                                                                     \
    X(text, sender)    /* reverse-path for this one, as of an alias with an owner-; empty: the envelope's */
IPC_MESSAGE(envelope_recipient, ENVELOPE_RECIPIENT)

enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };
