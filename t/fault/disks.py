"""Small disks to be filled, made read-only or cut off: a loop image with a file system of its own, or a piece of memory."""
import fcntl
import os
import subprocess

from waiting import until

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"], "xfs": ["mkfs.xfs", "-q", "-f", "-K"],
        "btrfs": ["mkfs.btrfs", "-q", "-f", "-K"]}
CHECK = {"ext4": ["e2fsck", "-f", "-n"], "xfs": ["xfs_repair", "-n"], "btrfs": ["btrfs", "check", "--readonly"]}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


class Memory:
    """A tmpfs on a folder: megabytes, and how many files."""

    def __init__(self, folder, megabytes, files=0):
        self.folder = folder
        run("mount", "-t", "tmpfs", "-o", f"mode=755,size={megabytes}m" + (f",nr_inodes={files}" if files else ""), "none", folder)

    def close(self):
        unmount(self.folder)


class Image:
    """A file system in a file, mounted on a folder."""

    def __init__(self, path, folder, kind="ext4", megabytes=64):
        self.path, self.folder, self.kind = path, folder, kind
        self.make(megabytes)

    def make(self, megabytes):
        """All blocks are written: where it lies on another file system, that one's commits must flush none of its data."""
        with open(self.path, "wb") as f:
            for _ in range(megabytes):
                f.write(bytes(1 << 20))
            os.fsync(f.fileno())
        run(*MAKE[self.kind], self.path)
        self.mount()

    def mount(self):
        run("mount", "-o", "loop", self.path, self.folder)
        os.chmod(self.folder, 0o755)

    def cut(self):
        """As when the power goes: what was not made durable is gone."""
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(fd)

    def check(self):
        """The file system itself must be sound, or the test says nothing."""
        run(*CHECK[self.kind], self.path)

    def close(self):
        unmount(self.folder)

    def remove(self):
        self.close()
        os.unlink(self.path)


class Cached:
    """File systems in files on an ext4 of their own, which is what is cut: it stands for disks with a cache, of which only what was
    flushed survives. For those that know no shutdown themselves (btrfs), and for several that lose their power in the same moment.
    A later folder may lie within an earlier one."""

    def __init__(self, path, folders, kind, megabytes):
        self.kind = kind
        os.mkdir(path + ".mount")
        self.outer = Image(path, path + ".mount", "ext4", megabytes * len(folders) + 64)
        self.disks = []
        for n, folder in enumerate(folders):
            os.makedirs(folder, 0o755, exist_ok=True)
            self.disks.append(Image(os.path.join(self.outer.folder, str(n)), folder, kind, megabytes))

    def mount(self):
        self.outer.mount()
        for disk in self.disks:
            disk.mount()

    def cut(self):
        self.outer.cut()

    def close(self):
        for disk in reversed(self.disks):
            disk.close()
        self.outer.close()

    def check(self):
        self.outer.mount()
        for disk in self.disks:
            disk.check()
        self.outer.close()

    def remove(self):
        self.close()
        os.unlink(self.outer.path)
        os.rmdir(self.outer.folder)


def unmount(folder):
    until(lambda: subprocess.run(["umount", folder], capture_output=True).returncode == 0, f"umount {folder}")


def free_bytes(folder):
    s = os.statvfs(folder)
    return s.f_bavail * s.f_frsize


class Ballast:
    """Takes all room on a disk but so many bytes, until it is dropped."""

    def __init__(self, folder, leave_bytes=0):
        self.path = os.path.join(folder, "ballast")
        self.take(free_bytes(folder) - leave_bytes)

    def take(self, count):
        with open(self.path, "wb", buffering=0) as f:
            left = count
            while left > 0:
                try:
                    left -= f.write(bytes(min(left, 1 << 20)))
                except OSError:
                    return

    def drop(self):
        os.unlink(self.path)


class Files:
    """Takes all inodes of a disk."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "files")
        os.mkdir(self.folder)
        self.count = 0
        while True:
            try:
                os.close(os.open(os.path.join(self.folder, str(self.count)), os.O_CREAT | os.O_EXCL, 0o600))
            except OSError:
                return
            self.count += 1

    def drop(self):
        for n in range(self.count):
            os.unlink(os.path.join(self.folder, str(n)))
        os.rmdir(self.folder)
