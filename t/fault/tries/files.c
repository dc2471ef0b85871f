/* Attempts at files: those of the host, of the queue, of other users, and ways out of the root directory. */
#include "fault/tries/tries.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { FDS_TRIED = 1024 };

/* From wherever the process stands: by the path, below each open folder, and by climbing out of one. */
static bool can_open(const char *path, int flags)
{
    char above[PAGE_TEXT + 40];

    if (syscall(SYS_openat, AT_FDCWD, path, flags, 0600) >= 0)
        return true;
    snprintf(above, sizeof above, "../../../../../../../..%s", path);
    for (int fd = -1; fd < FDS_TRIED; fd++)
        if (syscall(SYS_openat, fd < 0 ? AT_FDCWD : fd, above, flags, 0600) >= 0)
            return true;
    return false;
}

static bool open_passwd(const page *p)
{
    (void)p;
    return can_open("/etc/passwd", O_RDONLY);
}

static bool open_shadow(const page *p)
{
    (void)p;
    return can_open("/etc/shadow", O_RDONLY);
}

static bool write_passwd(const page *p)
{
    (void)p;
    return can_open("/etc/passwd", O_WRONLY);
}

static bool open_a_program(const page *p)
{
    (void)p;
    return can_open("/usr/bin/env", O_RDONLY);
}

static bool open_init(const page *p)
{
    (void)p;
    return can_open("/proc/1/environ", O_RDONLY) || can_open("/proc/1/root/etc/shadow", O_RDONLY) ||
           can_open("/proc/1/mem", O_RDWR);
}

static bool open_a_siblings_memory(const page *p)
{
    char path[60];

    snprintf(path, sizeof path, "/proc/%d/mem", p->sibling);
    return can_open(path, O_RDONLY);
}

static bool open_a_siblings_descriptors(const page *p)
{
    char path[60];

    snprintf(path, sizeof path, "/proc/%d/fd", p->sibling);
    return can_open(path, O_RDONLY | O_DIRECTORY);
}

static bool open_a_siblings_root(const page *p)
{
    char path[60];

    snprintf(path, sizeof path, "/proc/%d/root/", p->sibling);
    return can_open(path, O_RDONLY | O_DIRECTORY);
}

static bool open_the_key(const page *p)
{
    return can_open(p->key, O_RDONLY);
}

static bool open_the_users(const page *p)
{
    return can_open(p->users, O_RDONLY);
}

static bool open_the_queue(const page *p)
{
    return can_open(p->queue, O_RDONLY);
}

static bool open_anothers_mail(const page *p)
{
    const char *mail = strstr(p->others_mail, "/mail/");

    return can_open(p->others_mail, O_RDONLY) || (mail && can_open(mail + strlen("/mail"), O_RDONLY));
}

static bool open_by_openat2(const page *p)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = { O_RDONLY, 0, 0 };

    return syscall(SYS_openat2, AT_FDCWD, p->others_mail, &how, sizeof how) >= 0;
}

static bool create_a_file(const page *p)
{
    (void)p;
    return syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600) >= 0 ||
           syscall(SYS_openat, AT_FDCWD, "made-by-the-test", O_CREAT | O_RDWR, 0600) >= 0;
}

static bool create_in_tmp(const page *p)
{
    (void)p;
    return can_open("/var/tmp", O_TMPFILE | O_RDWR);
}

static bool change_root(const page *p)
{
    (void)p;
    return syscall(SYS_chroot, ".") == 0 || syscall(SYS_chroot, "/") == 0;
}

static bool change_root_by_a_descriptor(const page *p)
{
    (void)p;
    for (int fd = 0; fd < FDS_TRIED; fd++)
        if (syscall(SYS_fchdir, fd) == 0 && (syscall(SYS_chroot, ".") == 0 || can_open("/etc/passwd", O_RDONLY)))
            return true;
    syscall(SYS_chdir, "/");
    return syscall(SYS_chroot, ".") == 0;
}

static bool change_mode(const page *p)
{
    return syscall(SYS_chmod, p->others_mail, 0666) == 0;
}

static bool change_mode_at(const page *p)
{
    return syscall(SYS_fchmodat, AT_FDCWD, p->others_mail, 0666) == 0;
}

static bool change_owner(const page *p)
{
    return syscall(SYS_chown, p->others_mail, 0, 0) == 0;
}

static bool change_owner_at(const page *p)
{
    return syscall(SYS_fchownat, AT_FDCWD, p->others_mail, 0, 0, 0) == 0;
}

static bool change_times(const page *p)
{
    return syscall(SYS_utimensat, AT_FDCWD, p->others_mail, NULL, 0) == 0;
}

static bool change_attributes(const page *p)
{
    return syscall(SYS_setxattr, p->others_mail, "user.x", "x", 1UL, 0) == 0 ||
           syscall(SYS_lsetxattr, p->others_mail, "user.x", "x", 1UL, 0) == 0;
}

