/* Whether a file is open elsewhere, in whatever process, also as a mapping or a descriptor that is on its way (fcntl(2), F_SETLEASE).
 * It must be the caller's own, and is asked through a descriptor of the caller: copies of that one are not seen.
 * Runs in: qmgr, with CALLS_LEASE and SIGIO ignored. */
#pragma once
#include <stdbool.h>

/* Nobody else has it open, for whatever. `fd` may write. False also when it cannot be told. */
bool lease_is_alone(int fd);

/* Somebody has it open to write; `fd` can only read. False also when it cannot be told. */
bool lease_is_written(int fd);
