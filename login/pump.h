/* After login: without TLS the client's socket goes to the pool; with TLS one end of a socketpair does, and the bytes
 * are pumped between both, held back where the other side is slow. The end of one side is the end of both; a client
 * that has only said all that it will say still hears the answers. Runs in: login. */
#pragma once
#include "login/session.h"

void pump_hand_over(session *s);          /* auth said yes; nothing of ours waits to be sent */
void pump_refused(session *s);            /* the pool could not have a worker */
size_t pump_input(session *s, str bytes); /* from the client */
void pump_client_drained(session *s);
void pump_client_done(session *s);
