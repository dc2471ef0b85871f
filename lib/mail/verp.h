/* Variable envelope return paths, as Postfix's VERP_README has them: owner@lists.example becomes
 * owner+user=domain@lists.example for the copy to user@domain, so that a report tells whom it is about. Pure. Runs in: smtpd,
 * cleanup, sendmail (the delimiters), qmgr (the addresses). */
#pragma once
#include "base/arena.h"

/* Two characters, both of `filter` (verp_delimiter_filter). */
bool verp_is_valid(str delimiters, str filter);

/* False, and *out is `sender` as it is: one of them has no domain or cannot be read, or the result would be longer than an address
 * may be (RFC 5321 4.5.3.1.1), so that no report could come back to it. */
bool verp_sender(str sender, str recipient, str delimiters, arena *mem, str *out);
