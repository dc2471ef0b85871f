/* Whoever has a decision to make (smtpd; cleanup and qmgr for recipients without a route) and policy. One question, then any
 * number of routes, then the answer; `ref` pairs them. REWRITE asks for the addresses of a message as canonical_maps and the like
 * want them, and for blind copies; REWRITTEN answers it. */
#pragma once
#include "ipc/message.h"

enum policy_type {
    POLICY_ASK = 1, /* policy_ask */
    POLICY_ROUTE,   /* policy_route: of an accepted recipient, before the answer */
    POLICY_ANSWER,  /* policy_answer */
    POLICY_REWRITE, /* policy_rewrite */
    POLICY_REWRITTEN, /* policy_rewritten */
};

/* POLICY_STAGE_RESOLVE asks for the recipient's routes alone, without restrictions. */
enum policy_stage {
    POLICY_STAGE_CONNECT = 1,
    POLICY_STAGE_HELO,
    POLICY_STAGE_MAIL,
    POLICY_STAGE_RCPT,
    POLICY_STAGE_DATA,
    POLICY_STAGE_END_OF_DATA,
    POLICY_STAGE_VRFY,
    POLICY_STAGE_RESOLVE,
};

#define POLICY_ASK_FIELDS(X)                                                                                           \
    X(u32, stage)                                                                                                      \
    X(u32, generation)                                                                                                 \
    X(text, service)        /* name in master.cf, whose overrides apply */                                             \
    X(text, session)                                                                                                   \
    X(text, client_name)                                                                                               \
    X(text, client_address)                                                                                            \
    X(text, helo)                                                                                                      \
    X(text, sender)                                                                                                    \
    X(u32, has_sender)      /* an empty sender may be the null sender or none yet */                                   \
    X(text, recipient)                                                                                                 \
    X(text, login)                                                                                                     \
    X(text, tls)                                                                                                       \
    X(u64, message_bytes)
IPC_MESSAGE(policy_ask, POLICY_ASK_FIELDS)

#define POLICY_ROUTE_FIELDS(X)                                                                                         \
    X(text, address)                                                                                                   \
    X(text, transport)                                                                                                 \
    X(text, nexthop)                                                                                                   \
    X(text, sender) /* as in envelope_recipient */
IPC_MESSAGE(policy_route, POLICY_ROUTE_FIELDS)

#define POLICY_ANSWER_FIELDS(X)                                                                                        \
    X(u32, code)   /* SMTP reply code: 250, 4NN, 5NN; 252 for VRFY */                                                  \
    X(text, status) /* enhanced code, "5.7.1"; empty with 250 */                                                       \
    X(text, reply) /* the words */                                                                                     \
    X(text, reason) /* list/restriction/table/key, for the log and `postrider why` */                                  \
    X(u32, flags)  /* POLICY_HOLD, POLICY_DISCARD */
IPC_MESSAGE(policy_answer, POLICY_ANSWER_FIELDS)

enum { POLICY_HOLD = 1, POLICY_DISCARD = 2 };

/* A line is one of these and an address without brackets. */
enum policy_rewrite_line {
    REWRITE_ENVELOPE_SENDER = 's', /* and whose blind copy is asked for */
    REWRITE_ENVELOPE_RECIPIENT = 'r', /* the same */
    REWRITE_HEADER_SENDER = 'f',
    REWRITE_HEADER_RECIPIENT = 't',
};
enum { REWRITE_LINES_MAX = 60 }; /* of one frame: their answers fit one */

#define POLICY_REWRITE_FIELDS(X)                                                                                       \
    X(u32, is_remote) /* header addresses are completed by remote_header_rewrite_domain */                             \
    X(text, session)                                                                                                   \
    X(text, lines)    /* each ends in a line feed */
IPC_MESSAGE(policy_rewrite, POLICY_REWRITE_FIELDS)

/* A line for each that was asked: the address, a tab, and who gets a blind copy (may be empty). */
#define POLICY_REWRITTEN_FIELDS(X)                                                                                     \
    X(u32, outcome) /* a fault_kind */                                                                                 \
    X(text, reason)                                                                                                    \
    X(text, lines)
IPC_MESSAGE(policy_rewritten, POLICY_REWRITTEN_FIELDS)
