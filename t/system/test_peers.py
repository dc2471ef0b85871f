"""The distribution's Postfix, Exim and OpenSMTPD bring mail: by SMTP, and the first two by LMTP into the store. It arrives byte for
byte; what is refused comes back as their own report. Needs root: each runs as if it were installed, in a namespace of its own."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

from smtp_steps import marked, write
from suite import Raw, Suite
from waiting import DEADLINE_S, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers"))
import servers  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not os.path.isdir(servers.ROOTS),
                                reason="only root may run unpacked servers, which ./t/run fetches on Debian")
USERS = 30
BY_LMTP, BY_SMTP = "user2@example.test", "user3@example.test"  # senders: by the first one a server knows to use LMTP


@pytest.fixture(scope="module")
def suite():
    with Suite(users=USERS) as s:
        yield s


@pytest.fixture(scope="module")
def folder():
    path = tempfile.mkdtemp(prefix="postrider-peers-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module", params=[servers.Postfix, servers.Exim, servers.OpenSMTPD], ids=lambda kind: kind.name)
def server(request, suite, folder):
    with request.param(folder, suite.smtp_port, os.path.join(suite.spool_dir, "public", "lmtp"), BY_LMTP) as s:
        yield s
        if request.session.testsfailed:
            print(s.log())


WAYS = pytest.mark.parametrize("sender", [BY_SMTP, BY_LMTP], ids=["smtp", "lmtp"])


def bring(server, sender, to, content):
    """Gives the server a message, as its own user's program would."""
    with Raw(server.port) as c:
        assert c.reply().startswith("220")
        c.ask("EHLO client.example\r\n")
        assert c.ask(f"MAIL FROM:<{sender}> BODY=8BITMIME\r\n").startswith("250")
        for name in to:
            assert c.ask(f"RCPT TO:<{name}>\r\n")[0] == "2"
        assert c.ask("DATA\r\n").startswith("354")
        assert c.ask(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n").startswith("250")
        c.ask("QUIT\r\n")


def uses_lmtp(server, sender):
    return sender == BY_LMTP and server.name != "opensmtpd"


def mark_of(server, sender, what):
    return f"mark-{server.name}-{'l' if sender == BY_LMTP else 's'}-{what}."


def wait_for(suite, mark, user="user1"):
    found = until(lambda: marked(suite, mark, user), f"{mark} of {user}")
    assert len(found) == 1
    return found[0].replace(b"\r\n", b"\n")


BODIES = {
    "plain": b"one\r\n\r\ntwo\r\n",
    "dots": b".\r\n..\r\n...x\r\n.\r\n\r\n.end\r\n",
    "eight": b"".join(bytes([b]) * 3 + b"\r\n" for b in range(128, 256)) + "\u00e4\u00f6\u00fc \u20ac\r\n".encode(),
    "long": b"\r\n".join(bytes([c]) * 998 for c in b"abc") + b"\r\n",
    "tabs": b"\t x \t\r\n  \r\nFrom here on\r\n>From there\r\n",
    "large": b"".join(b"%07d " % n * 9 + b"\r\n" for n in range(40000)),
}


@WAYS
def test_contents_arrive_byte_for_byte(suite, server, sender):
    for what, body in BODIES.items():
        mark = mark_of(server, sender, what)
        bring(server, sender, ["user1@example.test"], f"From: <{sender}>\r\nSubject: {mark}\r\nX-Long: {'y' * 900}\r\n\r\n".encode() + body)
    for what, body in BODIES.items():
        message = wait_for(suite, mark_of(server, sender, what))
        head, _, got = message.partition(b"\n\n")
        assert got == body.replace(b"\r\n", b"\n"), what
        assert f"\nX-Long: {'y' * 900}".encode() in head and f"Return-Path: <{sender}>".encode() in head
        trace = re.sub(rb"\n[ \t]+", b" ", head)
        protocol = b"LMTP" if uses_lmtp(server, sender) else b"ESMTPS?"
        assert re.search(rb"Received: from %s\.peer\.example [^\n]*by mail\.example\.test [^\n]*with %s id "
                         % (server.name.encode(), protocol), trace), trace


@WAYS
def test_many_recipients(suite, server, sender):
    mark = mark_of(server, sender, "many")
    bring(server, sender, [f"user{n}@example.test" for n in range(1, USERS + 1)],
          f"From: <{sender}>\r\nSubject: {mark}\r\n\r\nbody\r\n".encode())
    for n in range(1, USERS + 1):
        assert f"Delivered-To: user{n}@example.test\n".encode() in wait_for(suite, mark, f"user{n}")


@WAYS
def test_what_is_refused_comes_back_as_its_report(suite, server, sender):
    mark = mark_of(server, sender, "refused")
    bring(server, sender, ["user1@example.test", "nobody@example.test"], f"From: <{sender}>\r\nSubject: {mark}\r\n\r\nbody\r\n".encode())
    wait_for(suite, mark)
    report = wait_for(suite, mark, sender.partition("@")[0])
    assert b"Return-Path: <>" in report and b"nobody@example.test" in report and b"User unknown" in report


@pytest.mark.parametrize("path", ["public", "elsewhere"])
def test_results_by_lmtp_are_kept_by_the_server(suite, folder, path):
    """One mailbox cannot be had now: Postfix keeps its message alone, and brings it again."""
    socket_path = os.path.join(suite.spool_dir, "public", "lmtp")
    if path == "elsewhere":
        socket_path = os.path.join(suite.dir, "store.socket")
        with open(os.path.join(suite.config_dir, "master.cf"), encoding="utf-8") as f:
            rows = f.read()
        write(os.path.join(suite.config_dir, "master.cf"), rows + f"{socket_path} unix n - y - - smtpd\n  -o smtpd_protocol=lmtp\n")
        assert suite.postrider("reload").returncode == 0
        until(lambda: os.path.exists(socket_path), "the socket")
    maildir = os.path.join(suite.mail_dir, "user9", "Maildir")
    below = os.path.join(folder, path)
    os.makedirs(below)
    mark = f"mark-again-{path}."
    os.chmod(maildir, 0)
    try:
        with servers.Postfix(below, suite.smtp_port, socket_path, BY_LMTP) as postfix:
            bring(postfix, BY_LMTP, ["user8@example.test", "user9@example.test"], f"Subject: {mark}\r\n\r\nbody\r\n".encode())
            until(lambda: re.search(r"to=<user9@example\.test>.*status=deferred .*451 4\.", postfix.log()), "Postfix to defer it")
            wait_for(suite, mark, "user8")
            os.chmod(maildir, 0o700)
            postfix.run("postqueue", "-f")
            assert wait_for(suite, mark, "user9")
            until(lambda: re.search(r"to=<user9@example\.test>.*status=sent .*delivered as", postfix.log()), "Postfix to be done")
            assert len(marked(suite, mark, "user8")) == 1
    finally:
        os.chmod(maildir, 0o700)


def test_smtp_source(suite):
    """Postfix's load generator, many sessions at once."""
    binary = os.path.join(servers.ROOTS, "postfix/usr/sbin/smtp-source")
    libraries = os.path.join(servers.ROOTS, "postfix/usr/lib/postfix")
    done = subprocess.run([binary, "-c", "-s", "20", "-m", "200", "-l", "4096", "-f", BY_SMTP, "-t", "user30@example.test",
                           f"inet:127.0.0.1:{suite.smtp_port}"], env={**os.environ, "LD_LIBRARY_PATH": libraries},
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr
    before = [m for m in suite.messages("user30") if b"mark-" in m]
    suite.wait_messages(200 + len(before), "user30")


def test_nothing_is_left(suite):
    """Runs behind the others in this file."""
    until(lambda: not suite.queue_files(), "an empty queue")
    with socket.create_connection(("127.0.0.1", suite.smtp_port), DEADLINE_S) as s:
        assert s.recv(100).startswith(b"220")
