/* ENVELOPE of a message (RFC 3501 7.4.2), from the fields that mail/mime.h keeps. Runs in: workers of local and
 * imapd. */
#pragma once
#include "mail/mime.h"

/* Appends "(…)" without the item's name. Sender and Reply-To default to From; groups as the RFC has them. */
bool imap_envelope_write(buf *out, const mime_envelope *envelope, arena *mem);
