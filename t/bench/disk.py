"""Where a bench keeps its files: the folder that was asked for, or a journaled ext4 image of its own, on a loop device."""
import contextlib
import os
import shutil
import subprocess
import tempfile

IMAGE_MIB = 6144
CONTENT, ALL = 1, 3  # of what the kernel has cached of files: without names and inodes; with them


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def describe(path):
    """Names the filesystem below a path, and says whether it has a journal where that can be told."""
    kind, source = run("findmnt", "-no", "FSTYPE,SOURCE", "--target", path).split()[:2]
    if kind != "ext4":
        return kind
    name = os.path.basename(os.path.realpath(source))
    journal = os.path.exists(f"/proc/fs/jbd2/{name}-8") or any(
        entry.startswith(f"{name}-") for entry in os.listdir("/proc/fs/jbd2")) if os.path.isdir("/proc/fs/jbd2") else False
    return f"ext4 {'with' if journal else 'without'} a journal"


def forget(what):
    """Writes everything out, and has the kernel drop what it has cached."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write(f"{what}\n")


@contextlib.contextmanager
def folder(parent, keep):
    """A fresh folder below parent; removed in the end unless it is to be kept."""
    path = tempfile.mkdtemp(prefix="postrider-bench-", dir=parent)
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def loop(parent):
    """A mounted ext4 image; unmounted and removed in the end."""
    with folder(parent, False) as base:
        image, mount = f"{base}/image", f"{base}/mount"
        os.mkdir(mount)
        run("truncate", "-s", f"{IMAGE_MIB}M", image)
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        run("mount", "-o", "loop", image, mount)
        try:
            os.chmod(mount, 0o755)
            yield mount
        finally:
            run("umount", "-l", mount)


@contextlib.contextmanager
def opened(kind, parent, keep):
    """kind: `here` or `loop`. Gives (folder, what it is)."""
    with loop(parent) if kind == "loop" else folder(parent, keep) as path:
        yield path, describe(path)
