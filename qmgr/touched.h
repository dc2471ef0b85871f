/* Folders that a command changed: see touched.c. */
#pragma once
#include "queue/tree.h"

typedef struct touched {
    uint64_t ids[QUEUE_PLACES][QUEUE_BRANCHES]; /* of each folder one id that came or left; 0: none did */
} touched;

void touched_add(touched *t, queue_place p, uint64_t id);

/* `mixes_names`: where a folder's own fsync may bring names back (os/journal.h), all is committed instead. */
fault touched_sync(const touched *t, int queue_fd, bool mixes_names);
