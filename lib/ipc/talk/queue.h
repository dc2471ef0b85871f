/* cleanup and qmgr. qmgr alone names queue files; cleanup holds descriptors and a file's id. `ref` is not used: the id is.
 * A fresh file stands in active/ already, under its name for good: what makes it a message is its end mark. cleanup writes that
 * last, makes the file durable and says DURABLE before it tells anybody else. Whoever finds the file at a start leaves it alone as long
 * as somebody has it open to write.
 * OFFER instead of DURABLE: it is whole but not durable; deliver it. If all its recipients get it durably first, its file goes and OVER
 * comes back; else KEEP: make it durable now. Its cleanup may say DURABLE any time, and does so before long.
 * DIRECT instead of DURABLE: deliver it now, once, and say how it went. An OUTCOME for each recipient of the file and OVER come back,
 * and the file is gone; until then it is not durable, and who brought it has it still.
 * What is small, and will hardly have to be kept, is given an id alone (FRESH_ID), and stands in a memory file, which goes along with
 * OFFER or DIRECT, sealed. It has no file before its cleanup asks for one by NAME, copies the message into it, and says DURABLE. Where
 * that cannot be had (UNNAMED, or cleanup says so), an offer stays one as long as its deliveries are under way. */
#pragma once
#include "ipc/message.h"

enum queue_type {
    QUEUE_TAKE = 1, /* queue_take: that many fresh files, please */
    QUEUE_FRESH,    /* queue_fresh; descriptors: as many as its kind has */
    QUEUE_DURABLE,  /* queue_file */
    QUEUE_DROP,     /* queue_file: it will not be used */
    QUEUE_FULL,     /* queue_result: no fresh file can be had now */
    QUEUE_DIRECT,   /* queue_file; the memory file, if it stands in one */
    QUEUE_OUTCOME,  /* queue_outcome */
    QUEUE_OVER,     /* queue_result: all is said; with a fault: nothing was, and this is everybody's */
    QUEUE_OFFER,    /* queue_file; the memory file, if it stands in one */
    QUEUE_KEEP,     /* queue_file: of one that was offered */
    QUEUE_HELD,     /* queue_file: it is durable, and policy or a check said to hold it */
    QUEUE_NAME,     /* queue_name_ask: a file, please, for what has an id alone */
    QUEUE_NAMED,    /* queue_file; descriptor: read-write */
    QUEUE_UNNAMED,  /* of qmgr, queue_result: why there is none; of cleanup, queue_file: it is not used, the message stands in memory */
};

enum fresh_kind {
    FRESH_ID,       /* no file */
    FRESH_PLAIN,    /* a file, read-write */
    FRESH_WRITABLE, /* with a second descriptor, which can only write, at the content's start: somebody else writes that */
    FRESH_KINDS
};

#define QUEUE_TAKE_FIELDS(X)                                                                                           \
    X(u32, count)                                                                                                      \
    X(u32, kind)           /* a fresh_kind; it tells how many descriptors each comes with */                           \
    X(u32, prepared_bytes) /* of plain ones: so many zeros in each, at most QUEUE_PREPARED_MAX */
IPC_MESSAGE(queue_take, QUEUE_TAKE_FIELDS)

#define QUEUE_FRESH_FIELDS(X)                                                                                          \
    X(u64, queue_id)                                                                                                   \
    X(u32, prepared_bytes) /* as it was asked for; 0: it is empty */
IPC_MESSAGE(queue_fresh, QUEUE_FRESH_FIELDS)

#define QUEUE_FILE_FIELDS(X) X(u64, queue_id)
IPC_MESSAGE(queue_file, QUEUE_FILE_FIELDS)

#define QUEUE_NAME_FIELDS(X)                                                                                           \
    X(u64, queue_id)                                                                                                   \
    X(u32, is_orphan) /* a qmgr that is gone gave the id */
IPC_MESSAGE(queue_name_ask, QUEUE_NAME_FIELDS)

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
