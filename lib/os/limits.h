/* Limits and flags of the process that need no privilege. Used by become() and worker_confine(). */
#pragma once
#include "os/contract.h"

/* Dumpable 0 (no core, no ptrace by processes of the same uid), no core file, the limits given; `forbids_exec_memory`:
 * memory that was writable never becomes executable (where the kernel has it; the filter says the same). Returns the
 * step that failed or NULL. */
const char *limits_apply(const process_limits *l, bool forbids_exec_memory);

/* No further process or thread of this uid from here. False with errno. */
bool limits_forbid_fork(void);

bool limits_has_mdwe(void);
