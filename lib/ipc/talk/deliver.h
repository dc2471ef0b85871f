/* qmgr and a delivery process, and that process and its workers: one request, one result, `ref` pairs them. The message rides
 * along as a read-only descriptor.
 * A worker whose user forwards (.forward, a list of :include:) answers with a copy instead: it asks for a file (WANT), gets it
 * (PAPER), writes the content in CRLF, says a MEMBER for each recipient of the copy, then COPIED. The delivery process brings
 * the copy to cleanup as a message of its own and says RESULT to qmgr when that is durable. */
#pragma once
#include "base/fault.h"
#include "ipc/message.h"

enum deliver_type {
    DELIVER_REQUEST = 1, /* deliver_request; descriptor: the queue file, read-only */
    DELIVER_RESULT,      /* deliver_result */
    /* between a delivery process and its workers only; `ref` is the request's */
    DELIVER_WANT,   /* deliver_result; worker to process */
    DELIVER_PAPER,  /* deliver_result; descriptor, write-only, at the content's start; FAULT_…: it cannot be had, and no descriptor */
    DELIVER_MEMBER, /* deliver_member; worker to process */
    DELIVER_COPIED, /* deliver_copied; worker to process */
    DELIVER_RULES,  /* deliver_rules; process to worker, before its first request and when they change */
    DELIVER_LOCK,   /* deliver_lock; worker to process: make the dotlock of the user's mailbox in the spool */
    DELIVER_LOCKED, /* deliver_lock; the answer */
    DELIVER_UNLOCK, /* deliver_lock; worker to process */
};

#define DELIVER_REQUEST_FIELDS(X)                                                                                      \
    X(u64, queue_id)                                                                                                   \
    X(u64, content_offset)   /* of the fields that cleanup added, which the content follows */                         \
    X(u64, content_bytes)    /* both together */                                                                       \
    X(u64, checked_bytes)    /* the last so many of them are what the checksum covers */                               \
    X(u32, content_checksum) /* base/checksum.h; the deliverer refuses a message that does not match */                \
    X(u64, arrived_s)                                                                                                  \
    X(text, reverse_path)                                                                                              \
    X(text, envelope_id)     /* this and what follows go on with a copy (RFC 3461 5.2.7) */                            \
    X(text, returns)                                                                                                   \
    X(text, orcpt)                                                                                                     \
    X(u32, notify)                                                                                                     \
    X(u32, flags)            /* ENVELOPE_8BIT, ENVELOPE_UTF8 */                                                        \
    X(text, forwarders)      /* as in envelope: whose forwarding it has been through */                                \
    X(text, recipient)                                                                                                 \
    X(text, original)                                                                                                  \
    X(text, user)            /* of the route's nexthop: whose mailbox, or who acts */                                  \
    X(u32, is_final)         /* transport local, nexthop "\name": .forward is not looked at */                         \
    X(text, member)          /* transport pipe: "|command", "/file", ":include:/file" */                               \
    X(text, extension)       /* of the recipient, with its delimiter: "+lists"; set by the delivery process */        \
    X(text, client_name)     /* from here on for the environment of commands: as in envelope.h */                      \
    X(text, client_address)                                                                                            \
    X(text, helo)                                                                                                      \
    X(text, protocol)                                                                                                  \
    X(text, login)
IPC_MESSAGE(deliver_request, DELIVER_REQUEST_FIELDS)

#define DELIVER_RESULT_FIELDS(X)                                                                                       \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: delivered; FAULT_BROKEN: the queue file is damaged */                 \
    X(text, status)                                                                                                    \
    X(text, reason) /* where it went, or why not */                                                                    \
    X(u32, is_destination) /* the failure is not this message's: any other to this nexthop would meet it now */        \
    X(u32, action)  /* when it went well: a report_action, DELIVER_PASSED_ON, or 0: delivered */
IPC_MESSAGE(deliver_result, DELIVER_RESULT_FIELDS)

/* What it says, as a fault; NO_FAULT's kind where it was delivered. Its outcome was checked. */
static inline fault deliver_outcome(const deliver_result *m)
{
    fault f = fault_make((fault_kind)m->outcome, "", "%.*s", STR_ARG(m->reason));
    str status = str_upto(m->status, sizeof f.status - 1);
    if (status.n)
        memcpy(f.status, status.p, status.n);
    f.status[status.n] = '\0';
    return f;
}

/* Forwarded to one recipient, who has the wishes for reports now: none is due for this one (RFC 3461 5.2.7.2). */
enum { DELIVER_PASSED_ON = 100 };

#define DELIVER_MEMBER_FIELDS(X)                                                                                       \
    X(text, member)   /* an address, or for the same user to act: "|command", "/file" */                               \
    X(u32, is_final)  /* the user's own mailbox, given as \name: `member` is not looked at */
IPC_MESSAGE(deliver_member, DELIVER_MEMBER_FIELDS)

#define DELIVER_COPIED_FIELDS(X)                                                                                       \
    X(u64, content_bytes)                                                                                              \
    X(u32, content_checksum)                                                                                           \
    X(u32, member_count)  /* of MEMBER frames sent */
IPC_MESSAGE(deliver_copied, DELIVER_COPIED_FIELDS)

/* What a worker of local goes by. */
#define DELIVER_RULES_FIELDS(X)                                                                                        \
    X(u32, flags)               /* DELIVER_MAY_… */                                                                    \
    X(u32, lock_attempts)       /* deliver_lock_attempts */                                                            \
    X(u32, lock_delay_s)        /* deliver_lock_delay */                                                               \
    X(u32, stale_lock_s)        /* stale_lock_time */                                                                  \
    X(u64, mailbox_bytes)       /* mailbox_size_limit; 0: no limit */
IPC_MESSAGE(deliver_rules, DELIVER_RULES_FIELDS)

enum {
    DELIVER_MAY_COMMAND = 1,   /* .forward may name commands */
    DELIVER_MAY_FILE = 2,      /* .forward may name files */
    DELIVER_HAS_COMMAND = 4,   /* mailbox_command delivers what is not forwarded: the member "|" alone */
    DELIVER_TO_FOLDER = 8,     /* an extension names a folder */
    DELIVER_LOCKS_FCNTL = 16,  /* mailbox_delivery_lock */
    DELIVER_LOCKS_DOT = 32,
    DELIVER_ASKS_FOR_LOCK = 64, /* the dotlock is made by the process, where the user may not */
};

#define DELIVER_LOCK_FIELDS(X)                                                                                         \
    X(u32, outcome) /* of LOCKED: a fault_kind; FAULT_TRY_LATER: somebody else has it */                               \
    X(text, reason)
IPC_MESSAGE(deliver_lock, DELIVER_LOCK_FIELDS)
