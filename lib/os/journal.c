#include "os/journal.h"
#include "os/file.h"
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* "vda1" of a block device. */
static bool device_name(dev_t device, char *out, size_t max)
{
    char path[64], target[512];
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device), minor(device));
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    const char *name = strrchr(target, '/');
    return name && (size_t)snprintf(out, max, "%s", name + 1) < max;
}

/* ext4 names its journal's thread there. Hardly any is without: unknown is yes. */
static bool ext4_has_one(dev_t device)
{
    char name[64], path[128];
    buf text = buf_new(64);
    if (!device_name(device, name, sizeof name))
        return true;
    snprintf(path, sizeof path, "/sys/fs/ext4/%s/journal_task", name);
    bool is_none = !is_fault(file_read(AT_FDCWD, path, &text)) && str_starts(buf_str(&text), STR("<none>"));
    buf_free(&text);
    return !is_none;
}

bool journal_is_kept(int fd)
{
    struct statfs fs;
    struct stat st;
    if (fstatfs(fd, &fs) != 0 || fstat(fd, &st) != 0)
        return false;
    return fs.f_type == XFS_SUPER_MAGIC || (fs.f_type == EXT4_SUPER_MAGIC && ext4_has_one(st.st_dev));
}

bool journal_mixes_names(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

fault journal_commit(int fd)
{
    return journal_mixes_names(fd) && syncfs(fd) != 0 ? fault_errno("make the file system durable") : NO_FAULT;
}

bool journal_commit_start(int fd)
{
    return ioctl(fd, BTRFS_IOC_START_SYNC, NULL) == 0;
}
