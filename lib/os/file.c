#include "os/file.h"
#include "base/arena.h"
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024, FOLDER_MODE = 0755 };

bool file_write_all(int fd, str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = str_from(bytes, (size_t)n);
    }
    return true;
}

bool file_pwrite_all(int fd, str bytes, off_t offset)
{
    while (bytes.n > 0) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = str_from(bytes, (size_t)n);
        offset += n;
    }
    return true;
}

bool file_pread_all(int fd, void *out, size_t bytes, off_t offset, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        ssize_t n = pread(fd, (char *)out + *got, bytes - *got, offset + (off_t)*got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return true;
}

bool file_copy(int from, int to)
{
    static char piece[64 * 1024]; /* one loop, one thread */
    size_t got = sizeof piece;

    for (off_t at = 0; got == sizeof piece; at += (off_t)got)
        if (!file_pread_all(from, piece, sizeof piece, at, &got) || !file_pwrite_all(to, (str){ piece, got }, at))
            return false;
    return true;
}

/* One read into the free space of `out`. 1: got some, 0: end, -1: errno. A full buf still asks for one byte, which
 * must be the end. */
static int chunk_read(int fd, buf *out)
{
    char spare;
    size_t space = out->max - out->n;
    bool is_full = space == 0;

    if (!is_full && !buf_reserve(out, space < READ_STEP ? space : READ_STEP)) {
        errno = EFBIG;
        return -1;
    }
    size_t room = is_full ? 1 : out->capacity - out->n < space ? out->capacity - out->n : space;
    ssize_t n;
    do
        n = read(fd, is_full ? &spare : out->p + out->n, room);
    while (n < 0 && errno == EINTR);
    if (n > 0 && is_full) {
        out->overflow = true;
        errno = EFBIG;
        return -1;
    }
    if (n > 0)
        out->n += (size_t)n;
    return n > 0 ? 1 : (int)n;
}

fault file_read_fd(int fd, buf *out)
{
    int more;

    while ((more = chunk_read(fd, out)) > 0)
        continue;
    if (more < 0 && errno == EFBIG)
        return fault_make(FAULT_REFUSED, "3.4", "the file has more than %zu bytes", out->max);
    return more < 0 ? fault_errno("cannot read") : NO_FAULT;
}

fault file_read(int dir, const char *path, buf *out)
{
    struct stat st;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return fault_errno("cannot open %s", path);
    fault f = NO_FAULT;
    if (fstat(fd, &st) != 0)
        f = fault_errno("cannot look at %s", path);
    else if (!S_ISREG(st.st_mode))
        f = fault_make(FAULT_REFUSED, "3.0", "%s is not a regular file", path);
    else if (is_fault(f = file_read_fd(fd, out)) && f.kind == FAULT_REFUSED)
        f = fault_make(FAULT_REFUSED, "3.4", "%s has more than %zu bytes", path, out->max);
    else if (is_fault(f))
        f = fault_errno("cannot read %s", path);
    fd_close(&fd);
    return f;
}

static str folder_of(const char *path)
{
    str p = str_c(path);
    size_t slash = str_find_last(p, '/');
    return slash == p.n ? STR(".") : slash == 0 ? STR("/") : str_upto(p, slash);
}

bool file_sync_folder(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = fsync(fd) == 0;
    fd_close(&fd);
    return done;
}

static bool owner_set(int fd, file_owner owner)
{
    if (owner.has_owner && fchown(fd, owner.uid, owner.gid) != 0)
        return false;
    return fchmod(fd, owner.mode) == 0;
}

/* Writes and syncs the temporary file; it is gone again when this fails. */
static bool temporary_write(int dir, const char *name, str content, file_owner owner)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool done = owner_set(fd, owner) && file_write_all(fd, content) && fsync(fd) == 0;
    if (!done) {
        int number = errno;
        unlinkat(dir, name, 0);
        errno = number;
    }
    fd_close(&fd);
    return done;
}

fault file_replace(int dir, const char *path, str content, file_owner owner)
{
    arena a = arena_new(64 * 1024);
    uint64_t random = 0;
    fault f = NO_FAULT;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return fault_errno("cannot get random bytes");
    const char *name = arena_printf(&a, "%s.%016llx.tmp", path, (unsigned long long)random).p;
    if (!temporary_write(dir, name, content, owner)) {
        f = fault_errno("cannot write %s", name);
    } else if (renameat(dir, name, dir, path) != 0) {
        f = fault_errno("cannot replace %s", path);
        unlinkat(dir, name, 0);
    } else if (!file_sync_folder(dir, arena_c(&a, folder_of(path)))) {
        f = fault_errno("cannot sync the folder of %s", path);
    }
    arena_free(&a);
    return f;
}

/* One component: never followed when it is a link, which O_PATH would otherwise open as itself. */
static int component_open(int dir, const char *name, bool is_last, int flags, mode_t mode)
{
    if (is_last)
        return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_link(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

static int steps_open(int dir, const char *path, int flags, mode_t mode)
{
    str rest = str_c(path), name;
    arena a = arena_new(64 * 1024);
    int at = dir;

    errno = ENOENT;
    while (str_word(&rest, "/", &name)) {
        bool is_last = str_find(rest, '/') == rest.n ? rest.n == 0 : false;
        int next = -1;
        if (str_equal(name, STR("..")))
            errno = EXDEV;
        else
            next = component_open(at, arena_c(&a, name), is_last, flags, mode);
        if (at != dir)
            fd_close(&at);
        at = next;
        if (at < 0)
            break;
    }
    arena_free(&a);
    if (at == dir)
        return -1;
    if (at >= 0 && is_link(at)) {
        fd_close(&at);
        errno = ELOOP;
    }
    return at;
}

int file_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0 || errno != ENOSYS)
        return (int)fd;
    if (path[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    return steps_open(dir, path, flags, mode);
}

/* 1: made, 0: was there, -1: errno. */
static int folder_make(int dir, const char *path, mode_t mode)
{
    struct stat st;

    if (mkdirat(dir, path, mode) == 0)
        return 1;
    if (errno != EEXIST || fstatat(dir, path, &st, 0) != 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        return 0;
    errno = ENOTDIR;
    return -1;
}

static bool folder_own(int dir, const char *path, file_owner owner)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = owner_set(fd, owner);
    fd_close(&fd);
    return done;
}

fault file_make_folders(int dir, const char *path, file_owner owner)
{
    arena a = arena_new(64 * 1024);
    str whole = str_c(path);
    fault f = NO_FAULT;

    while (whole.n > 1 && whole.p[whole.n - 1] == '/')
        whole.n--;
    for (size_t n = 1; n <= whole.n && !is_fault(f); n++) {
        bool is_last = n == whole.n;
        if (!is_last && (whole.p[n] != '/' || whole.p[n - 1] == '/'))
            continue;
        const char *folder = arena_c(&a, str_upto(whole, n));
        int made = folder_make(dir, folder, is_last ? 0700 : FOLDER_MODE);
        if (made < 0 || (made > 0 && is_last && !folder_own(dir, folder, owner)))
            f = fault_errno("cannot make the folder %s", folder);
    }
    arena_free(&a);
    return f;
}
