#include "os/file_sync.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TOGETHER_MAX = 32, FLIGHTS_MAX = 128 };

/* A context of this process. */
typedef struct sync_context {
    aio_context_t id; /* 0: none yet */
    bool is_refused;
} sync_context;

static sync_context together, background;

/* Those in the background: a result is known by its place here. */
static struct flights {
    void *owners[FLIGHTS_MAX];
    uint8_t empty[FLIGHTS_MAX]; /* places, a stack */
    bool is_used[FLIGHTS_MAX];
    size_t count;
    int ready_fd;
} flights = { .ready_fd = -1 };
static_assert(FLIGHTS_MAX <= UINT8_MAX, "a place is an octet");

static bool context_open(sync_context *c, unsigned max)
{
    if (c->id == 0 && !c->is_refused)
        c->is_refused = syscall(SYS_io_setup, max, &c->id) != 0;
    return c->id != 0;
}

/* Results that cannot be had are failures, and those that come later must not be taken for others'. */
static void context_lost(sync_context *c)
{
    *c = (sync_context){ .is_refused = true };
}

static struct iocb call_of(const file_sync *f, uint64_t place)
{
    return (struct iocb){ .aio_data = place,
                          .aio_lio_opcode = f->is_data ? IOCB_CMD_FDSYNC : IOCB_CMD_FSYNC,
                          .aio_fildes = (uint32_t)f->fd };
}

/* Returns how many, from the first on. */
static size_t submit(const sync_context *c, struct iocb *calls, size_t n)
{
    struct iocb *list[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++)
        list[i] = &calls[i];
    long count = syscall(SYS_io_submit, c->id, (long)n, list);
    return count < 0 ? 0 : (size_t)count;
}

/* At least `least` of them; fewer: they cannot be had. */
static size_t results(sync_context *c, struct io_event *events, size_t least, size_t most)
{
    static struct timespec at_once;
    long count;
    do {
        count = syscall(SYS_io_getevents, c->id, (long)least, (long)most, events, least ? NULL : &at_once);
    } while (count < 0 && errno == EINTR);
    if (count < 0 || (size_t)count < least)
        context_lost(c);
    return count < 0 ? 0 : (size_t)count;
}

static int error_of(const struct io_event *e)
{
    return e->res < 0 ? (int)-e->res : 0;
}

static size_t submit_together(const file_sync *files, size_t n)
{
    struct iocb calls[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++)
        calls[i] = call_of(&files[i], i);
    return submit(&together, calls, n);
}

static void results_together(file_sync *files, size_t n)
{
    struct io_event events[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++)
        files[i].error = EIO;
    size_t count = results(&together, events, n, n);
    for (size_t i = 0; i < count; i++)
        files[events[i].data].error = error_of(&events[i]);
}

void file_sync_begin(int fd, uint64_t from, size_t n)
{
    (void)sync_file_range(fd, (off_t)from, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

void file_sync_all(file_sync *files, size_t n)
{
    for (size_t i = 0; i < n && n > 1; i++)
        file_sync_begin(files[i].fd, 0, 0);
    for (size_t at = 0, some, done; at < n; at += done) {
        some = n - at < TOGETHER_MAX ? n - at : TOGETHER_MAX;
        done = some > 1 && context_open(&together, TOGETHER_MAX) ? submit_together(files + at, some) : 0;
        if (done) {
            results_together(files + at, done);
        } else {
            file_sync *f = &files[at];
            f->error = (f->is_data ? fdatasync(f->fd) : fsync(f->fd)) == 0 ? 0 : errno;
            done = 1;
        }
    }
}

static bool flights_open(void)
{
    if (flights.ready_fd < 0) {
        flights.ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        for (size_t i = 0; i < FLIGHTS_MAX; i++)
            flights.empty[i] = (uint8_t)i;
    }
    return flights.ready_fd >= 0 && context_open(&background, FLIGHTS_MAX);
}

static size_t some_start(const file_sync *files, size_t n)
{
    struct iocb calls[TOGETHER_MAX];
    for (size_t i = 0; i < n; i++) {
        calls[i] = call_of(&files[i], flights.empty[flights.count + i]);
        calls[i].aio_flags = IOCB_FLAG_RESFD;
        calls[i].aio_resfd = (uint32_t)flights.ready_fd;
    }
    size_t started = submit(&background, calls, n);
    for (size_t i = 0; i < started; i++) {
        uint8_t place = flights.empty[flights.count++];
        flights.owners[place] = files[i].owner;
        flights.is_used[place] = true;
    }
    return started;
}

size_t file_sync_start(const file_sync *files, size_t n)
{
    size_t at = 0, some, started;
    if (!flights_open())
        return 0;
    for (size_t i = 0; i < n; i++)
        file_sync_begin(files[i].fd, 0, 0);
    do {
        size_t room = FLIGHTS_MAX - flights.count;
        some = n - at < TOGETHER_MAX ? n - at : TOGETHER_MAX;
        some = some < room ? some : room;
        started = some ? some_start(files + at, some) : 0;
        at += started;
    } while (started && at < n);
    return at;
}

static file_sync landed(uint8_t place, int error)
{
    flights.is_used[place] = false;
    flights.empty[--flights.count] = place;
    return (file_sync){ .fd = -1, .owner = flights.owners[place], .error = error };
}

/* As many as there is room for; the others next time. */
static size_t all_lost(file_sync *out, size_t max)
{
    size_t n = 0;
    for (size_t place = 0; place < FLIGHTS_MAX && n < max; place++)
        if (flights.is_used[place])
            out[n++] = landed((uint8_t)place, EIO);
    return n;
}

size_t file_sync_take(file_sync *results_out, size_t max, bool waits)
{
    struct io_event events[TOGETHER_MAX];
    uint64_t seen;
    if (flights.count == 0)
        return 0;
    (void)!read(flights.ready_fd, &seen, sizeof seen);
    size_t n = background.id ? results(&background, events, waits, max < TOGETHER_MAX ? max : TOGETHER_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        results_out[i] = landed((uint8_t)events[i].data, error_of(&events[i]));
    return background.id ? n : n + all_lost(results_out + n, max - n);
}

int file_sync_ready_fd(void)
{
    return flights.ready_fd;
}
