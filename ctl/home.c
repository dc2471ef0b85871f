#include "ctl/home.h"
#include "base/arena.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool folders_make(const char *mail)
{
    static const char *const parts[] = { "", "/cur", "/new", "/tmp" };
    arena a = arena_new(0);
    bool is_made = true;
    umask(077);
    for (size_t i = 0; i < COUNT_OF(parts) && is_made; i++) {
        const char *path = arena_printf(&a, "%s%s", mail, parts[i]).p;
        is_made = mkdir(path, 0700) == 0 || errno == EEXIST;
    }
    int error = errno;
    arena_free(&a);
    errno = error;
    return is_made;
}

/* In the child: the exit status is errno. */
static _Noreturn void child(const char *mail, uint32_t uid, uint32_t gid)
{
    bool is_he = setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
    _exit(is_he && folders_make(mail) ? 0 : errno);
}

static fault make_as(const char *mail, uint32_t uid, uint32_t gid)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        child(mail, uid, gid);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return fault_errno("fork");
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    return errno == 0 ? NO_FAULT : fault_errno("cannot make %s as its owner", mail);
}

fault home_make(const char *home, const char *mail, uint32_t uid, uint32_t gid)
{
    bool is_root = geteuid() == 0;
    file_owner owner = { .mode = 0700, .has_owner = is_root, .uid = uid, .gid = gid };
    if (!is_root && uid != geteuid())
        return fault_make(FAULT_REFUSED, "7.0", "only root can make the home of another user");
    fault f = home[0] ? file_make_folders(AT_FDCWD, home, owner) : NO_FAULT;
    if (is_fault(f))
        return f;
    if (is_root)
        return make_as(mail, uid, gid);
    return folders_make(mail) ? NO_FAULT : fault_errno("cannot make %s", mail);
}
