/* `postrider` and the suite, over sockets in public/: `ctl` is master's, `queue` is qmgr's. Who asks is known by SO_PEERCRED.
 * A question is answered by any number of ROWs and one END. A row of master's is a line of name=value;
 * one of qmgr's is "ID place next_try_s" with the message's file. A list comes in parts: END with the reason "more" says to
 * ask for more. */
#pragma once
#include "ipc/message.h"

enum admin_type {
    ADMIN_ASK = 1, /* admin_ask */
    ADMIN_ROW,     /* admin_row; ADMIN_FD rows carry a descriptor (queue cat) */
    ADMIN_END,     /* admin_end */
};

#define ADMIN_ASK_FIELDS(X)                                                                                            \
    X(text, verb)     /* status, reload, stop; list, more, show, hold, release, delete, flush */                       \
    X(text, argument) /* queue id, ALL, or empty */
IPC_MESSAGE(admin_ask, ADMIN_ASK_FIELDS)

#define ADMIN_ROW_FIELDS(X) X(text, row)
IPC_MESSAGE(admin_row, ADMIN_ROW_FIELDS)

#define ADMIN_END_FIELDS(X)                                                                                            \
    X(u32, outcome) /* a fault_kind */                                                                                 \
    X(u32, count)                                                                                                      \
    X(text, reason)
IPC_MESSAGE(admin_end, ADMIN_END_FIELDS)
