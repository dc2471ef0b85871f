/* Files that are made durable together. Where a file system has a journal, fsyncs that are waited for side by side share one commit of
 * it and one flush of the disk; one after the other they do not (io_submit(2), IOCB_CMD_FSYNC). A process with CALLS_TOGETHER may have
 * more than one at once; where the kernel does not do it side by side, it is done one after the other. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct file_sync {
    int fd;        /* -1: nothing to do, and an error */
    bool is_data;  /* fdatasync is enough: size, blocks and name were durable before, or are with it */
    void *owner;   /* the caller's */
    int error;     /* out: errno of its fsync; 0: it is durable */
} file_sync;

/* fsync of each. All begin to be written before one is waited for. */
void file_sync_all(file_sync *files, size_t n);

/* The same in the background. Returns how many were started, from the first on: fewer when the kernel takes no more, for now or for
 * good. The descriptors stay open until file_sync_take has given the results. */
size_t file_sync_start(const file_sync *files, size_t n);

/* Results of those that were started, in any order: owner and error, each once. What cannot be known any more is EIO. With `waits` it
 * returns when there is one at least; else 0 when there is none yet, or none at all. */
size_t file_sync_take(file_sync *results_out, size_t max, bool waits);

/* A descriptor that can be read when there are new results; file_sync_take empties it, also when it leaves some: it is to be called
 * until it gives less than `max`. -1 while nothing was started. */
int file_sync_ready_fd(void);

/* The disk begins with these bytes of a file that is still being written: a later sync waits for less. It promises nothing. */
void file_sync_begin(int fd, uint64_t from, size_t n);
