/* Pieces of IMAP responses (RFC 3501 9), appended to a buf; always in correct syntax, whatever the bytes. Runs in:
 * login, imapd's worker. Fails: false when `out` overflows. Flags: proto/imap_flags.h; names of FETCH items:
 * proto/imap_fetch.h. */
#pragma once
#include "base/buf.h"
#include "proto/imap_set.h"

/* Quoted when it can be (no CR, LF, NUL, 8-bit; not long), else a literal. */
bool imap_write_string(buf *out, str s);
bool imap_write_nstring(buf *out, str s); /* p NULL: NIL */
bool imap_write_astring(buf *out, str s); /* an atom when it can be */
bool imap_write_literal(buf *out, str s); /* NUL, which no literal may have, goes out as 0x80 */
bool imap_write_mailbox(buf *out, str utf8_name);
bool imap_write_number(buf *out, uint64_t n);
bool imap_write_date(buf *out, int64_t utc_s);                     /* INTERNALDATE, quoted, in UTC */
bool imap_write_set(buf *out, const imap_range *ranges, size_t n); /* "1:3,5"; nothing when n is 0 */

/* Text for a person: one line, bytes outside ' ' to '~' as '?'; never empty. */
bool imap_write_text(buf *out, str text);
