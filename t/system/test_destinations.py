"""How qmgr serves destinations: how many deliveries at a time, which message first, when a place is left alone, and that a
transport may be told to wait."""
import os
import re
from datetime import datetime

import pytest
from programs import Programs
from smtp_steps import arrived, hello, marked, send, set_all
from suite import Suite
from waiting import until

LIST = 10000
STATUS = r"(?m)^(\S+)Z \S+ info (delivered|deferred) id=(\S+) to=(\S+) "


def sent(suite, to, mark="body"):
    """The queue id of a message that was accepted."""
    with hello(suite) as c:
        reply = send(c, mark, to=to)
    assert reply.startswith("250 2.0.0"), reply
    return reply.split()[-1]


def results(suite, kind, queue_id=None):
    """[(time, id, address)] of what was delivered or deferred, in the order of the log."""
    rows = [(datetime.fromisoformat(at), q, to.strip("<>\"")) for at, what, q, to in re.findall(STATUS, suite.log()) if what == kind]
    return [row for row in rows if queue_id in (None, row[1])]


# ---- how many at a time ----

# The first two runs end at once; the others wait until the test has seen enough of them.
COUNTED = """\
echo start >> $OUT
if mkdir {0}/first 2>/dev/null || mkdir {0}/second 2>/dev/null; then :; else
    until [ -e {0}/enough ]; do sleep 0.05; done
fi
echo end >> $OUT"""


def test_a_destination_begins_with_few_and_grows_to_its_limit():
    with Programs(settings=["pipe_initial_destination_concurrency=1", "pipe_destination_concurrency_limit=3"]) as s:
        s.alias(counted=f'"|{s.script("counted", COUNTED.format(s.work))}"')
        for _ in range(8):
            sent(s, "counted@localhost")

        def lines():
            path = s.path("counted") + ".out"
            return open(path, encoding="utf-8").read().split() if os.path.exists(path) else []

        def running():
            return lines().count("start") - lines().count("end")

        until(lambda: running() == 3, "three at a time")
        open(s.path("enough"), "w", encoding="utf-8").close()
        s.wait_queue_empty()
        at_once = [lines()[:n].count("start") - lines()[:n].count("end") for n in range(17)]
        assert lines()[:2] == ["start", "end"]  # alone until it went well
        assert max(at_once) == 3 and len(lines()) == 16


def test_a_rate_delay_is_a_pause_after_each_delivery_to_a_user():
    with Suite(settings=["local_destination_rate_delay=1s"]) as s:
        ids = [sent(s, "user1@example.test") for _ in range(3)]
        other = sent(s, "user2@example.test")
        s.wait_messages(3, "user1")
        s.wait_queue_empty()
        times = [results(s, "delivered", i)[0][0] for i in ids]
        pauses = [(after - before).total_seconds() for before, after in zip(sorted(times), sorted(times)[1:])]
        assert min(pauses) > 0.95, pauses
        assert results(s, "delivered", other)[0][0] < max(times)  # who has none of it does not wait


# ---- which first ----

def test_a_long_list_holds_up_nobody():
    """Also not who is on it, and in the list's own turn nobody is left out."""
    with Suite(settings=[f"smtpd_recipient_limit={LIST}", "session_memory_limit=100000000", "recipient_delimiter=+"]) as s:
        with hello(s) as c:
            assert c.ask("MAIL FROM:<list@b.example>\r\n").startswith("250")
            for n in range(0, LIST, 500):
                c.say("".join(f"RCPT TO:<user{i % 2 + 1}+{i}@example.test>\r\n" for i in range(n, n + 500)))
                assert all(c.reply().startswith("250") for _ in range(500))
            c.ask("DATA\r\n")
            reply = c.ask("Subject: list\r\n\r\nto all\r\n.\r\n")
            assert reply.startswith("250"), reply
        of_list = reply.split()[-1]
        until(lambda: results(s, "delivered", of_list), "the first of the list")
        before = len(results(s, "delivered", of_list))
        for user in ("user1", "user3"):
            sent(s, f"{user}@example.test", f"mark-{user}")
        for user in ("user1", "user3"):
            until(lambda u=user: marked(s, f"mark-{u}", u), f"the single message of {user}")
        meanwhile = len(results(s, "delivered", of_list)) - before
        assert f"removed id={of_list}" not in s.log() and meanwhile < LIST / 2, meanwhile
        until(lambda: f"removed id={of_list}" in s.log(), "the end of the list", 120)
        assert len(results(s, "delivered", of_list)) == LIST


