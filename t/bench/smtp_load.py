"""One run of SMTP load: sends, waits until the last message is in a Maildir, and tells rate, CPU and context switches."""
import ctypes
import os
import struct
import subprocess
import time

import disk
import procs

IN_CREATE, IN_MOVED_TO, IN_Q_OVERFLOW = 0x100, 0x80, 0x4000
TIMEOUT_S, POLL_S, SETTLED_S = 180, 0.005, 0.2
LIBC = ctypes.CDLL(None, use_errno=True)


class Arrivals:
    """Counts what comes into folders; a listing decides when events were lost."""

    def __init__(self, folders):
        self.folders, self.count, self.overflow = folders, 0, False
        self.before = self.listed()
        self.fd = LIBC.inotify_init1(os.O_NONBLOCK)
        for folder in folders:
            if LIBC.inotify_add_watch(self.fd, folder.encode(), IN_CREATE | IN_MOVED_TO) < 0:
                raise OSError(ctypes.get_errno(), folder)

    def listed(self):
        return sum(len(os.listdir(folder)) for folder in self.folders)

    def read(self):
        while True:
            try:
                events = os.read(self.fd, 1 << 18)
            except BlockingIOError:
                break
            at = 0
            while at < len(events):
                _, mask, _, length = struct.unpack_from("iIII", events, at)
                at += 16 + length
                self.overflow |= bool(mask & IN_Q_OVERFLOW)
                self.count += 1
        return self.listed() - self.before if self.overflow else self.count

    def close(self):
        os.close(self.fd)
        return self.listed() - self.before


def compile_load(folder):
    """The path of the load generator, compiled into the folder."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.c")
    subprocess.run(["cc", "-O2", "-o", f"{folder}/load", source, "-lssl", "-lcrypto"], check=True)
    return f"{folder}/load"


def source(port, to, messages, body_bytes, sessions, reuse=False):
    """The command that sends with Postfix's own generator."""
    return ["smtp-source", *(["-d"] if reuse else []), "-s", str(sessions), "-l", str(body_bytes), "-m", str(messages),
            "-f", "sender@sender.example", "-t", to, f"127.0.0.1:{port}"]


def settle(pid):
    """Waits until the tree uses no more CPU: what follows a delivery belongs to its cost."""
    deadline, last = time.monotonic() + 10, None
    while time.monotonic() < deadline:
        now = procs.cpu_s(pid)
        if last is not None and now - last < 0.011:
            return now
        last = now
        time.sleep(SETTLED_S)
    return last


def wait_for(process, arrivals, messages, started):
    while arrivals is not None and arrivals.read() < messages or process.poll() is None:
        if process.poll():
            break
        if time.monotonic() - started > TIMEOUT_S:
            raise TimeoutError(f"{arrivals and arrivals.read()} of {messages} messages after {TIMEOUT_S} s")
        time.sleep(POLL_S)


def switched(pid, before):
    after = procs.switches(pid)
    return sum(count - before.get(p, 0) for p, count in after.items())


def run(side, command, messages, maildirs=()):
    """Runs the command; with maildirs, until so many messages have come there. Returns a dict of what one message took.
    The cache is emptied first: a virtual machine pays for pages that it never had before, ten microseconds each."""
    disk.forget(disk.CONTENT)
    arrivals = Arrivals([f"{m}/new" for m in maildirs]) if maildirs else None
    cpu, switches, machine = procs.cpu_s(side.pid), procs.switches(side.pid), procs.Machine([])
    started = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for(process, arrivals, messages, started)
        except BaseException:
            process.kill()
            raise
    seconds = time.monotonic() - started
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    machine_switches = procs.Machine([]).switches - machine.switches
    cpu = settle(side.pid) - cpu
    if arrivals is not None and arrivals.close() != messages:
        raise RuntimeError(f"{side.name}: not exactly {messages} messages have arrived")
    return {"rate": messages / seconds, "cpu_s_per_1000": cpu * 1000 / messages,
            "switches": switched(side.pid, switches) / messages, "machine_switches": machine_switches / messages}
