/* BODY and BODYSTRUCTURE of a message (RFC 3501 7.4.2), from the tree of mail/mime.h. Runs in: workers of local and
 * imapd. No recursion. A multipart without children is shown as one empty text/plain part within, as the grammar
 * wants one. */
#pragma once
#include "mail/mime.h"

/* Appends "(…)" without the item's name; has_extensions: BODYSTRUCTURE. */
bool imap_structure_write(buf *out, const mime_part *root, bool has_extensions, arena *mem);
