/* Descriptors: close, flags, and sealed memory files, which carry bytes to another process that can trust them not to
 * change.
 * Runs in: every process. The caller owns each descriptor. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"

void fd_close(int *fd); /* closes unless -1, sets -1; errno stays */

/* Fail with errno. */
bool fd_set_nonblock(int fd, bool is_on);
bool fd_set_cloexec(int fd, bool is_on);

/* Closes every descriptor from 3 on that is not in `keep` (any order, -1 is skipped). */
bool fd_close_others(const int *keep, size_t count);

/* An empty memory file to be filled, then sealed: nobody can write, grow or shrink it any more, and nobody could ever run it.
 * Close-on-exec; `name` is for /proc only. -1, false: errno. */
int fd_memory(const char *name);
bool fd_memory_seal(int fd);

/* A sealed memory file with these bytes. */
fault fd_seal(const char *name, str bytes, int *out);

bool fd_is_sealed(int fd); /* a memory file sealed against write, grow, shrink and further seals */

/* Maps a sealed memory file read-only; its end is what fstat says now and stays so. Unmap with fd_unmap.
 * Fails: FAULT_BROKEN unless sealed and at most `max` bytes. */
fault fd_map_sealed(int fd, size_t max, str *out);
void fd_unmap(str *mapped);
