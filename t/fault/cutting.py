"""Rounds of load, power cut and recovery on one image that holds spool and mailboxes; the book lies outside.

A round: askers are at work; the thread that gets the K-th answer of the round's act cuts the power at once; what runs is killed,
the image is mounted again, the suite starts on what is left and delivers what it can, and everything answered so far is looked for."""
import argparse
import collections
import importlib.machinery
import importlib.util
import os
import random
import signal
import threading
import time

import plants
from acts import QUEUE, STUCK, Book, Deliverer, Keeper, Program, Sender, Unlucky
from disks import Cached, Image
from judge import Judge
from ledger import IDENT, files
from suite import INSTANCE, Suite
from waiting import until
from witness import Reader

MEGABYTES = {"ext4": 96, "xfs": 320, "btrfs": 256}
ROUND_S = 3
SETTINGS = ("smtpd_client_connection_rate_limit=0", "queue_minfree=1", "imap_worker_idle=60s", "restart_backoff_max=0",
            "smtpd_recipient_restrictions=check_recipient_access inline:{{held@example.test=HOLD}}",
            "virtual_alias_maps=inline:{{held@example.test=user2@example.test}}")

# What is waited for before the cut: (act, the most answers of it, how often among the rounds).
ACTS = (("smtp", 40, 8), ("sendmail", 5, 3), ("lmtp", 5, 3), ("report", 3, 2), ("drop", 4, 2), ("stop", 1, 1), ("reload", 2, 1),
        ("hold", 2, 1), ("release", 2, 1), ("requeue", 2, 1), ("delete", 2, 1), ("append", 3, 2), ("expunge", 1, 1), ("see", 4, 2))
KEEPERS = ("hold", "release", "requeue", "delete", "reload")
COMMITTED = (("smtp", 150, 5), ("sendmail", 5, 1), ("hold", 2, 1), ("release", 2, 1), ("requeue", 2, 1), ("delete", 2, 1))
NOT_OFFERED = ("queue_commit_delay_ms=0",)  # all are committed in the queue, with COMMITTED soon in files that were prepared
SOON = (("smtp", 12, 6), ("sendmail", 2, 1))  # where a bug is known to be there


def schedule(seed, acts=ACTS):
    """An endless order of (act, how many answers), the same for the same seed."""
    chance = random.Random(seed)
    while True:
        lot = [(act, most) for act, most, times in acts for _ in range(times)]
        chance.shuffle(lot)
        for act, most in lot:
            yield act, chance.randint(1, most)


def instance_module():
    loader = importlib.machinery.SourceFileLoader("instance", INSTANCE)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("instance", loader))
    loader.exec_module(module)
    return module


class Cuttable(Suite):
    """A suite whose spool and mail lie on an image; after the first start it is started and killed by t/instance's functions,
    without building and without a process for it."""

    def __init__(self, kind, folder="/dev/shm", settings=(), plant=None, has_two=False, **more):
        super().__init__(settings=(*SETTINGS, *settings), build="release", users=4, **more)
        self.instance = instance_module()
        if plant:
            self.options += ["--set", f"daemon_directory={plants.folder(plant, os.path.join(self.dir, 'libexec'))}"]
        disk = os.path.join(self.dir, "disk")
        self.disk = self.disk_made(kind, folder, [disk, *([os.path.join(disk, "mail")] if has_two else [])])
        self.options += ["--disk", disk]

    def disk_made(self, kind, folder, mounted):
        """On one disk, or spool and mailboxes on one each. Cut one after the other, two would not be as they are when the power goes:
        what is answered while the first one dies may become durable on the second."""
        path = os.path.join(folder, os.path.basename(self.dir) + ".disk")
        if len(mounted) > 1 or kind == "btrfs":
            return Cached(path, mounted, kind, MEGABYTES[kind])
        os.mkdir(mounted[0], 0o755)
        return Image(path, mounted[0], kind, MEGABYTES[kind])

    def start(self):
        try:
            super().start()
        except AssertionError:
            self.disk.remove()
            raise
        self.lock(True)
        self.most_set(cleanup=2)  # two do the work of eight, and start sooner
        os.sync()
        return self

    def lock(self, is_locked):
        """The mailbox of one user, so that what is for him waits."""
        os.chmod(os.path.join(self.mail_dir, STUCK), 0 if is_locked else 0o700)
        os.chown(os.path.join(self.mail_dir, STUCK), *((0, 0) if is_locked else (20000, 20000)))

    def queue_sizes(self):
        queue = os.path.join(self.spool_dir, "queue")
        return [os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(queue) for name in names]

    def ends(self):
        """Asks it to stop, and waits until it has."""
        pid = self.master_pid
        os.kill(pid, signal.SIGTERM)
        assert self.instance.ended(pid, 30), "it does not stop"
        self.reap()

    def reap(self):
        try:
            os.waitpid(self.master_pid, 0)
        except ChildProcessError:
            pass  # of the first start, which t/instance made

    def kill(self):
        self.is_up = False
        i = self.instance.Instance(self.dir)
        if self.instance.master_pid(i):
            self.instance.kill(argparse.Namespace(dir=self.dir))
            self.reap()

    def again(self):
        """Starts on what is there."""
        i = self.instance.Instance(self.dir)
        self.master_pid = self.instance.run_master(i, os.path.dirname(self.bin_dir), self.env)
        self.is_up = True

    def __exit__(self, kind, value, trace):
        try:
            self.kill()
            self.disk.remove()
        finally:
            super().__exit__(kind, value, trace)


