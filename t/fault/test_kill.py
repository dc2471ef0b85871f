"""SIGKILL of each process in turn under load: nothing that was acknowledged is lost, and the suite becomes whole again."""
import datetime
import os
import re
import signal
import threading

import pytest
from ledger import Ledger, Load, compare, files
from members import members, pids
from suite import Suite
from waiting import until

SETTINGS = ("restart_backoff_max=0", "minimal_backoff_time=1s", "imap_worker_idle=60s", "pop3_worker_idle=60s",
            "smtpd_client_connection_rate_limit=0")
TARGETS = ("smtpd", "cleanup", "qmgr", "local-worker", "policy", "local", "auth", "imapd-worker", "login", "auth-worker", "imapd",
           "cleanup", "pop3d", "meter", "local-worker", "pickup", "qmgr", "pop3d-worker", "smtpd", "bounce", "master")
ALWAYS = {"smtpd", "cleanup", "qmgr", "policy", "local", "auth", "auth-worker", "login", "imapd", "pop3d", "meter", "pickup",
          "bounce"}
SERVED_S = 20


class Readers(threading.Thread):
    """Keeps a reader's session of each kind open, so that its worker is there; opens it again when it was cut off."""

    def __init__(self, suite):
        super().__init__(daemon=True)
        self.suite, self.is_ending = suite, threading.Event()

    def run(self):
        sessions = {}
        while not self.is_ending.wait(0.05):
            for kind in ("imap", "pop3"):
                try:
                    if kind not in sessions:
                        sessions[kind] = getattr(self.suite, kind)("user3")
                        if kind == "imap":
                            sessions[kind].select("INBOX")
                    sessions[kind].noop()
                except Exception:  # noqa: BLE001  each library has its own, and all mean that it was cut off
                    sessions.pop(kind, None)

    def end(self):
        self.is_ending.set()
        self.join(60)


def is_whole(suite):
    return ALWAYS <= set(members(suite.master_pid).values())


def start_again(suite):
    """Master alone was killed: what it left ends by itself, and a new one may come at once."""
    said = []

    def started():
        try:
            return suite.start()
        except AssertionError as e:
            said.append(str(e))
    try:
        until(started, "a new start")
    except AssertionError:
        raise AssertionError(f"it does not start again: {said[-1]}") from None


def kill_one(suite, target, left):
    there = until(lambda: pids(suite.master_pid, target), f"a {target}")
    os.kill(there[left % len(there)], signal.SIGKILL)
    if target == "master":
        start_again(suite)


def log_times(suite, event):
    """{queue id: last time of the event}"""
    rows = re.findall(rf"(?m)^(\S+)Z qmgr\[\d+\] \w+ {event} id=(\w+)", suite.log())
    return {ident: datetime.datetime.fromisoformat(when + "+00:00").timestamp() for when, ident in rows}


def were_in_flight(ledger, twice, kills, removed):
    """Twice is what was on its way when something was killed, and nothing else."""
    for ident in twice:
        if ident in ledger.unsure:
            continue
        _, _, queue_id, when = ledger.promised[ident]
        end = removed.get(queue_id, float("inf"))
        assert any(when - 5 <= kill <= end + 1 for kill in kills), f"{ident} came twice, and nothing was killed"


def run(suite, count):
    ledger, kills = Ledger(), []
    readers = Readers(suite)
    readers.start()
    with Load(suite.smtp_port, ledger):
        for n in range(count):
            target, before = TARGETS[n % len(TARGETS)], ledger.count()
            until(lambda: ledger.count() > before, "a message", SERVED_S)
            kills.append(datetime.datetime.now(datetime.timezone.utc).timestamp())
            kill_one(suite, target, n)
            after = ledger.count()
            until(lambda: ledger.count() >= after + 8, f"8 messages after the kill of {target}", SERVED_S)
            until(lambda: is_whole(suite), f"the suite after the kill of {target}")
    for_good = {reply for reply in ledger.turned_away.values() if reply[0] >= 500}
    assert not for_good, f"refused for good: {for_good}"
    readers.end()
    suite.wait_queue_empty()
    return ledger, kills


@pytest.mark.parametrize("build, count", [("release", 100), ("dev", 20)])
def test_nothing_acknowledged_is_lost(build, count):
    with Suite(build=build, settings=SETTINGS) as s:
        ledger, kills = run(s, count)
        twice = compare(ledger, s.mail_dir, s.spool_dir)
        were_in_flight(ledger, twice, kills, log_times(s, "removed"))
        assert not s.queue_files("corrupt", "hold")
        index_agrees(s)
        print(f"{ledger.count()} acknowledged, {len(ledger.unsure)} unsure, {len(twice)} twice, {len(kills)} kills")


def index_agrees(suite):
    """Whatever was killed in the middle of, the index has each file once."""
    for user in ("user1", "user2", "user3"):
        with suite.imap(user) as c:
            count = int(c.select("INBOX")[1][0])
            assert count == len(files(os.path.join(suite.mail_dir, user, "Maildir")))
            uids = [int(re.search(rb"UID (\d+)", row).group(1)) for row in c.fetch("1:*", "(UID)")[1]]
            assert uids == sorted(set(uids)) and len(uids) == count
