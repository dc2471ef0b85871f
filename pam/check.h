/* Asks PAM whether a password is right and the account may log in. Runs in: pam, and blocks. PAM's own delay after a
 * failure is switched off: auth delays by source. Fails: FAULT_REFUSED, or FAULT_TRY_LATER when PAM itself cannot tell;
 * never with a password. */
#pragma once
#include "base/fault.h"
#include "base/secret.h"

/* `service` falls back to "other" by PAM's rule. `folder`: of service files, NULL for the system's. */
fault pam_check(const char *folder, const char *service, str user, secret password);
