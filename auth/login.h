/* From the question of a front end to its answer: which user, verified at which desk, then a grant for the pool, or a
 * refusal that comes late and tells nothing. Runs in: auth. Handlers of conversations; the peer is the context. */
#pragma once
#include "auth/question.h"

channel_handler login_on_question; /* AUTH_LOGIN */
channel_handler login_on_checked;  /* AUTH_CHECKED */

/* The helper for PAM has said who the user is, after his password was right. */
void login_on_account(question *q, const account *found);

void login_failed_for_now(question *q, const char *why); /* FAULT_TRY_LATER; ends the question */
