/* qmgr and a delivery process, and that process and its workers: one request, one result, `ref` pairs them. The message rides
 * along as a read-only descriptor. */
#pragma once
#include "ipc/message.h"

enum deliver_type {
    DELIVER_REQUEST = 1, /* deliver_request; descriptor: the queue file, read-only */
    DELIVER_RESULT,      /* deliver_result */
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
    X(text, user)            /* nexthop of the route: whose mailbox */
IPC_MESSAGE(deliver_request, DELIVER_REQUEST_FIELDS)

#define DELIVER_RESULT_FIELDS(X)                                                                                       \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: delivered; FAULT_BROKEN: the queue file is damaged */                 \
    X(text, status)                                                                                                    \
    X(text, reason) /* where it went, or why not */
IPC_MESSAGE(deliver_result, DELIVER_RESULT_FIELDS)
