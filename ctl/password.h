/* Passwords that a person sets: asked for, and hashed. Runs in: the postrider command. What is asked for is the
 * caller's to wipe. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "base/secret.h"

enum { PASSWORD_BYTES_MAX = 512 };

/* Appends {SCHEME}hash. `scheme`: yescrypt (also for ""), sha512 or plain; case does not matter.
 * FAULT_REFUSED: another scheme, or a password that is empty, too long, or has a byte that none may have. */
fault password_hash(secret password, str scheme, buf *out);

/* Asks twice without echo at a terminal, else reads one line of the input. */
fault password_ask(str user, buf *out);
