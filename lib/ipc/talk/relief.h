/* Processes of one role, among themselves: who has no time left calls the next to accept beside it. */
#pragma once
#include "ipc/message.h"

enum relief_type { RELIEF_CALL = 1 /* relief_call; not answered */ };

#define RELIEF_CALL_FIELDS(X) X(u32, is_wanted) /* 0: not any more */
IPC_MESSAGE(relief_call, RELIEF_CALL_FIELDS)
