"""Small disks to be filled, made read-only or cut off: a loop image with a file system of its own, or a piece of memory."""
import fcntl
import os
import subprocess

from waiting import until

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
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
        with open(self.path, "wb") as f:
            f.truncate(megabytes << 20)
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


class Cached(Image):
    """A file system in a file on an ext4 of its own, which is what is cut: the outer one stands for a disk with a cache, of which
    only what was flushed survives. For those that know no shutdown themselves (btrfs)."""

    def make(self, megabytes):
        os.mkdir(self.path + ".mount")
        self.outer = Image(self.path, self.path + ".mount", "ext4", megabytes + 64)
        self.path = os.path.join(self.outer.folder, "image")
        super().make(megabytes)

    def mount(self):
        if not os.path.ismount(self.outer.folder):
            self.outer.mount()
        super().mount()

    def cut(self):
        self.outer.cut()

    def close(self):
        super().close()
        self.outer.close()

    def check(self):
        self.outer.mount()
        super().check()
        self.outer.close()

    def remove(self):
        self.close()
        os.unlink(self.outer.path)
        os.rmdir(self.outer.folder)


class Several:
    """Disks of one machine, which lose their power together: a later one may be mounted within an earlier one."""

    def __init__(self, *disks):
        self.disks, self.kind, self.folder = disks, disks[0].kind, disks[0].folder

    def mount(self):
        for disk in self.disks:
            disk.mount()

    def cut(self):
        for disk in reversed(self.disks):
            disk.cut()

    def close(self):
        for disk in reversed(self.disks):
            disk.close()

    def check(self):
        for disk in self.disks:
            disk.check()

    def remove(self):
        for disk in reversed(self.disks):
            disk.remove()


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
