#include "os/file_sync.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TOGETHER_MAX = 32 };

static aio_context_t waits; /* of this process; 0: none yet */
static bool is_refused;

static bool can_wait_together(void)
{
    if (waits == 0 && !is_refused)
        is_refused = syscall(SYS_io_setup, TOGETHER_MAX, &waits) != 0;
    return waits != 0;
}

/* Returns how many, from the first on. */
static size_t submit(const file_sync *files, size_t n)
{
    struct iocb calls[TOGETHER_MAX], *list[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++) {
        calls[i] = (struct iocb){
            .aio_data = i, .aio_lio_opcode = IOCB_CMD_FSYNC, .aio_fildes = (uint32_t)files[i].fd
        };
        list[i] = &calls[i];
    }
    long count = syscall(SYS_io_submit, waits, (long)n, list);
    return count < 0 ? 0 : (size_t)count;
}

/* Results that cannot be had are failures, and those that come later must not be taken for others'. */
static void results_lost(void)
{
    waits = 0;
    is_refused = true;
}

static void results_take(file_sync *files, size_t n)
{
    struct io_event events[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++)
        files[i].error = EIO;
    while (n > 0) {
        long count = syscall(SYS_io_getevents, waits, (long)n, (long)n, events, NULL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            results_lost();
            return;
        }
        for (long i = 0; i < count; i++)
            files[events[i].data].error = events[i].res < 0 ? (int)-events[i].res : 0;
        n -= (size_t)count;
    }
}

void file_sync_begin(int fd, uint64_t from, size_t n)
{
    (void)sync_file_range(fd, (off_t)from, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

void file_sync_all(file_sync *files, size_t n)
{
    for (size_t i = 0; i < n && n > 1; i++)
        (void)sync_file_range(files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (size_t at = 0, some, done; at < n; at += done) {
        some = n - at < TOGETHER_MAX ? n - at : TOGETHER_MAX;
        done = some > 1 && can_wait_together() ? submit(files + at, some) : 0;
        if (done) {
            results_take(files + at, done);
        } else {
            files[at].error = fsync(files[at].fd) == 0 ? 0 : errno;
            done = 1;
        }
    }
}
