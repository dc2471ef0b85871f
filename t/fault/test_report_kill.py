"""SIGKILL in the middle of reports: each failure is reported once or twice, never not at all, and the message waits until it is."""
import collections
import os
import re
import signal

import pytest
from members import pids
from reports import aliases, reports, submit
from suite import Suite
from waiting import until

SETTINGS = ("smtpd_error_sleep_time=0", "restart_backoff_max=0", "minimal_backoff_time=1s", "maximal_backoff_time=1s",
            "delay_warning_time=0")
BATCH = 20


def batch(suite):
    """Messages of which one recipient fails."""
    return {submit(suite, "broken@localhost", body=f"{n}\r\n") for n in range(BATCH)}


def counts(suite, ids):
    """Of different reports: one that is delivered twice is one."""
    different = {(r.mail["Message-ID"], r.message()["x-postrider-queue-id"]) for r in reports(suite)}
    found = collections.Counter(about for _, about in different)
    return {queue_id: found[queue_id] for queue_id in ids}


def killed(suite, role, when):
    """Ends the role's processes as soon as so many reports have been made since the start."""
    until(lambda: len(re.findall(r"bounce\[\d+\] info reported ", suite.log())) >= when, f"{when} reports")
    for pid in pids(suite.master_pid, role):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("role", ["bounce", "qmgr", "cleanup"])
def test_reports_survive_the_end_of(role):
    with Suite(settings=SETTINGS) as suite:
        aliases(suite, broken="user3@example.test, nobody@example.test")
        made = 0
        for share in (0, 1, BATCH // 2):
            stop = pids(suite.master_pid, "bounce")
            for pid in stop:
                os.kill(pid, signal.SIGSTOP)  # so that the batch is there when it begins
            ids = batch(suite)
            for pid in stop:
                os.kill(pid, signal.SIGCONT)
            killed(suite, role, made + share)
            until(lambda: all(counts(suite, ids).values()), "a report of each")
            suite.wait_queue_empty()
            assert set(counts(suite, ids).values()) <= {1, 2}, counts(suite, ids)
            made = len(re.findall(r"bounce\[\d+\] info reported ", suite.log()))
        assert not suite.queue_files()
        check_log(suite, role)
        suite.kill()  # its log has deaths


def check_log(suite, role):
    died = set(re.findall(r"process-died process=([a-z-]+)", suite.log()))
    assert died == {role}, died


def test_a_message_waits_while_bounce_is_away():
    """It is deferred, and goes at once when bounce is back, whatever its next try is."""
    settings = [*SETTINGS, "minimal_backoff_time=1000s", "maximal_backoff_time=1000s"]
    with Suite(settings=settings) as suite:
        aliases(suite, broken="user3@example.test, nobody@example.test")
        [pid] = pids(suite.master_pid, "bounce")
        os.kill(pid, signal.SIGSTOP)
        queue_id = submit(suite, "broken@localhost")
        suite.wait_log(f"failed id={queue_id}")
        os.kill(pid, signal.SIGKILL)
        until(lambda: counts(suite, [queue_id])[queue_id], "its report")
        suite.wait_queue_empty()
        assert counts(suite, [queue_id])[queue_id] in (1, 2)
        suite.kill()
