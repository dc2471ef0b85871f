/* What a file system does to make a change durable. */
#pragma once
#include "base/fault.h"

/* Whether new names, sizes and blocks of files become durable by commits of a journal, while content that is written over does without
 * (ext4 with a journal, XFS). `fd` is any of its files or folders, also an O_PATH. Reads /sys: to be called before confinement. */
bool journal_is_kept(int fd);

/* Whether the file system of fd may show, after a power cut, a file under a name that it had before, beside its later one or in the
 * place of it, though the file and both folders were synced: btrfs, whose fsync writes into a log that may still have earlier names
 * (seen with Linux 6.18). A commit of the whole file system begins a new log. */
bool journal_mixes_names(int fd);

/* Such a commit where it is needed, by any descriptor of the file system but an O_PATH; elsewhere nothing. Needs CALLS_COMMIT. */
fault journal_commit(int fd);

/* Has btrfs begin one, and does not wait for it. False: errno; also elsewhere. Needs CALLS_COMMIT. */
bool journal_commit_start(int fd);
