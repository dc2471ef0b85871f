/* Sessions that their worker has put to sleep: their descriptor waits here until the client speaks or leaves, then the
 * session goes back to a pool with the grant and the state that it came with. Under TLS the descriptor is the worker's
 * end of the pair that login pumps, so that both kinds are the same here. Runs in: login. */
#pragma once
#include "ipc/talk/session.h"
#include "login/front.h"

void sleep_begin(front *f, const char *pool, const session_sleep *m, int fd); /* takes fd */
void sleep_end_all(front *f);
