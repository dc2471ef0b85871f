/* The items of FETCH, one row each: how its value is written. Runs in: imapd-worker. */
#pragma once
#include "imapd/worker/session.h"

/* Appends name and value. What is too large for `out` is left to *left, and follows what was appended.
 * Fails: FAULT_REFUSED: the message is gone; nothing that was appended is to be used. */
fault fetch_item_write(session *s, const message_info *info, const imap_fetch_item *item, buf *out, pour *left);
