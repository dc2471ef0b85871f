/* Files: whole reads and writes, durable replacement, opening beneath a folder. Runs in: every process that has files.
 * `dir` is a folder descriptor or AT_FDCWD. Descriptors that come out are close-on-exec and the caller's.
 * Fails: faults with errno's text (FAULT_TRY_LATER; status 3.1 when the disk is full); errno stays set. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include <sys/types.h>

/* All bytes or false with errno; go on after EINTR and short counts. Reading stops at the end of file: *got tells how
 * many. */
bool file_write_all(int fd, str bytes);
bool file_pwrite_all(int fd, str bytes, off_t offset);
bool file_pread_all(int fd, void *out, size_t bytes, off_t offset, size_t *got);

/* Writes what `from` has from its start into the same places of `to`. False with errno. */
bool file_copy(int from, int to);

/* Appends the whole file to `out`; FAULT_REFUSED when it does not fit out->max or is no regular file. Does not wait
 * for FIFOs. */
fault file_read(int dir, const char *path, buf *out);
fault file_read_fd(int fd, buf *out); /* from the current position; pipes and /proc files too */

typedef struct file_owner {
    mode_t mode;
    bool has_owner;
    uid_t uid;
    gid_t gid;
} file_owner;

/* Replaces `path` so that after any crash either the old or the new content is there, whole; durable on return. */
fault file_replace(int dir, const char *path, str content, file_owner owner);

/* Opens beneath `dir`: no "..", no absolute path, no symbolic link on the way or at the end (openat2 where the kernel
 * and the filter have it, else step by step). -1 with errno. */
int file_open_beneath(int dir, const char *path, int flags, mode_t mode);

/* Makes the folder and those above it that are missing, then gives the last one mode and owner if it was made here. */
fault file_make_folders(int dir, const char *path, file_owner owner);

bool file_sync_folder(int dir, const char *path); /* false with errno */
