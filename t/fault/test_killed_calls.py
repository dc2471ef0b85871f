"""SIGKILL of a process as it enters a system call, one by one, while a message is on its way: what was acknowledged is not lost, what
was refused is not delivered, and the suite goes on by itself."""
import collections
import os
import re
import signal

import pytest
from calls import ANY, UNHEEDED
from faulty import SETTINGS, Faulty
from members import members, pids
from tracing import Trace

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may trace what runs as others")
ROLES = {  # by is_slow: smtpd and the worker do the same then
    False: ("smtpd", "cleanup", "qmgr", "local", "local-worker"),
    True: ("cleanup", "qmgr", "local")}
HARMLESS = UNHEEDED | {"close", "write"}  # close is followed by another call, and the log is written behind what it tells of
MOST = 5  # of one call in one process: a message that is watched with others' work beside it has some more


class Mail:
    """One message of a kind, on its way to a worker that is as quick as it is, or waits until the client has its answer."""

    def __init__(self, suite, is_large, is_slow):
        self.suite, self.is_slow, self.roles = suite, is_slow, ROLES[is_slow]
        suite.large = int(is_large)

    def send(self, label):
        workers = pids(self.suite.master_pid, "local-worker") if self.is_slow else []
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            return self.suite.one(label)
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)

    def calls(self):
        """[(role, call, n-th of its name)] of one message."""
        names, seen = {pid: name for pid, name in members(self.suite.master_pid).items() if name in self.roles}, collections.Counter()
        with Trace(names) as t:
            assert self.send("watched") == 250
            self.suite.settle(set())
        for pid, call in re.findall(r"(?m)^(\d+)\s+(\w+)\(", t.text):
            if call not in HARMLESS:
                seen[names.get(int(pid)), call] += 1
        return [(role, call, n + 1) for (role, call), count in sorted(seen.items()) if role for n in range(min(count, MOST))]

    def killed(self, role, call, n):
        """Whether it was killed there, and what the client heard then."""
        label = f"{role} {call} {n}"
        with Trace(pids(self.suite.master_pid, role), f"-einject={call}:signal=KILL:when={n}", f"-etrace={call}") as t:
            heard = self.send(label)
            self.suite.wait_queue_empty()
            is_killed = "killed by SIGKILL" in t.said()
        self.suite.serves(label)
        self.suite.settle({label})
        return is_killed, heard


@pytest.fixture(scope="module", params=[0, 20], ids=["committed", "offered"])
def suite(request):
    with Faulty(settings=(*SETTINGS, f"queue_commit_delay_ms={request.param}"), build="release") as s:
        s.leaves_unfinished = True
        s.serves("the start")
        s.wait_queue_empty()
        yield s
        print(f"the slowest answer came after {s.slowest:.2f} s")


@pytest.mark.parametrize("is_slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
def test_killed_as_it_enters_a_call(suite, is_large, is_slow):
    mail, wrong, hit = Mail(suite, is_large, is_slow), [], collections.Counter()
    for role, call, n in mail.calls():
        try:
            is_killed, heard = mail.killed(role, call, n)
            hit[role] += is_killed
            assert heard in ANY, f"heard {heard}"
        except AssertionError as e:
            wrong.append(f"{role} {call} {n}: {e}")
    print(dict(hit))
    assert not wrong, "\n" + "\n".join(wrong)
    assert all(hit[role] for role in mail.roles), hit
