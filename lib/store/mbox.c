#include "store/mbox.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/file.h"
#include "store/internal.h"
#include "store/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_BYTES = 64 * 1024, NOT_AT_START = -1 };

static const char from_line[] = "From ";

struct mbox {
    char *path, *lock_path;
    int fd;
    uint64_t bytes_max;
    bool is_in_batch, is_open, has_dot;
    off_t batch_start, start; /* where the batch and the message begin */
    off_t end;                /* behind what was written */
    wire lines;
    int matched; /* bytes of "From " seen at the start of a line and held back, or NOT_AT_START */
    buf stored, out;
};

static const char *odd(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "it is not a plain file";
    if (st->st_nlink > 1)
        return "it has another name elsewhere";
    return st->st_uid == geteuid() ? NULL : "it is not the user's own";
}

fault mbox_open(const char *path, uint64_t bytes_max, mbox **out)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *out = NULL;
    if (fd < 0 && errno == ENOENT)
        return fault_make(FAULT_REFUSED, "2.9", "there is no mailbox %s, and it could not be made", path);
    if (fd < 0)
        return fault_make(FAULT_TRY_LATER, "2.0", "the mailbox %s cannot be opened: %s", path, strerror(errno));
    const char *why = fstat(fd, &st) != 0 ? strerror(errno) : odd(&st);
    if (why) {
        close(fd);
        return fault_make(FAULT_TRY_LATER, "2.0", "the mailbox %s is not used: %s", path, why);
    }
    mbox *m = memory_get(sizeof *m);
    size_t n = strlen(path) + 1;
    *m = (mbox){ .path = memory_get(n), .lock_path = memory_get(n + 5), .fd = fd, .bytes_max = bytes_max,
                 .stored = buf_new(2 * FLUSH_BYTES), .out = buf_new(8 * FLUSH_BYTES) };
    memcpy(m->path, path, n);
    snprintf(m->lock_path, n + 5, "%s.lock", path);
    *out = m;
    return NO_FAULT;
}

void mbox_close(mbox *m)
{
    if (m == NULL)
        return;
    mbox_undot(m);
    close(m->fd);
    buf_free(&m->stored);
    buf_free(&m->out);
    free(m->path);
    free(m->lock_path);
    free(m);
}

void mbox_limit(mbox *m, uint64_t bytes_max)
{
    m->bytes_max = bytes_max;
}

bool mbox_is_current(const mbox *m)
{
    struct stat open_one, named;
    return fstat(m->fd, &open_one) == 0 && lstat(m->path, &named) == 0 && open_one.st_dev == named.st_dev &&
           open_one.st_ino == named.st_ino;
}

static bool lock_set(const mbox *m, short kind)
{
    struct flock whole = { .l_type = kind, .l_whence = SEEK_SET };
    return fcntl(m->fd, F_OFD_SETLK, &whole) == 0;
}

bool mbox_lock(mbox *m)
{
    return lock_set(m, F_WRLCK);
}

void mbox_unlock(mbox *m)
{
    lock_set(m, F_UNLCK);
}

