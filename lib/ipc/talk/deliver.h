/* qmgr and a delivery process, and that process and its workers: one request, one result, `ref` pairs them. The message rides
 * along as a read-only descriptor.
 * A worker whose user forwards (.forward, a list of :include:) answers with a copy instead: it asks for a file (WANT), gets it
 * (PAPER), writes the content in CRLF, says a MEMBER for each recipient of the copy, then COPIED. The delivery process brings
 * the copy to cleanup as a message of its own and says RESULT to qmgr when that is durable. */
#pragma once
#include "ipc/message.h"

enum deliver_type {
    DELIVER_REQUEST = 1, /* deliver_request; descriptor: the queue file, read-only */
    DELIVER_RESULT,      /* deliver_result */
    /* between a delivery process and its workers only; `ref` is the request's */
    DELIVER_WANT,   /* deliver_result; worker to process */
    DELIVER_PAPER,  /* deliver_result; descriptor, write-only, at the content's start; FAULT_…: it cannot be had, and no descriptor */
    DELIVER_MEMBER, /* deliver_member; worker to process */
    DELIVER_COPIED, /* deliver_copied; worker to process */
};

#define DELIVER_REQUEST_FIELDS(X)                                                                                      \
    X(u64, queue_id)                                                                                                   \
    X(u64, content_offset)   /* of the fields that cleanup added, which the content follows */                         \
    X(u64, content_bytes)    /* both together */                                                                       \
    X(u64, checked_bytes)    /* the last so many of them are what the checksum covers */                               \
    X(u32, content_checksum) /* base/checksum.h; the deliverer refuses a message that does not match */                \
    X(u64, arrived_s)                                                                                                  \
    X(text, reverse_path)                                                                                              \
    X(text, recipient)                                                                                                 \
    X(text, original)                                                                                                  \
    X(text, user)            /* of the route's nexthop: whose mailbox, or who acts */                                  \
    X(text, member)          /* transport pipe: "|command", "/file", ":include:/file" */                               \
    X(text, extension)       /* of the recipient, with its delimiter: "+lists"; set by the delivery process */
IPC_MESSAGE(deliver_request, DELIVER_REQUEST_FIELDS)

#define DELIVER_RESULT_FIELDS(X)                                                                                       \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: delivered; FAULT_BROKEN: the queue file is damaged */                 \
    X(text, status)                                                                                                    \
    X(text, reason) /* where it went, or why not */                                                                    \
    X(u32, is_destination) /* the failure is not this message's: any other to this nexthop would meet it now */
IPC_MESSAGE(deliver_result, DELIVER_RESULT_FIELDS)

#define DELIVER_MEMBER_FIELDS(X)                                                                                       \
    X(text, member)   /* an address, or for the same user to act: "|command", "/file" */                               \
    X(u32, is_final)  /* the user's own mailbox, given as \name or by naming himself: it is not forwarded again */
IPC_MESSAGE(deliver_member, DELIVER_MEMBER_FIELDS)

#define DELIVER_COPIED_FIELDS(X)                                                                                       \
    X(u64, content_bytes)                                                                                              \
    X(u32, content_checksum)                                                                                           \
    X(u32, member_count)  /* of MEMBER frames sent */
IPC_MESSAGE(deliver_copied, DELIVER_COPIED_FIELDS)
