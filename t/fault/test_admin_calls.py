"""Each system call that qmgr makes for an admin's verb fails, one by one: what `postrider queue` answers is what has become of the
message, the queue is clean, and all goes on."""
import os
import re

import pytest
from calls import OF_AN_ADMIN_VERB, UNHEEDED
from faulty import SETTINGS, Faulty
from members import pids
from test_calls import pytestmark  # noqa: F401  as root alone
from tracing import Trace
from waiting import until

BACKOFF = ("minimal_backoff_time=1000s", "maximal_backoff_time=1000s")
PLACES = ("active", "deferred", "hold", "corrupt")
BEFORE = {"hold": "deferred", "release": "hold", "requeue": "deferred", "delete": "deferred"}
# Words that say: it was done and may be undone by a power cut; nobody can tell; it is done later.
OPEN_WORDS = re.compile("durable|closed the connection|does not answer|tried again")


class Desk(Faulty):
    """Its user's mailbox cannot be opened, so that mail waits."""

    @property
    def box(self):
        return os.path.join(self.mail_dir, "user1", "Maildir")

    def queue(self, *args):
        return self.postrider("queue", *args)

    def where(self, name):
        """{(place, inode)} of the files of a message."""
        found = set()
        for place in PLACES:
            path = os.path.join(self.spool_dir, "queue", place, *(name[-1] if place == "deferred" else ""), name)
            try:
                found.add((place, os.stat(path).st_ino))
            except FileNotFoundError:
                pass
        return found

    def waits(self, verb, label):
        """A message in the place where the verb finds it: its ledger's id, and its queue id."""
        os.chmod(self.box, 0)
        assert self.one(label) == 250
        ident = next(reversed(self.ledger.promised))
        name = self.ledger.promised[ident][2]
        until(lambda: {place for place, _ in self.where(name)} == {"deferred"}, "a deferred message")
        if BEFORE[verb] == "hold":
            assert self.queue("hold", name).stdout == "hold: 1 message\n"
        return ident, name

    def at_rest(self, name):
        """Where it is when a try that was begun has ended."""
        def is_at_rest():
            found = self.where(name)
            return "active" not in {place for place, _ in found} and found == self.where(name)
        until(is_at_rest, "the end of its try")
        return self.where(name)

    def concludes(self):
        """Without the fault, all that is there is delivered."""
        os.chmod(self.box, 0o700)
        assert self.queue("check").returncode == 0
        if self.queue_files("hold"):
            assert self.queue("release", "--status", "hold").returncode == 0
        assert self.queue("flush").returncode == 0
        until(lambda: not self.queue_files("active", "deferred", "hold"), "an empty queue")
        self.settle(set())


@pytest.fixture(scope="module")
def desk():
    settings = [word for word in SETTINGS if "backoff" not in word]
    with Desk(settings=(*settings, *BACKOFF), build="release") as s:
        s.serves("the start")
        s.wait_queue_empty()
        s.settle(set())
        yield s


def ask(s, verb, name):
    return s.queue(verb, name, *(["--yes"] if verb == "delete" else []))


def calls_of(s, verb):
    """[(call, n-th of its name)] from the question to the answer."""
    ident, name = s.waits(verb, "nothing fails")
    with Trace(pids(s.master_pid, "qmgr")) as t:
        assert ask(s, verb, name).stdout == f"{verb}: 1 message\n"
        s.at_rest(name)
    if verb == "delete":
        del s.ledger.promised[ident]
    s.concludes()
    client = re.search(r"getsockopt\((\d+), SOL_SOCKET, SO_PEERCRED", t.text).group(1)
    until_answer = t.text[:t.text.rindex(f"sendmsg({client}, ")] + " sendmsg("
    names = re.findall(r"(?m)(?:^\d+)? +(\w+)\(", until_answer)
    assert not set(names) - set(OF_AN_ADMIN_VERB) - UNHEEDED - {"accept4"}, "a call that no row lets fail"
    return [(name, names[:at + 1].count(name)) for at, name in enumerate(names) if name in OF_AN_ADMIN_VERB]


def is_true(verb, done, before, after):
    """What is wrong with the answer, as the message was there before, and is there now."""
    places, words = {place for place, _ in after}, done.stdout + done.stderr
    if len(after) > 1 or (not after and verb != "delete"):
        return f"it is in {after}"
    if done.returncode == 0 and done.stdout == f"{verb}: 1 message\n":
        is_done = {"hold": places == {"hold"}, "release": places == {"deferred"}, "delete": not after,
                   "requeue": after and after != before}[verb]
        return None if is_done else f"it says done, and is in {after}"
    if done.returncode == 0 or not done.stderr:
        return f"exit status {done.returncode}: {words}"
    if after != before and not OPEN_WORDS.search(words):
        return f"it was in {before} and is in {after}, and was said: {words}"
    return None


@pytest.mark.parametrize("verb", BEFORE)
def test_the_answer_is_true(desk, verb):
    s, wrong = desk, []
    calls = calls_of(s, verb)
    assert len(calls) > 5
    for call, n, error in [(call, n, error) for call, n in calls for error in OF_AN_ADMIN_VERB[call]]:
        label = f"{verb} {call} {error} {n}"
        ident, name = s.waits(verb, label)
        before, qmgr = s.where(name), pids(s.master_pid, "qmgr")
        with Trace(qmgr, f"-einject={call}:error={error}:syscall=getpid:when={n}", f"-etrace={call}") as t:
            done = ask(s, verb, name)
            until(lambda: "INJECTED" in t.said(), label)
            after = s.at_rest(name)
        flaw = is_true(verb, done, before, after)
        if flaw or pids(s.master_pid, "qmgr") != qmgr:
            wrong.append(f"{label}: {flaw or 'qmgr ended'}")
        if verb == "delete" and (not after or "tried again" in done.stderr):
            del s.ledger.promised[ident]
        try:
            s.concludes()
        except AssertionError as e:
            wrong.append(f"{label}: then {e}")
    assert not wrong, "\n" + "\n".join(wrong)