def test_new_mail_and_mail_that_failed_take_turns():
    """Of twenty old messages one goes each second, and there is room for four: a new one has the second place that is free."""
    with Suite(settings=["qmgr_message_active_limit=4", "local_destination_rate_delay=1s", "defer_transports=local"]) as s:
        old = [sent(s, "user1@example.test") for _ in range(20)]
        until(lambda: len(s.queue_files("deferred")) == len(old), "twenty that wait")
        assert s.postrider("queue", "flush", "ALL").returncode == 0
        s.wait_messages(1, "user1")
        set_all(s, defer_transports="")
        sent(s, "user2@example.test", "mark-new")
        arrived(s, "mark-new", "user2")
        assert len(s.messages("user1")) < 15


# ---- what is left alone ----

@pytest.fixture(name="closed", params=["dev", "release"])
def closed_mailbox(request):
    """A suite in which nobody can enter the mailbox of user2; only the workers of the release build are rooted in it."""
    with Suite(build=request.param, settings=["local_initial_destination_concurrency=1", "minimal_backoff_time=1000s",
                                              "maximal_backoff_time=4000s"]) as s:
        path = os.path.join(s.mail_dir, "user2", "Maildir")
        os.chmod(path, 0)
        try:
            yield s
        finally:
            os.chmod(path, 0o700)


def workers_that_left(suite):
    return len(re.findall(r"worker-left user=user2", suite.log()))


def test_a_mailbox_that_cannot_be_opened_is_left_alone_for_a_while(closed):
    first = sent(closed, "user2@example.test", "mark-first")
    closed.wait_log(rf"deferred id={first} ")
    closed.wait_log(r"destination-left-alone relay=local nexthop=\S+ seconds=1000 reason=\"the mail folder cannot be opened\"")
    tried = workers_that_left(closed)
    second = sent(closed, "user2@example.test", "mark-second")
    closed.wait_log(rf"deferred id={second} .*reason=\"left alone for a while: the mail folder cannot be opened\"")
    assert workers_that_left(closed) == tried
    sent(closed, "user1@example.test", "mark-other")
    arrived(closed, "mark-other")
    # A flush is an admin's word that it can be tried.
    os.chmod(os.path.join(closed.mail_dir, "user2", "Maildir"), 0o700)
    assert closed.postrider("queue", "flush", "ALL").returncode == 0
    for mark in ("mark-first", "mark-second"):
        arrived(closed, mark, "user2")
    third = sent(closed, "user2@example.test", "mark-third")
    arrived(closed, "mark-third", "user2")
    assert not results(closed, "deferred", third)
    closed.wait_queue_empty()


def test_a_message_that_is_refused_leaves_nobody_alone():
    """It failed for a reason of its own: what follows is tried."""
    with Suite(settings=["local_initial_destination_concurrency=1"]) as s:
        for _ in range(3):
            with hello(s) as c:
                send(c, "mark-loop", to="user2@example.test", head="Delivered-To: user2@example.test\r\n")
        s.wait_log(r"failed id=\S+ to=\S*user2", 3)
        sent(s, "user2@example.test", "mark-good")
        arrived(s, "mark-good", "user2")
        assert "destination-left-alone" not in s.log()


def test_a_transport_waits_until_it_is_flushed_or_set_free():
    with Suite(settings=["defer_transports=local", "minimal_backoff_time=1s", "maximal_backoff_time=1s"]) as s:
        ids = [sent(s, "user1@example.test", f"mark-{n}") for n in range(2)]
        for i in ids:
            s.wait_log(rf"deferred id={i} .*the transport local waits: defer_transports", 2)  # also when its time has come
        assert not s.messages("user1")
        assert s.postrider("queue", "flush", ids[0]).returncode == 0
        arrived(s, "mark-0")
        assert not marked(s, "mark-1")
        set_all(s, defer_transports="")
        arrived(s, "mark-1")
        s.wait_queue_empty()
