/* What auth may ask, and the answers: AUTH_CHECK by PAM, AUTH_FIND by the system's accounts. Runs in: pam. The peer is the
 * context of the handlers; each answer leaves at once, as the next question may block. */
#pragma once
#include "ipc/channel.h"

extern const talk_row answer_rows[];
extern const size_t answer_row_count;
