"""LMTP into the store (RFC 2033): each recipient's result is the answer, and a message that was not answered is nowhere."""
import os
import re
import signal
import smtplib
import socket
import subprocess

import pytest

from smtp_steps import arrived, let_policy_see, marked, set_all, write
from suite import INSTANCE, Raw, Suite, has_content
from waiting import DEADLINE_S, until


@pytest.fixture(scope="module", params=[False, True], ids=["root", "unprivileged"])
def suite(request):
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000"], unprivileged=request.param) as s:
        yield s


class LocalRaw(Raw):
    """The same over a socket of the file system."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(path)
        self.bytes = b""


def socket_path(suite):
    return os.path.join(suite.spool_dir, "public", "lmtp")


def hello(c):
    assert c.reply().startswith("220 mail.example.test ")
    assert c.ask("LHLO client.example\r\n").startswith("250")
    return c


def connect(suite):
    return hello(suite.raw(suite.lmtp_port))


def begin(c, *to, sender="a@b.example"):
    assert c.ask(f"MAIL FROM:<{sender}>\r\n").startswith("250 2.1.0")
    replies = [c.ask(f"RCPT TO:<{name}>\r\n") for name in to]
    assert c.ask("DATA\r\n").startswith("354 ")
    return replies


def finish(c, mark, count):
    c.say(f"Subject: x\r\n\r\n{mark}\r\n.\r\n")
    return [c.reply() for _ in range(count)]


def is_nowhere(suite):
    """No file of the queue is left, in whatever folder, but the blank ones that are kept ready."""
    return not suite.queue_files() and not under_way(suite)


def under_way(suite):
    """Files of the queue that hold something."""
    return [f for f in suite.queue_files("incoming", "active") if has_content(f)]


# ---- the conversation ----

def test_lhlo_lists_what_is_there(suite):
    with suite.raw(suite.lmtp_port) as c:
        c.reply()
        c.say("LHLO client.example\r\n")
        lines = [c.line().decode().rstrip()]
        while lines[-1][3] == "-":
            lines.append(c.line().decode().rstrip())
        assert [line[4:] for line in lines] == ["mail.example.test", "PIPELINING", "SIZE 10240000", "STARTTLS", "8BITMIME",
                                                "ENHANCEDSTATUSCODES"]


@pytest.mark.parametrize("line,want", [
    ("HELO client.example", "500 5.5.2"), ("EHLO client.example", "500 5.5.2"), ("MAIL FROM:<a@b.example>", "503 5.5.1"),
    ("LHLO", "501 5.5.4"), ("LHLO two words", "501 5.5.4"), ("DATA", "503 5.5.1"), ("NOOP", "250 2.0.0")])
def test_before_lhlo(suite, line, want):
    with suite.raw(suite.lmtp_port) as c:
        c.reply()
        assert c.ask(line + "\r\n").startswith(want)
        assert c.ask("LHLO client.example\r\n").startswith("250")


def test_smtp_knows_no_lhlo(suite):
    with suite.raw() as c:
        c.reply()
        assert c.ask("LHLO client.example\r\n").startswith("500 5.5.2")


def test_no_recipient_is_no_message(suite):
    with connect(suite) as c:
        assert c.ask("DATA\r\n").startswith("503 5.5.1")
        c.ask("MAIL FROM:<a@b.example>\r\n")
        assert c.ask("DATA\r\n").startswith("503 5.5.1")
        assert c.ask("RCPT TO:<nobody@example.test>\r\n").startswith("550 5.1.1")
        assert c.ask("DATA\r\n").startswith("503 5.5.1")


@pytest.mark.parametrize("over", ["inet", "unix"])
def test_each_recipient_has_its_answer_in_order(suite, over):
    c = connect(suite) if over == "inet" else hello(LocalRaw(socket_path(suite)))
    with c:
        replies = begin(c, "user2@example.test", "nobody@example.test", "user1@example.test", "USER2@example.test")
        assert [r[:3] for r in replies] == ["250", "550", "250", "250"]
        answers = finish(c, f"mark-order-{over}.", 3)
        assert all(re.match(r"250 2\.1\.5 Ok: delivered as \w{11}$", a) for a in answers), answers
        for n in (1, 2):  # it is there before the answer, once
            assert len(marked(suite, f"mark-order-{over}.", f"user{n}")) == 1
        assert is_nowhere(suite)
        assert c.ask("NOOP\r\n").startswith("250")
    head = re.sub(rb"\n[ \t]+", b" ", marked(suite, f"mark-order-{over}.")[0].split(b"\n\n")[0]).decode()
    assert re.search(r"(?m)^Received: from client\.example \(unknown \[127\.0\.0\.1\]\) by mail\.example\.test with LMTP id \w{11}; ", head)
    assert "Return-Path: <a@b.example>" in head and "Delivered-To: user1@example.test" in head


def test_a_local_client_is_known(suite):
    with LocalRaw(socket_path(suite)) as c:
        c.reply()
        suite.wait_log(rf"connect session=\S+ uid={os.geteuid()} pid={os.getpid()} service=lmtp/unix")
    assert os.stat(socket_path(suite)).st_mode & 0o777 == 0o666


def test_one_session_in_one_write(suite):
    with suite.raw(suite.lmtp_port) as c:
        c.say("LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<user1@example.test>\r\nRCPT TO:<nobody@example.test>\r\n"
              "RCPT TO:<user3@example.test>\r\nDATA\r\nSubject: x\r\n\r\nmark-write\r\n..\r\n.\r\n"
              "MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\nSubject: y\r\n\r\nmark-second\r\n.\r\nQUIT\r\n")
        codes = [line[:3].decode() for line in c.rest().split(b"\r\n") if line[3:4] == b" "]
        assert codes == ["220", "250", "250", "250", "550", "250", "354", "250", "250", "250", "250", "354", "250", "221"]
    assert arrived(suite, "mark-write", "user3").replace(b"\r\n", b"\n").endswith(b"mark-write\n.\n")
    arrived(suite, "mark-second")


def test_other_places_are_refused(suite):
    """The client is in mynetworks, and still this way leads into the store alone."""
    with connect(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        for to in ("x@elsewhere.example", "x%elsewhere.example@example.test", "@example.test:x@elsewhere.example"):
            assert c.ask(f"RCPT TO:<{to}>\r\n")[0] == "5", to
        assert "Relay access denied" in c.ask("RCPT TO:<x@elsewhere.example>\r\n")


def test_what_is_refused_is_refused_for_each(suite):
    with connect(suite) as c:
        for content in ("Subject: x\r\n\r\nbare\nmark-refused\r\n.\r\n", "Received: x\r\n" * 51 + "\r\nmark-refused\r\n.\r\n"):
            begin(c, "user1@example.test", "user2@example.test")
            c.say(content)
            assert [c.reply()[:3] for _ in range(2)] == ["550", "550"]
        begin(c, "user1@example.test", "user2@example.test", "user3@example.test")
        c.say("Subject: x\r\n\r\n" + ("x" * 998 + "\r\n") * 10300 + ".\r\n")
        assert [c.reply()[:9] for _ in range(3)] == ["552 5.3.4"] * 3
        begin(c, "user1@example.test")
        assert finish(c, "mark-after-refused", 1)[0].startswith("250 2.1.5")
    assert not marked(suite, "mark-refused")
    assert is_nowhere(suite)


def test_many_recipients(suite):
    with connect(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        for n in range(1000):
            c.say(f"RCPT TO:<user{n % 3 + 1}@example.test>\r\n")
        assert all(c.reply().startswith("250") for _ in range(1000))
        assert c.ask("RCPT TO:<user1@example.test>\r\n").startswith("452 4.5.3")
        assert c.ask("DATA\r\n").startswith("354")
        assert all(a.startswith("250 2.1.5") for a in finish(c, "mark-many", 1000))
    assert [len(marked(suite, "mark-many", f"user{n}")) for n in (1, 2, 3)] == [1, 1, 1]


def test_smtplib_speaks_it(suite):
    for host, port in ((socket_path(suite), 0), ("127.0.0.1", suite.lmtp_port)):
        with smtplib.LMTP(host, port, local_hostname="client.example") as c:
            c.ehlo()  # says LHLO
            c.mail("a@b.example")
            c.rcpt("user1@example.test")
            c.rcpt("user2@example.test")
            code, words = c.data(b"Subject: x\r\n\r\nmark-smtplib\r\n")
            assert (code, c.getreply()[0]) == (250, 250), words
    until(lambda: len(marked(suite, "mark-smtplib", "user2")) == 2, "both messages")


# ---- results ----

def test_results_are_real(suite):
    """One mailbox that works, one that does not now, one alias for both, one that can never work."""
    maildir = os.path.join(suite.mail_dir, "user2", "Maildir")
    aliases = ("postmaster: user1@example.test\nboth: user3@example.test, user2@example.test\n"
               "broken: user1@example.test, nobody@example.test\n")
    write(os.path.join(suite.config_dir, "aliases"), aliases)
    let_policy_see(suite)
    os.chmod(maildir, 0)
    try:
        with connect(suite) as c:
            told = begin(c, "user1@example.test", "user2@example.test", "both@localhost", "broken@localhost")
            assert all(t.startswith("250 ") for t in told), told
            answers = finish(c, "mark-real", 4)
        assert answers[0].startswith("250 2.1.5"), answers
        assert re.match(r"45[0-2] 4\.\d\.\d ", answers[1]), answers
        assert re.match(r"45[0-2] 4\.\d\.\d ", answers[2]), answers
        assert answers[3].startswith("550 5.1.1 "), answers
        assert len(marked(suite, "mark-real")) == len(marked(suite, "mark-real", "user3")) == 1
        # It is the client's to try again; a letter about a mailbox that cannot be opened is on its way to postmaster.
        until(lambda: is_nowhere(suite), "an empty queue")
        assert len(marked(suite, "mark-real")) == len(marked(suite, "mark-real", "user3")) == 1
    finally:
        os.chmod(maildir, 0o700)
    with connect(suite) as c:
        begin(c, "user2@example.test", "both@localhost")
        assert [a[:9] for a in finish(c, "mark-again", 2)] == ["250 2.1.5"] * 2


def test_a_message_to_hold_is_kept(suite):
    set_all(suite, smtpd_recipient_restrictions="check_recipient_access static:HOLD")
    try:
        with connect(suite) as c:
            begin(c, "user1@example.test", "user2@example.test")
            answers = finish(c, "mark-hold", 2)
        assert [a[:27] for a in answers] == ["250 2.0.0 Ok: queued as " + answers[0][24:27]] * 2
        queue_id = answers[0].split()[-1]
        until(lambda: any(queue_id in f for f in suite.queue_files("hold")), "the message in hold")
        assert suite.postrider("queue", "delete", "--yes", queue_id).returncode == 0
    finally:
        set_all(suite, smtpd_recipient_restrictions="")
    assert not marked(suite, "mark-hold")


# ---- ends ----

class Waiting:
    """A message whose delivery stands still: its local was stopped."""

    def __init__(self, suite, mark, has_file=False):
        """has_file: it is too large to stand in memory until its results are said."""
        self.suite, self.pid = suite, suite.processes("local")[0]
        os.kill(self.pid, signal.SIGSTOP)
        count = len(re.findall(r" queued id=", suite.log()))
        self.client = connect(suite)
        begin(self.client, "user1@example.test")
        self.client.say(f"Subject: x\r\n\r\n{mark}\r\n" + has_file * 300 * f"{'x' * 70}\r\n" + ".\r\n")
        until(lambda: len(re.findall(r" queued id=", suite.log())) > count, "the message with qmgr")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
        self.client.close()


def test_a_client_that_leaves(suite):
    with Waiting(suite, "mark-leaves") as w:
        w.client.close()
        suite.wait_log(r"disconnect session=")
    until(lambda: is_nowhere(suite), "an empty queue")
    assert len(marked(suite, "mark-leaves")) <= 1


def killed(suite, role):
    pids = suite.processes(role)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(pids) & set(suite.processes(role)) and len(suite.processes(role)) == len(pids), f"{role} again")


@pytest.mark.parametrize("has_file", [False, True])
@pytest.mark.parametrize("role,want", [("qmgr", "451 4.3"), ("cleanup", "421 4.3.0"), ("smtpd", "")])
def test_a_process_that_ends_meanwhile(suite, role, want, has_file):
    mark = f"mark-{role}-{has_file}"
    with Waiting(suite, mark, has_file) as w:
        killed(suite, role)
        assert w.client.reply().startswith(want)
    until(lambda: is_nowhere(suite), "an empty queue")  # nobody was told that it is in it
    with until_connected(suite) as c:
        begin(c, "user1@example.test")
        assert finish(c, mark, 1)[0].startswith("250 2.1.5")
    assert 1 <= len(marked(suite, mark)) <= 2


def test_a_local_that_ends_is_asked_again(suite):
    with Waiting(suite, "mark-local") as w:
        os.kill(w.pid, signal.SIGKILL)
        assert w.client.reply().startswith("250 2.1.5")
    assert 1 <= len(marked(suite, "mark-local")) <= 2


def until_connected(suite):
    def attempt():
        try:
            return connect(suite)
        except (OSError, AssertionError):
            return None
    return until(attempt, "a connection")


@pytest.mark.parametrize("has_file", [False, True])
def test_a_power_cut_leaves_nothing_to_deliver(has_file):
    with Suite() as suite:
        with Waiting(suite, "mark-cut", has_file):
            assert len(suite.queue_files("active")) == has_file
            suite.kill()
        suite.start()
        if has_file:
            suite.wait_log(r"discarded id=\S+ reason=.*LMTP")
        suite.send("Subject: x\r\n\r\nmark-after\r\n")
        arrived(suite, "mark-after")
        until(lambda: is_nowhere(suite), "an empty queue")
        assert not marked(suite, "mark-cut")


def test_a_stop_waits_for_the_results():
    with Suite(settings=["drain_timeout=30"]) as suite:
        with Waiting(suite, "mark-stop") as w:
            stop = subprocess.Popen([INSTANCE, "stop", suite.dir])
            suite.is_up = False
            suite.wait_log(r"master\[\d+\] info stopping")
            os.kill(w.pid, signal.SIGCONT)
            assert w.client.reply().startswith("250 2.1.5")
        assert stop.wait() == 0
        assert len(marked(suite, "mark-stop")) == 1


# ---- limits, places ----

def test_no_limit_by_client():
    with Suite(settings=["smtpd_client_connection_count_limit=2", "smtpd_client_event_limit_exceptions=",
                         "mynetworks=192.0.2.1/32"]) as suite:
        clients = [connect(suite) for _ in range(10)]
        for c in clients:
            assert c.ask("NOOP\r\n").startswith("250")
            c.close()


def test_a_socket_at_a_path():
    """Where another server may reach it; gone with its service."""
    with Suite() as suite:
        path = os.path.join(suite.dir, "store.socket")
        master_cf = os.path.join(suite.config_dir, "master.cf")
        with open(master_cf, encoding="utf-8") as f:
            rows = f.read()
        write(master_cf, rows + f"{path} unix n - y - - smtpd\n  -o smtpd_protocol=lmtp\n")
        assert suite.postrider("reload").returncode == 0
        with hello(LocalRaw(path)) as c:
            begin(c, "user1@example.test")
            assert finish(c, "mark-path", 1)[0].startswith("250 2.1.5")
        write(master_cf, rows)
        assert suite.postrider("reload").returncode == 0
        until(lambda: not os.path.exists(path), "the end of the socket")
        arrived(suite, "mark-path")
