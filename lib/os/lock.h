/* One holder at a time: an exclusive lock on a file that names its holder.
 * Runs in: master (one suite per queue), qmgr, map. The lock lives as long as the descriptor (OFD lock), also across
 * exec when it is inherited. */
#pragma once
#include "base/fault.h"
#include <sys/types.h>

/* Takes the lock on dir/path (made with `mode` if missing) and writes this process's id and `who` into it. *out_fd
 * keeps it; close it to let go.
 * Fails: FAULT_TRY_LATER, "path is held by process 123 (postrider master)". */
fault lock_take(int dir, const char *path, mode_t mode, const char *who, int *out_fd);

/* The id of the process that holds dir/path, 0 if nobody does (or no such file). */
pid_t lock_holder(int dir, const char *path);
