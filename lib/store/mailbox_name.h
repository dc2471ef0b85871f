/* Mailbox names (UTF-8, '/' between levels) and the Maildir++ folders that hold them (".Level.Level", each level in
 * modified UTF-7, RFC 3501 5.1.3, as Dovecot writes them). A dot within a level stands as "&AC4-" on disk. Only
 * names that come back the same are names at all, so no two folders can look alike. No I/O. */
#pragma once
#include "base/buf.h"

enum { MAILBOX_NAME_MAX = 1000 }; /* octets of UTF-8; the folder's name has 255 at most */

/* "INBOX" in any case, alone. */
bool mailbox_name_is_inbox(str name);

/* The folder of a mailbox into `folder`: empty for INBOX, else ".A.B". False: no name that may be (empty levels,
 * control characters, invalid UTF-8, too long). The folder is never "." or ".." and has no slash. */
bool mailbox_name_to_folder(str name, buf *folder);

/* The mailbox of a folder. False: the folder is none (no dot in front, not canonical). */
bool mailbox_name_from_folder(str folder, buf *name);

/* One level in modified UTF-7. dot_escaped: "." becomes "&AC4-". False: not UTF-8, or not canonical modified UTF-7. */
bool utf7_encode(str utf8, bool dot_escaped, buf *out);
bool utf7_decode(str utf7, bool dot_escaped, buf *out);
