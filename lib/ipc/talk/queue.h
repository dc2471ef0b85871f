/* cleanup and qmgr. qmgr alone names queue files; cleanup holds descriptors and a file's id. `ref` is not used: the id is.
 * A fresh file stands in active/ already, under its name for good: what makes it a message is its end mark. cleanup writes that
 * last, makes the file durable and says DURABLE before it tells anybody else. Whoever finds the file at a start leaves it alone as long
 * as somebody has it open to write.
 * OFFER instead of DURABLE: it is whole but not durable; deliver it. If all its recipients get it durably first, its file goes and OVER
 * comes back; else KEEP: make it durable now. Its cleanup may say DURABLE any time, and does so before long.
 * DIRECT instead of DURABLE: deliver it now, once, and say how it went. An OUTCOME for each recipient of the file and OVER come back,
 * and the file is gone; until then it is not durable, and who brought it has it still. */
#pragma once
#include "ipc/message.h"

enum queue_type {
    QUEUE_TAKE = 1,  /* queue_take: that many fresh files, please */
    QUEUE_FRESH,    /* queue_fresh; descriptors: read-write; when asked for, another that can only write, at the content's start */
    QUEUE_DURABLE,  /* queue_file */
    QUEUE_DROP,     /* queue_file: it will not be used */
    QUEUE_FULL,     /* queue_result: no fresh file can be had now */
    QUEUE_DIRECT,   /* queue_file */
    QUEUE_OUTCOME,  /* queue_outcome */
    QUEUE_OVER,     /* queue_result: all is said; with a fault: nothing was, and this is everybody's */
    QUEUE_OFFER,    /* queue_file */
    QUEUE_KEEP,     /* queue_file: of one that was offered */
    QUEUE_HELD,     /* queue_file: it is durable, and policy or a check said to hold it */
};

#define QUEUE_TAKE_FIELDS(X)                                                                                           \
    X(u32, count)                                                                                                      \
    X(u32, is_writable)    /* with the second descriptor: somebody else writes the content */                          \
    X(u32, prepared_bytes) /* so many zeros in each, at most QUEUE_PREPARED_MAX */
IPC_MESSAGE(queue_take, QUEUE_TAKE_FIELDS)

#define QUEUE_FRESH_FIELDS(X)                                                                                          \
    X(u64, queue_id)                                                                                                   \
    X(u32, prepared_bytes) /* as it was asked for; 0: it is empty */
IPC_MESSAGE(queue_fresh, QUEUE_FRESH_FIELDS)

#define QUEUE_FILE_FIELDS(X) X(u64, queue_id)
IPC_MESSAGE(queue_file, QUEUE_FILE_FIELDS)

#define QUEUE_RESULT_FIELDS(X)                                                                                         \
    X(u64, queue_id)                                                                                                   \
    X(u32, outcome) /* a fault_kind */                                                                                 \
    X(text, status)                                                                                                    \
    X(text, reason)
IPC_MESSAGE(queue_result, QUEUE_RESULT_FIELDS)

#define QUEUE_OUTCOME_FIELDS(X)                                                                                        \
    X(u64, queue_id)                                                                                                   \
    X(u32, index)   /* of the recipient in the file */                                                                 \
    X(u32, outcome) /* a fault_kind; FAULT_NONE: delivered */                                                          \
    X(text, status)                                                                                                    \
    X(text, reason)
IPC_MESSAGE(queue_outcome, QUEUE_OUTCOME_FIELDS)
