/* A new user's home and Maildir. Runs in: the postrider command. Below the home everything is made by a process that
 * has become the user, so that links in it lead nowhere that he may not go himself. */
#pragma once
#include "base/fault.h"
#include <stdint.h>

/* Makes what is missing: the home, its parents, and `mail` with cur, new and tmp, 0700 and the user's. As another than
 * root: only for oneself. */
fault home_make(const char *home, const char *mail, uint32_t uid, uint32_t gid);
