/* The environment of a command: nothing of the suite's own, and of what a stranger chose only harmless characters. Runs in:
 * pipe-worker. */
#pragma once
#include "base/arena.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/program.h"

/* Ends in NULL; lives in the arena. */
char **environment_make(const deliver_request *m, const program_rules *rules, str home, arena *a);
