/* Mailbox names on the wire: modified UTF-7 (RFC 3501 5.1.3). Runs in: imapd's worker. Pure, linear.
 * Only names that come back the same are names: what is not minimal, hides ASCII (a slash, a dot) in base64, or holds
 * control characters, lone surrogates or broken UTF-8 is refused. False: *out as it was. */
#pragma once
#include "base/buf.h"

bool imap_utf7_encode(str utf8, buf *out);
bool imap_utf7_decode(str utf7, buf *out);
