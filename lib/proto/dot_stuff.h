/* Content on its way out: every line ends in CRLF, every leading dot is doubled, the end is CRLF.CRLF (RFC 5321
 * 4.5.2, RFC 1939 3). Input in pieces split anywhere, with CRLF, LF or a mixture; a bare CR becomes a line end as
 * well, so that none leaves.
 * Runs in: the SMTP client, pop3d's worker. Fails: false when `out` overflows; the state is then not to be used
 * again. */
#pragma once
#include "base/buf.h"

typedef struct dot_stuff {
    bool in_line, last_was_cr;
} dot_stuff;

/* Appends at most 2 * in.n + 3 bytes. */
bool dot_stuff_feed(dot_stuff *d, str in, buf *out);

/* Ends the last line when it is open, then appends ".CRLF". */
bool dot_stuff_end(dot_stuff *d, buf *out);
