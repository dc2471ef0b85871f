/* qmgr and bounce: a report to a message's sender. BEGIN, a RECIPIENT for each row of it, in one go; DONE when the report is queued
 * and durable, or when there is nothing to report to. `ref` pairs them. The message rides along as a read-only descriptor; qmgr
 * keeps it until DONE, so a bounce that ends loses nothing: the report is asked for again. */
#pragma once
#include "ipc/message.h"

enum report_type {
    REPORT_BEGIN = 1, /* report_begin; descriptor: the queue file, read-only */
    REPORT_RECIPIENT, /* report_recipient */
    REPORT_DONE,      /* report_done */
};

enum { REPORT_RECIPIENTS_MAX = 10000 }; /* of one report; a message may need several */

/* What happened to a recipient (RFC 3464 2.3.3), as enum dsn_action of mail/dsn.h. */
enum report_action { REPORT_FAILED = 1, REPORT_DELAYED, REPORT_DELIVERED, REPORT_RELAYED, REPORT_EXPANDED };

/* All rows of a report are of one kind: failed; delayed; or delivered, relayed and expanded. */
#define REPORT_BEGIN_FIELDS(X)                                                                                         \
    X(u64, queue_id)                                                                                                   \
    X(u64, content_offset)                                                                                             \
    X(u64, content_bytes)                                                                                              \
    X(u64, arrived_s)                                                                                                  \
    X(u64, expires_s)       /* of a delay: until when it is tried (Will-Retry-Until) */                                \
    X(text, reverse_path)   /* where the report goes; empty: the null sender, whose failures go to postmaster at most */ \
    X(text, sender)         /* of the message, as it came */                                                           \
    X(text, envelope_id)                                                                                               \
    X(text, returns)        /* FULL, HDRS or empty */                                                                  \
    X(text, client)         /* name and address of who brought it, for the report to postmaster */                     \
    X(u32, recipient_count) /* of RECIPIENT frames that follow */                                                      \
    X(u32, flags)           /* of the envelope: ENVELOPE_8BIT, ENVELOPE_UTF8 */
IPC_MESSAGE(report_begin, REPORT_BEGIN_FIELDS)

#define REPORT_RECIPIENT_FIELDS(X)                                                                                     \
    X(u32, action)    /* report_action */                                                                              \
    X(text, address)  /* final recipient */                                                                            \
    X(text, original) /* as the client said it */                                                                      \
    X(text, orcpt)    /* "rfc822;..." or empty */                                                                      \
    X(text, status)   /* "5.1.1" */                                                                                    \
    X(text, reason)                                                                                                    \
    X(text, remote)   /* name of the host that said so; empty: this one */                                             \
    X(u64, when_s)    /* of the last try */
IPC_MESSAGE(report_recipient, REPORT_RECIPIENT_FIELDS)

#define REPORT_DONE_FIELDS(X)                                                                                          \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome)   /* a fault_kind; FAULT_NONE: reported, or nothing to report; FAULT_TRY_LATER: ask again; else: never */       \
    X(u64, report_id) /* queue id of the report; 0: none was due */                                                    \
    X(text, reason)
IPC_MESSAGE(report_done, REPORT_DONE_FIELDS)