class Cutter:
    """Counts answers, and cuts the power in the thread that got the one that is waited for."""

    def __init__(self, suite):
        self.suite, self.lock, self.is_off = suite, threading.Lock(), threading.Event()
        self.has_begun, self.act = False, None

    def arm(self, act, count):
        self.act, self.left, self.has_begun = act, count, False
        self.is_off.clear()

    def answered(self, act):
        with self.lock:
            self.left -= act == self.act
            if self.left == 0 and not self.has_begun:
                self.cut()

    def cut_now(self):
        with self.lock:
            if not self.has_begun:
                self.cut()

    def cut(self):
        self.has_begun, self.when = True, time.time()
        try:
            self.suite.disk.cut()
        finally:
            self.is_off.set()


class Powercuts:
    """Rounds on one suite; each ends with a judgement. Raises AssertionError with what was found."""

    def __init__(self, suite, seed=1, acts=ACTS, check_each=25):
        self.suite, self.seed, self.check_each = suite, seed, check_each
        self.cutter = Cutter(suite)
        self.book = Book(seed, self.cutter)
        self.judge = Judge(suite, self.book, suite.disk.kind)
        self.plan = schedule(seed, acts)
        self.rounds, self.spent, self.by_act = 0, collections.Counter(), collections.Counter()
        self.prepared = 0  # files of the queue that a cut left as large as they were prepared

    def round(self):
        act, count = next(self.plan)
        self.rounds += 1
        self.by_act[act] += 1
        self.cutter.arm(act, count)
        try:
            self.step("load", lambda: self.load(act))
            self.step("mount", self.remount)
            self.step("start", self.suite.again)
            self.step("drain", lambda: until(self.judge.is_drained, "an empty queue", 60))
            self.step("judge", lambda: self.judge.judge(self.cutter.when))
        except AssertionError as e:
            raise AssertionError(f"round {self.rounds} (seed {self.seed}), cut at answer {count} to {act}: {e}") from None

    def step(self, name, what):
        begun = time.monotonic()
        what()
        self.spent[name] += time.monotonic() - begun

    def load(self, act):
        crew = self.crew(act)
        for one in crew:
            one.start()
        try:
            self.wait(act, crew)
        finally:
            for one in crew:
                one.is_over.set()
            self.suite.kill()
        for one in crew:
            one.join(60)
            assert not one.is_alive(), f"{one} hangs"
        if failed := self.failure(crew):
            raise failed

    def crew(self, act):
        seed = self.seed * 100000 + self.rounds
        senders = [Sender(self.suite, self.book, seed, 0 if act == "smtp" else 0.01) for _ in range(3)]
        more = [Deliverer(self.suite, self.book, seed), Unlucky(self.suite, self.book, seed)]
        return [Program(self.suite, self.book, seed), *senders, *more, Reader(self.suite, self.book, seed, act == "expunge"),
                Keeper(self.suite, self.book, seed, act if act in KEEPERS else None)]

    def wait(self, act, crew):
        """For the cut; in a round that stops the suite, do that in the middle of the load."""
        if act in ("drop", "stop"):
            before = self.book.count()
            until(lambda: self.book.count() >= before + 10 or self.failure(crew), "messages", ROUND_S)
            self.suite.ends()
            self.cutter.answered("stop")
            crew[0].act = "drop"
        end = time.monotonic() + ROUND_S
        while not self.cutter.is_off.wait(0.2) and not self.failure(crew):
            if time.monotonic() > end:
                self.cutter.cut_now()  # it did not come to that; a cut it is

    @staticmethod
    def failure(crew):
        return next((one.failure for one in crew if one.failure), None)

    def remount(self):
        disk = self.suite.disk
        disk.close()
        if self.rounds % self.check_each == 0:
            disk.mount()  # the journal is played back
            disk.close()
            disk.check()
        disk.mount()
        self.prepared += sum(size and size % 4096 == 0 for size in self.suite.queue_sizes())

    def finish(self):
        """What waited for its mailbox is delivered when that can be opened."""
        self.suite.lock(False)
        stuck = [ident for ident, places in self.book.places.items() if places == {QUEUE}]
        flushed = self.suite.postrider("queue", "flush")
        assert flushed.returncode == 0, flushed.stderr
        until(lambda: "deferred" not in self.judge.waiting().values() and self.judge.is_drained(), "the delivery of what waited", 60)
        there = files(os.path.join(self.suite.mail_dir, STUCK, "Maildir")).values()
        there = {found.group(1).decode() for content in there if (found := IDENT.search(content))}
        assert set(stuck) <= there, f"{set(stuck) - there} waited, and are lost"

    def told(self):
        times = ", ".join(f"{name} {spent / max(self.rounds, 1):.2f}" for name, spent in self.spent.items())
        return (f"{self.suite.disk.kind}: {self.rounds} cuts, {self.book.count()} acknowledged, {len(self.book.unsure)} not answered, "
                f"0 lost, {self.judge.twice} twice (in flight), {self.judge.unshown} shown before they were durable; "
                f"seconds a round: {times}")
