/* A SASL exchange of a session, the same for IMAP and POP3 but for the words of failure. Runs in: login. What the
 * client said is overwritten when the exchange ends. */
#pragma once
#include "login/session.h"

enum { EXCHANGE_LINE_MAX = 12288 };

/* `initial`: p NULL when there was none. `verb` is static. */
void exchange_start(session *s, str tag, const char *verb, sasl_mechanism mechanism, str initial);

/* Takes one line of it from the front of `in`; how much it took. *is_whole: false when the line is not there yet. */
size_t exchange_input(session *s, str in, bool *is_whole);

void exchange_end(session *s);
