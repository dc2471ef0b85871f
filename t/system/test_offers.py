"""Mail for mailboxes of this host, offered before it is durable: in memory while its delivery is under way, in a file when that takes
too long, and answered once, whoever ends meanwhile."""
import json
import os
import signal
import threading

import pytest

from smtp_steps import arrived, hello, marked, send
from suite import Suite, has_content
from waiting import until

DELAY_MS = 1000  # the longest that there is


class Stopped:
    """Processes that do nothing: what they were given stays under way."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


class Sending(threading.Thread):
    """One message, whose reply is waited for beside the test."""

    def __init__(self, suite, mark):
        super().__init__()
        self.suite, self.mark, self.reply = suite, mark, None
        self.start()

    def run(self):
        try:
            with hello(self.suite) as c:
                self.reply = send(c, self.mark)
        except (ConnectionError, EOFError) as e:
            self.reply = f"421 {e}"

    def answered(self):
        self.join(30)
        assert not self.is_alive(), "no answer"
        return self.reply


@pytest.fixture
def suite():
    with Suite(settings=[f"queue_commit_delay_ms={DELAY_MS}", "minimal_backoff_time=1s", "maximal_backoff_time=2s"]) as s:
        yield s


def files(suite):
    return [f for f in suite.queue_files("incoming", "active", "deferred", "hold", "corrupt") if has_content(f)]


def offered(suite):
    """The id of the message that is under way."""
    return suite.wait_log(r" queued id=(\S+)")[-1]


def test_a_small_one_has_no_file_before_it_is_kept(suite):
    cleanups = suite.processes("cleanup")
    with Stopped(suite.processes("local")[:1]):
        sending = Sending(suite, "mark-memory")
        queue_id = offered(suite)
        with Stopped(cleanups):
            assert files(suite) == []
            assert json.loads(suite.postrider("queue", "list", "--json").stdout)["id"] == queue_id
            shown = suite.postrider("queue", "cat", queue_id).stdout
            assert "mark-memory" in shown
            assert sending.reply is None
        assert sending.answered().split()[-1] == queue_id  # durable now, in the queue
        assert [os.path.basename(f) for f in files(suite)] == [queue_id]
        assert suite.postrider("queue", "cat", queue_id).stdout == shown
    arrived(suite, "mark-memory")
    suite.wait_queue_empty()


def test_a_fast_one_never_has(suite):
    sending = Sending(suite, "mark-fast")
    assert sending.answered().startswith("250")
    assert len(marked(suite, "mark-fast")) == 1  # durable in its mailbox, which is what was answered
    assert files(suite) == []


def test_the_next_qmgr_takes_over_what_the_last_one_had_in_memory(suite):
    qmgr = suite.processes("qmgr")[0]
    with Stopped(suite.processes("local")[:1]):
        sending = Sending(suite, "mark-qmgr")
        queue_id = offered(suite)
        os.kill(qmgr, signal.SIGKILL)
        assert sending.answered().split()[-1] == queue_id
    until(lambda: marked(suite, "mark-qmgr"), "its delivery")
    suite.wait_queue_empty()
    assert len(marked(suite, "mark-qmgr")) <= 2  # it was under way


def test_what_a_cleanup_had_in_memory_goes_with_it(suite):
    """Nobody was told that it is queued; what local has already is in flight."""
    cleanups = suite.processes("cleanup")
    with Stopped(suite.processes("local")[:1]):
        sending = Sending(suite, "mark-cleanup")
        offered(suite)
        for pid in cleanups:
            os.kill(pid, signal.SIGKILL)
        assert sending.answered()[0] == "4"
        assert files(suite) == []
    suite.wait_queue_empty()
    assert len(marked(suite, "mark-cleanup")) <= 1
    until(lambda: len(set(suite.processes("cleanup")) - set(cleanups)) == len(cleanups), "other cleanups")
    again = Sending(suite, "mark-again")
    assert again.answered().startswith("250")
    arrived(suite, "mark-again")


def test_one_that_an_admin_wants_held_was_handed_out_already(suite):
    with Stopped(suite.processes("local")[:1]):
        sending = Sending(suite, "mark-held")
        queue_id = offered(suite)
        suite.postrider("queue", "hold", queue_id)
        assert sending.answered().split()[-1] == queue_id
    suite.wait_log(rf" delivered id={queue_id}")
    arrived(suite, "mark-held")
    suite.wait_queue_empty()
