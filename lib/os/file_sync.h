/* Files that are made durable together. Where a file system has a journal, fsyncs that are waited for side by side share one commit of
 * it and one flush of the disk; one after the other they do not (io_submit(2), IOCB_CMD_FSYNC). */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct file_sync {
    int fd;    /* -1: nothing to do, and an error */
    int error; /* out: errno of its fsync; 0: it is durable */
} file_sync;

/* fsync of each. All begin to be written before one is waited for. A process with CALLS_TOGETHER may call it with more than one; where
 * the kernel does not do it side by side, it is done one after the other. */
void file_sync_all(file_sync *files, size_t n);

/* The disk begins with these bytes of a file that is still being written: a later sync waits for less. It promises nothing. */
void file_sync_begin(int fd, uint64_t from, size_t n);
