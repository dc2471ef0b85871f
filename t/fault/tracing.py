"""strace on processes that run: counting what they ask of the kernel, or answering in the kernel's place."""
import os
import re
import signal
import subprocess
import tempfile

from waiting import until

ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)
SYNCS = ("fsync", "fdatasync", "syncfs", "msync")


class Trace:
    """One strace for some processes and, unless it is told not to, what they start, from `with` to its end."""

    def __init__(self, pids, *options, follows=True):
        self.pids, self.options = list(pids), ("-f", *options) if follows else options

    def is_attached(self, pid):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                return "TracerPid:\t0\n" not in f.read()
        except FileNotFoundError:
            return True  # it ended

    def __enter__(self):
        fd, self.path = tempfile.mkstemp(prefix="strace-")
        os.close(fd)
        self.process = subprocess.Popen(["strace", "-q", *self.options, "-o", self.path, *(f"-p{p}" for p in self.pids)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.process.poll() is not None or all(map(self.is_attached, self.pids)), "strace")
        assert self.process.poll() is None, "strace does not attach"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        with open(self.path, encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        os.unlink(self.path)

    def said(self):
        """So far."""
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return f.read()


def counts(trace):
    """{system call: how often} of a trace with -c that has ended."""
    return {name: int(calls) for calls, name in ROW.findall(trace.text) if name != "total"}
