/* `postrider` and the suite, over sockets in public/: `ctl` is master's, `queue` is qmgr's. Who asks is known by SO_PEERCRED.
 * A question is answered by any number of ROWs and one END. END with the reason "more" says to ask for "more".
 * A row of master's is a line of name=value. What qmgr's are stands in qmgr/admin.h, with what it can be asked. */
#pragma once
#include "ipc/message.h"

enum admin_type {
    ADMIN_ASK = 1, /* admin_ask */
    ADMIN_ROW,     /* admin_row; descriptors as the verb has it */
    ADMIN_END,     /* admin_end */
};

#define ADMIN_ASK_FIELDS(X)                                                                                            \
    X(text, verb)     /* status, reload, stop; list, files, hold, … */                                                 \
    X(text, argument) /* queue ids, as the verb has it */
IPC_MESSAGE(admin_ask, ADMIN_ASK_FIELDS)

#define ADMIN_ROW_FIELDS(X) X(text, row)
IPC_MESSAGE(admin_row, ADMIN_ROW_FIELDS)

#define ADMIN_END_FIELDS(X)                                                                                            \
    X(u32, outcome) /* a fault_kind */                                                                                 \
    X(u32, count)                                                                                                      \
    X(text, status) /* as fault has it */                                                                              \
    X(text, reason)
IPC_MESSAGE(admin_end, ADMIN_END_FIELDS)
