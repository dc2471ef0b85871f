#include "base/clock.h"
#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Within this time of a change another one may leave the same time stamp, or a listing may have missed it. */
#define UNSURE_NS INT64_C(2000000000)

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool folder_stamp(int dirfd, const char *sub, uint64_t now_ns, dir_stamp *out)
{
    struct stat st;
    if (fstatat(dirfd, sub, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
        return false;
    *out = (dir_stamp){ ns_of(st.st_mtim), ns_of(st.st_ctim), st.st_ino, 0 };
    int64_t newest = out->mtime_ns > out->ctime_ns ? out->mtime_ns : out->ctime_ns;
    out->is_sure = newest < (int64_t)now_ns - UNSURE_NS;
    return true;
}

fault folder_make(int dirfd, const char *name)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(st.st_mode) ? NO_FAULT : fault_make(FAULT_REFUSED, "2.0", "%s is not a folder", name);
    if (errno != ENOENT)
        return fault_errno("cannot look at %s", name);
    if (mkdirat(dirfd, name, MAIL_FOLDER_MODE) != 0 && errno != EEXIST)
        return fault_errno("cannot make the folder %s", name);
    return NO_FAULT;
}

fault folder_make_maildir(int dirfd, bool is_inbox)
{
    static const char *const names[] = { "tmp", "new", "cur" }; /* cur last: with it the mailbox is there */
    fault f = NO_FAULT;

    if (!is_inbox) { /* tells delivery programs that this is a folder within a Maildir++ */
        int fd = file_open_beneath(dirfd, "maildirfolder", O_WRONLY | O_CREAT, MAIL_FILE_MODE);
        if (fd < 0)
            return fault_errno("cannot write maildirfolder");
        fd_close(&fd);
    }
    for (size_t i = 0; i < COUNT_OF(names) && !is_fault(f); i++)
        f = folder_make(dirfd, names[i]);
    return f;
}

static bool is_listed(const struct dirent *e, enum listed what)
{
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
        return false;
    return e->d_type == DT_UNKNOWN || e->d_type == (what == LIST_FILES ? DT_REG : DT_DIR);
}

fault folder_list(int dirfd, const char *sub, enum listed what, void (*visit)(void *context, str name), void *context)
{
    int fd = file_open_beneath(dirfd, sub, O_RDONLY | O_DIRECTORY, 0);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        fault f = fault_errno("cannot list %s", sub);
        fd_close(&fd);
        return f;
    }
    struct dirent *e;
    while (errno = 0, (e = readdir(d)) != NULL)
        if (is_listed(e, what))
            visit(context, str_c(e->d_name));
    fault f = errno ? fault_errno("cannot list %s", sub) : NO_FAULT;
    closedir(d);
    return f;
}

bool folder_sync(int dirfd, const char *sub)
{
    int fd = file_open_beneath(dirfd, sub, O_RDONLY | O_DIRECTORY, 0);
    bool done = fd >= 0 && fsync(fd) == 0;
    fd_close(&fd);
    return done;
}
