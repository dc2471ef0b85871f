/* Whoever brings a message (smtpd; sendmail over the submit socket) and cleanup. `ref` names the message within the channel and
 * is chosen by the bringer. BEGIN is answered by READY with a write-only descriptor at whose offset the content is written, in
 * CRLF; then ENVELOPE, a RECIPIENT each, and COMMIT leave in one packet. DONE with outcome FAULT_NONE means durable.
 * smtpd and bounce may leave BEGIN out: then COMMIT has the content, and no descriptor is needed.
 * Of an envelope with ENVELOPE_DIRECT each recipient's result comes first: a RESULT each, DONE behind the last. Without RESULTs
 * DONE is everybody's: a fault, or the message was queued like any other, as it is to be held or has other recipients, too. */
#pragma once
#include "ipc/talk/envelope.h"

enum cleanup_type {
    CLEANUP_BEGIN = 1, /* cleanup_begin */
    CLEANUP_ENVELOPE,  /* envelope */
    CLEANUP_RECIPIENT, /* envelope_recipient */
    CLEANUP_COMMIT,    /* cleanup_commit */
    CLEANUP_ABORT,     /* cleanup_begin */
    CLEANUP_READY,     /* cleanup_ready; descriptor */
    CLEANUP_DONE,      /* cleanup_done; also instead of READY */
    CLEANUP_RESULT,    /* cleanup_result: of one recipient, before DONE */
};

enum { CLEANUP_ENCLOSED_MAX = 16 * 1024 }; /* octets of a content within COMMIT: what is larger is written into a file */

#define CLEANUP_BEGIN_FIELDS(X) X(u64, expected_bytes) /* SIZE= of MAIL; 0: unknown */
IPC_MESSAGE(cleanup_begin, CLEANUP_BEGIN_FIELDS)

#define CLEANUP_READY_FIELDS(X) X(u64, queue_id)
IPC_MESSAGE(cleanup_ready, CLEANUP_READY_FIELDS)

#define CLEANUP_COMMIT_FIELDS(X)                                                                                       \
    X(u64, content_bytes)                                                                                              \
    X(u32, content_checksum) /* base/checksum.h over the content as written */                                         \
    X(u32, recipient_count)  /* of RECIPIENT frames sent: what was lost on the way is noticed */                           \
    X(text, content)         /* of a message without BEGIN: all of it */
IPC_MESSAGE(cleanup_commit, CLEANUP_COMMIT_FIELDS)

#define CLEANUP_DONE_FIELDS(X)                                                                                         \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: queued, durable */                                                    \
    X(text, status)                                                                                                    \
    X(text, reason)
IPC_MESSAGE(cleanup_done, CLEANUP_DONE_FIELDS)

#define CLEANUP_RESULT_FIELDS(X)                                                                                       \
    X(u32, index)   /* of the RECIPIENT frame, from 0 */                                                               \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: delivered, durable in the mailbox */                                  \
    X(text, status)                                                                                                    \
    X(text, reason)
IPC_MESSAGE(cleanup_result, CLEANUP_RESULT_FIELDS)
