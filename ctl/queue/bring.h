/* One more message in the queue, of a running suite or a stopped one. Runs in: postrider, as root. */
#pragma once
#include "ctl/queue/queue.h"

/* Brings the message that `fd` holds, as `m` says it is now, into `place` (deferred or hold), under *id if no other has it, else
 * under a new one. Durable on return. */
fault queue_bring(queue_view *v, queue_message *m, queue_place place, int fd, uint64_t *id);
