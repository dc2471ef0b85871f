"""System calls, fsyncs and context switches of a message, by `strace -c` on every process of a suite and by /proc/PID/status."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import procs

# Of files that are made durable together (io_submit) each begins to be written by a sync_file_range of its own.
SYNCS = ("fsync", "fdatasync", "syncfs", "sync_file_range")
ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)


class Trace:
    """One strace for all processes of one name, and for those that they start."""

    def __init__(self, folder, name, pids):
        self.name, self.out = name, f"{folder}/{re.sub(r'[^a-z-]', '_', name)}"
        self.process = subprocess.Popen(["strace", "-q", "-c", "-f", "-o", self.out, *(f"-p{p}" for p in pids)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pids = pids

    def attached(self):
        for pid in self.pids:
            try:
                with open(f"/proc/{pid}/status") as f:
                    if "TracerPid:\t0\n" in f.read():
                        return False
            except FileNotFoundError:
                pass
        return True

    def stop(self):
        """{system call: count}"""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        with open(self.out) as f:
            return {name: int(calls) for calls, name in ROW.findall(f.read()) if name != "total"}


def traced(side, send):
    """Runs send() under strace; returns {process's name: {system call: count}}."""
    folder = tempfile.mkdtemp(prefix="bench-strace-")
    traces = []
    try:
        for name, pids in procs.by_name(side.pid).items():
            traces.append(Trace(folder, name, pids))
        deadline = time.monotonic() + 20
        while not all(t.attached() for t in traces):
            if time.monotonic() > deadline:
                raise TimeoutError("strace does not attach")
            time.sleep(0.05)
        send()
        return {t.name: t.stop() for t in traces}
    finally:
        for t in traces:
            if t.process.poll() is None:
                t.process.terminate()
        shutil.rmtree(folder)


def per_message(counts, messages):
    """({figure: value}, text that tells each process's calls, most first)"""
    calls = sum(sum(c.values()) for c in counts.values())
    syncs = sum(c.get(name, 0) for c in counts.values() for name in SYNCS)
    lines = []
    for name, c in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        if sum(c.values()) * 100 < messages:
            continue
        most = ", ".join(f"{call} {n / messages:.2f}" for call, n in sorted(c.items(), key=lambda i: -i[1])[:14])
        lines.append(f"   {name:16} {sum(c.values()) / messages:7.2f}   {most}")
    return {"calls": calls / messages, "syncs": syncs / messages}, "\n".join(lines)


def available():
    return shutil.which("strace") and os.geteuid() == 0
