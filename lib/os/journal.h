/* What a file system does to make a change durable. */
#pragma once
#include <stdbool.h>

/* Whether new names, sizes and blocks of files become durable by commits of a journal, while content that is written over does without
 * (ext4 with a journal, XFS). `fd` is any of its files or folders, also an O_PATH. Reads /sys: to be called before confinement. */
bool journal_is_kept(int fd);
