/* An mbox file that messages are appended to: a From_ line (RFC 4155), lines that begin with "From " quoted by '>' as Postfix does
 * (mboxo: what begins with ">From " is left as it is), LF line ends, an empty line at the end. Runs in: workers of local, and pipe,
 * as the user. Whoever appends holds the locks; what cannot be finished is cut off again.
 * Fails: FAULT_TRY_LATER (disk, a file that is no mailbox), FAULT_REFUSED (over the size limit). */
#pragma once
#include "base/fault.h"
#include <sys/types.h>

typedef struct mbox mbox;

/* Opens a file that is there, as this user: a regular file with one name, owned by him. Checks are made on the descriptor. `path` is
 * kept and looked at again by mbox_is_current. FAULT_REFUSED with status "2.9": there is no such file. */
fault mbox_open(const char *path, uint64_t bytes_max, mbox **out);
void mbox_close(mbox *m); /* lets the locks go; NULL is fine */

void mbox_limit(mbox *m, uint64_t bytes_max); /* 0: no limit */

/* Whether the path still names the file that is open; a mail program may have removed or replaced it. */
bool mbox_is_current(const mbox *m);

/* The lock of fcntl on the whole file, without waiting. False: another program has it. */
bool mbox_lock(mbox *m);
void mbox_unlock(mbox *m);

/* path.lock, made with O_EXCL, removed by mbox_undot; an old one is removed first. FAULT_TRY_LATER: another program has it. */
fault mbox_dot(mbox *m, uint64_t stale_s);
void mbox_undot(mbox *m);

/* A batch: begin, write…, end for each message, then one sync for all. Content is CRLF. After a fault the message is cut off
 * again; the batch goes on. */
fault mbox_begin(mbox *m, str reverse_path);
fault mbox_write(mbox *m, str bytes);
fault mbox_end(mbox *m);
void mbox_cancel(mbox *m); /* the message that was begun; also right after a fault */

/* Durable, or cut back to where the batch began: then none of it is there. */
fault mbox_sync(mbox *m);