static bool truncate_anothers(const page *p)
{
    return syscall(SYS_truncate, p->others_mail, 0L) == 0;
}

static bool remove_anothers(const page *p)
{
    char gone[PAGE_TEXT + 8];

    snprintf(gone, sizeof gone, "%s-gone", p->others_mail);
    return syscall(SYS_renameat2, AT_FDCWD, p->others_mail, AT_FDCWD, gone, 0) == 0 &&
           syscall(SYS_renameat2, AT_FDCWD, gone, AT_FDCWD, p->others_mail, 0) == 0;
}

static bool link_anothers(const page *p)
{
    return syscall(SYS_linkat, AT_FDCWD, p->others_mail, AT_FDCWD, "linked-by-the-test", 0) == 0;
}

static bool make_a_symlink(const page *p)
{
    (void)p;
    return syscall(SYS_symlink, "/etc/shadow", "linked-to-shadow") == 0 ||
           syscall(SYS_symlinkat, "/etc/shadow", AT_FDCWD, "linked-to-shadow") == 0;
}

static bool make_a_device(const page *p)
{
    (void)p;
    return syscall(SYS_mknodat, AT_FDCWD, "device", S_IFCHR | 0600, makedev(1, 1)) == 0;
}

static bool make_a_fifo(const page *p)
{
    (void)p;
    return syscall(SYS_mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0) == 0;
}

static bool look_at_anothers(const page *p)
{
    struct stat s;

    return syscall(SYS_newfstatat, AT_FDCWD, p->others_mail, &s, 0) == 0;
}

static bool watch_anothers(const page *p)
{
    long fd = syscall(SYS_inotify_init1, IN_CLOEXEC);

    return syscall(SYS_inotify_add_watch, fd, p->others_mail, IN_ALL_EVENTS) >= 0;
}

static bool mount_something(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_mount, NULL, NULL, NULL, 0UL, NULL));
}

static bool unmount_something(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_umount2, NULL, 0));
}

static bool open_a_tree(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_open_tree, AT_FDCWD, "/", 0)) || was_let_in(syscall(SYS_fsopen, "tmpfs", 0));
}

static bool pivot(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_pivot_root, NULL, NULL));
}

static bool open_by_handle(const page *p)
{
    char handle[16] = { 0 };
    (void)p;
    return was_let_in(syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
}

const attempt file_attempts[] = {
    { "open /etc/passwd", SPAWNS | SYSTEM | MASTER | PROGRAMS, open_passwd },
    { "open /etc/shadow", SYSTEM | MASTER, open_shadow },
    { "write to /etc/passwd", MASTER, write_passwd },
    { "open a program", SPAWNS | MASTER | PROGRAMS, open_a_program },
    { "open files of process 1", MASTER, open_init },
    { "open the memory of a sibling", 0, open_a_siblings_memory },
    { "open the descriptors of a sibling", MASTER, open_a_siblings_descriptors },
    { "open the root of a sibling", 0, open_a_siblings_root },
    { "open the private key", MASTER, open_the_key },
    { "open the user file", USERS | MASTER, open_the_users },
    { "open the queue", QUEUE, open_the_queue },
    { "open the mail of another", 0, open_anothers_mail },
    { "open the mail of another by openat2", 0, open_by_openat2 },
    { "create a file", WRITES | MASTER | PROGRAMS, create_a_file },
    { "create a file in /var/tmp", SPAWNS | MASTER | PROGRAMS, create_in_tmp },
    { "chroot", SPAWNS | MASTER, change_root },
    { "chroot by a descriptor", SPAWNS | MASTER, change_root_by_a_descriptor },
    { "chmod", 0, change_mode },
    { "fchmodat", 0, change_mode_at },
    { "chown", 0, change_owner },
    { "fchownat", 0, change_owner_at },
    { "utimensat", 0, change_times },
    { "setxattr", 0, change_attributes },
    { "truncate", 0, truncate_anothers },
    { "rename the mail of another", 0, remove_anothers },
    { "link the mail of another", 0, link_anothers },
    { "make a symbolic link", MASTER | PROGRAMS, make_a_symlink },
    { "make a device", 0, make_a_device },
    { "make a FIFO", MASTER | PROGRAMS, make_a_fifo },
    { "look at the mail of another", 0, look_at_anothers },
    { "watch the mail of another", 0, watch_anothers },
    { "mount", 0, mount_something },
    { "unmount", 0, unmount_something },
    { "mount by descriptors", 0, open_a_tree },
    { "pivot_root", 0, pivot },
    { "open by handle", 0, open_by_handle },
};
const size_t file_attempt_count = sizeof file_attempts / sizeof *file_attempts;