/* O_RDONLY: confinement lets us make and remove files there, not write to them. */
static bool dot_make(const mbox *m)
{
    int fd = open(m->lock_path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

fault mbox_dot(mbox *m, uint64_t stale_s)
{
    struct stat st;
    m->has_dot = dot_make(m);
    if (!m->has_dot && errno == EEXIST && lstat(m->lock_path, &st) == 0 && clock_s() > (uint64_t)st.st_mtime + stale_s) {
        log_event(LOG_WARNING, "stale-lock", LOG_C("file", m->lock_path));
        m->has_dot = unlink(m->lock_path) == 0 && dot_make(m);
    }
    if (m->has_dot)
        return NO_FAULT;
    return errno == EEXIST ? fault_make(FAULT_TRY_LATER, "2.0", "the mailbox is locked by another program")
                           : fault_make(FAULT_BROKEN, "2.0", "%s cannot be made: %s", m->lock_path, strerror(errno));
}

void mbox_undot(mbox *m)
{
    if (m->has_dot)
        unlink(m->lock_path);
    m->has_dot = false;
}

/* Only what is ours: when something else stands behind it, a program wrote without the lock, and keeps what it wrote. */
static void cut_back(mbox *m, off_t to)
{
    struct stat st;
    if (fstat(m->fd, &st) != 0 || st.st_size < to || st.st_size > m->end || ftruncate(m->fd, to) != 0)
        log_event(LOG_ERROR, "mailbox-not-cut", LOG_C("file", m->path), LOG_NUM("bytes", to), LOG_C("reason", strerror(errno)));
    else
        m->end = to;
}

static fault write_fault(const mbox *m)
{
    if (errno == EFBIG || errno == EDQUOT)
        return fault_make(errno == EFBIG ? FAULT_REFUSED : FAULT_TRY_LATER, "2.2", "the mailbox %s is full", m->path);
    return disk_fault("write to the mailbox");
}

static fault out_flush(mbox *m)
{
    if (m->bytes_max && (uint64_t)m->end + m->out.n > m->bytes_max) {
        mbox_cancel(m);
        return fault_make(FAULT_REFUSED, "2.2", "the mailbox is full: mailbox_size_limit");
    }
    off_t before = m->end;
    m->end += (off_t)m->out.n; /* it may be there in part */
    if (!file_write_all(m->fd, buf_str(&m->out))) {
        fault f = write_fault(m);
        m->end = before + (off_t)m->out.n;
        mbox_cancel(m);
        return f;
    }
    buf_clear(&m->out);
    return NO_FAULT;
}

/* An earlier message ends in an empty line, whatever wrote it. */
static void gap_append(mbox *m)
{
    char last[2] = { '\n', '\n' };
    size_t got, n = m->end >= 2 ? 2 : (size_t)m->end;
    if (n == 0 || !file_pread_all(m->fd, last + (2 - n), n, m->end - (off_t)n, &got))
        return;
    if (last[1] != '\n')
        buf_append(&m->out, STR("\n\n"));
    else if (n == 2 && last[0] != '\n')
        buf_append(&m->out, STR("\n"));
}

static fault batch_begin(mbox *m)
{
    struct stat st;
    if (m->is_in_batch)
        return NO_FAULT;
    if (fstat(m->fd, &st) != 0)
        return fault_errno("look at the mailbox");
    m->batch_start = m->end = st.st_size;
    m->is_in_batch = true;
    return NO_FAULT;
}

fault mbox_begin(mbox *m, str reverse_path)
{
    char when[32];
    time_t now = (time_t)clock_s();
    struct tm t;
    fault f = batch_begin(m);
    if (is_fault(f))
        return f;
    m->start = m->end;
    m->is_open = true;
    m->lines = (wire){ 0 };
    m->matched = 0;
    buf_clear(&m->out);
    gap_append(m);
    strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", localtime_r(&now, &t));
    buf_printf(&m->out, "From %.*s  %s\n", STR_ARG(reverse_path.n ? reverse_path : STR("MAILER-DAEMON")), when);
    return NO_FAULT;
}

static void held_append(mbox *m)
{
    if (m->matched > 0)
        buf_append(&m->out, (str){ from_line, (size_t)m->matched });
    m->matched = NOT_AT_START;
}

/* The start of a line, byte by byte; what may become "From " is held back. */
static size_t start_append(mbox *m, str s)
{
    size_t i = 0;
    while (i < s.n && m->matched >= 0 && s.p[i] == from_line[m->matched]) {
        i++;
        if (from_line[++m->matched] == '\0') {
            buf_append_char(&m->out, '>');
            held_append(m);
        }
    }
    if (i < s.n && m->matched >= 0)
        held_append(m);
    return i;
}

static void quoted_append(mbox *m, str s)
{
    while (s.n) {
        if (m->matched >= 0)
            s = str_from(s, start_append(m, s));
        size_t n = str_find(s, '\n');
        if (s.n && n < s.n) {
            n++;
            m->matched = 0;
        }
        buf_append(&m->out, str_upto(s, n));
        s = str_from(s, n);
    }
}

fault mbox_write(mbox *m, str bytes)
{
    while (bytes.n) {
        str piece = str_upto(bytes, FLUSH_BYTES);
        bytes = str_from(bytes, piece.n);
        (void)wire_to_stored(&m->lines, piece, &m->stored);
        quoted_append(m, buf_str(&m->stored));
        buf_clear(&m->stored);
        fault f = m->out.n < FLUSH_BYTES ? NO_FAULT : out_flush(m);
        if (is_fault(f))
            return f;
    }
    return NO_FAULT;
}

fault mbox_end(mbox *m)
{
    (void)wire_to_stored_end(&m->lines, &m->stored);
    quoted_append(m, buf_str(&m->stored));
    buf_clear(&m->stored);
    bool is_at_start = m->matched == 0;
    held_append(m);
    buf_append(&m->out, is_at_start ? STR("\n") : STR("\n\n"));
    fault f = out_flush(m);
    m->is_open = false;
    return f;
}

void mbox_cancel(mbox *m)
{
    if (!m->is_open)
        return;
    if (m->end > m->start)
        cut_back(m, m->start);
    m->is_open = false;
    buf_clear(&m->out);
    buf_clear(&m->stored);
}

fault mbox_sync(mbox *m)
{
    fault f = NO_FAULT;
    mbox_cancel(m);
    if (m->is_in_batch && m->end > m->batch_start && fsync(m->fd) != 0) {
        f = disk_fault("sync the mailbox");
        cut_back(m, m->batch_start);
    }
    m->is_in_batch = false;
    return f;
}
