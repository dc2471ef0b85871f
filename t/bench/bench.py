"""What the benches have in common: options, disks, and that everything started is stopped."""
import argparse
import contextlib
import os
import signal
import subprocess
import sys

import disk
import runs

HERE = os.path.dirname(os.path.abspath(__file__))


class Interrupts:
    """Ctrl-C and SIGTERM end the bench, but not while a side starts (it would be left behind) nor while all is stopped."""
    held = wanted = False

    @classmethod
    def on_signal(cls, *_):
        if cls.held:
            cls.wanted = True
        else:
            cls.end()

    @classmethod
    def end(cls):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit("interrupted")


def opened(stack, make, *arguments, **more):
    """Starts a side; the stack stops it."""
    Interrupts.held = True
    try:
        side = make(*arguments, **more)
        stack.callback(side.stop)
    finally:
        Interrupts.held = False
    if Interrupts.wanted:
        Interrupts.end()
    return side


class Bench:
    """A folder on some disk with the sides that run in it; sides() is the bench's own."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.stack = arguments, folder, contextlib.ExitStack()

    def count(self, full, quick):
        return quick if self.arguments.quick else full

    def open(self, make, *arguments, **more):
        return opened(self.stack, make, *arguments, **more)

    def compare(self, title, sides, figures, function, strict=True, times=None):
        """strict: runs that others disturbed do not count."""
        runs.say(title)
        dropped = runs.alternate(sides, figures, function, times or self.arguments.runs,
                                 strict=strict and not self.arguments.anyway)
        note = f" ({dropped} runs dropped: others used the CPU)" if dropped else ""
        runs.table(title + note, figures, sides[0], sides[1:])


class Fresh:
    """A side that is started anew for each run, as what earlier ones left would hide what is measured."""

    def __init__(self, bench, name, make):
        self.bench, self.name, self.make, self.pid = bench, name, make, os.getpid()

    def once(self, function):
        folder = f"{self.bench.folder}/fresh-{len(os.listdir(self.bench.folder))}"
        os.mkdir(folder)
        with contextlib.ExitStack() as stack:
            return function(opened(stack, self.make, folder))


def options(description, lines):
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", action="append", choices=lines, metavar="NAME")
    p.add_argument("--runs", type=int, help="runs of each side (5; with --quick 2)")
    p.add_argument("--disk", choices=("here", "loop", "both"), default="both")
    p.add_argument("--dir", default="/var/tmp", help="where `here` is; others must be able to enter it")
    p.add_argument("--quick", action="store_true", help="few small runs: shows that it works, not how fast")
    if "cost" in lines:
        p.add_argument("--cost", action="append_const", dest="only", const="cost", help="the same as --only cost")
    p.add_argument("--keep", action="store_true", help="leave the files of `here`")
    p.add_argument("--anyway", action="store_true", help="count runs on a busy machine too")
    a = p.parse_args()
    a.only = a.only or list(lines)
    a.runs = a.runs or (2 if a.quick else 5)
    a.anyway |= a.quick
    return a


def on_disk(make, a, kind, lines, names):
    with disk.opened(kind, a.dir, a.keep) as (folder, what):
        print(f"\n== {folder}: {what}", flush=True)
        bench = make(a, folder)
        with bench.stack:
            sides = bench.sides()
            for name in names:
                lines[name](bench, sides)


def main(description, make, lines, on_each_disk):
    """make: the Bench; lines: {name: function(bench, sides)}; those of on_each_disk depend on the disk."""
    a = options(description, lines)
    if os.geteuid():
        sys.exit("root is needed: the peers do not run without")
    subprocess.run(["sh", "-c", f". {HERE}/../packages; packages_install build bench"], check=True)
    signal.signal(signal.SIGINT, Interrupts.on_signal)
    signal.signal(signal.SIGTERM, Interrupts.on_signal)
    for number, kind in enumerate(("here", "loop") if a.disk == "both" else (a.disk,)):
        names = [name for name in a.only if not number or name in on_each_disk]
        if names:
            on_disk(make, a, kind, lines, names)
