/* A queue file made from another: its content and added fields, with an envelope, recipients and states that may be others. Runs
 * in: postrider, for requeue, reroute and import. Descriptors stay the caller's. */
#pragma once
#include "queue/file.h"

/* Writes a whole file through `to_fd`, which is empty: what `m` says now (its id, envelope, recipients, slots, schedule), around the
 * content of `from_fd`, whose checksum is compared on the way. Not durable until the caller's fsync.
 * Fails: FAULT_BROKEN: the content is damaged; FAULT_REFUSED: the envelope is too large; FAULT_TRY_LATER: the disk. */
fault queue_rewrite(int from_fd, const queue_message *m, int to_fd);
