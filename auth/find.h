/* Whether a user exists and where his mail is, for policy and local. Runs in: auth. Handlers; the peer is the context. */
#pragma once
#include "auth/question.h"

channel_handler find_on_question; /* AUTH_FIND */
channel_handler find_on_user;     /* AUTH_USER, from the helper for PAM: also for logins */

void find_failed_for_now(question *q, const char *why); /* ends the question */
