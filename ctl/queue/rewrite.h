/* Messages whose files are made anew, on a running suite (qmgr lends them) and on a stopped one. A new file is whole and durable
 * before one rename puts it into its place, and the rename is durable before the message counts: a crash leaves the old file or the
 * new one, never both and never a part. The id stays. Runs in: postrider, as root. */
#pragma once
#include "ctl/queue/queue.h"
#include "queue/rewrite.h"

/* Changes `m`, whose views may be of `a`. False: there is nothing to change in it. */
typedef bool rewrite_fn(void *context, queue_message *m, arena *a);

/* Rewrites the messages of these ids; what could not be is said and counted in the tally. */
fault rewrite_all(queue_view *v, const queue_ids *ids, rewrite_fn *change, void *context, tally *t);
