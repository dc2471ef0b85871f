"""POP3 as a client sees it: poplib and raw sockets (RFC 1939; HOSTILE 30)."""
import poplib
import socket
import time

import pytest

from imap_wire import Imap
from waiting import until

STUFFED = "Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"


@pytest.fixture
def filled(suite):
    """INBOX of user1 has just two messages."""
    with Imap(suite.imap_port, "user1") as c:
        c.ok("SELECT INBOX")
        c.ok("STORE 1:* +FLAGS.SILENT \\Deleted")
        c.ok("EXPUNGE")
        c.append(STUFFED.encode())
        c.append(b"Subject: second\r\n\r\n" + b"x" * 10 + b"\r\n")
    return suite


class Raw:
    def __init__(self, suite, user="user1"):
        self.socket = socket.create_connection(("127.0.0.1", suite.pop3_port), 60)
        self.file = self.socket.makefile("rb")
        assert self.line().startswith(b"+OK")
        assert self.ask(f"USER {user}@example.test").startswith(b"+OK")
        self.first = self.ask("PASS secret")

    def line(self):
        return self.file.readline()

    def ask(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.line()

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_poplib_walks_through_everything(filled):
    c = filled.pop3()
    size = len(STUFFED)
    assert c.stat() == (2, size + 31)
    assert c.list()[1] == [b"1 %d" % size, b"2 31"]
    assert c.list(2) == b"+OK 2 31"
    lines = c.retr(1)[1]
    assert b"\r\n".join(lines) + b"\r\n" == STUFFED.encode()
    assert c.top(1, 1)[1] == [b"Subject: dots", b"", b".one"]
    ids = c.uidl()[1]
    assert len({i.split()[1] for i in ids}) == 2
    assert c.dele(1) and c.stat()[0] == 1
    assert c.rset() and c.stat()[0] == 2
    assert set(c.capa()) >= {"TOP", "UIDL", "RESP-CODES", "PIPELINING"}
    c.quit()
    c = filled.pop3()
    assert c.uidl()[1] == ids
    c.dele(2)
    c.quit()
    c = filled.pop3()
    assert c.uidl()[1] == ids[:1]
    c.quit()


def test_a_disconnect_deletes_nothing(filled):
    with Raw(filled) as c:
        assert c.ask("DELE 1").startswith(b"+OK")
    until(lambda: opened(filled) == b"+OK 2", "both messages")


def opened(suite):
    with Raw(suite) as c:
        return c.ask("STAT")[:5] if c.first.startswith(b"+OK") else None


def test_a_maildrop_has_one_session(filled):
    with Raw(filled) as first:
        assert first.first.startswith(b"+OK")
        with Raw(filled) as second:
            assert second.first.startswith(b"-ERR [IN-USE]")
            assert second.line() == b""
        assert first.ask("QUIT").startswith(b"+OK")
    with Raw(filled) as third:
        assert third.first.startswith(b"+OK")


@pytest.mark.parametrize("line", ["RETR", "RETR 0", "RETR 3", "RETR -1", "RETR 99999999999999999999", "RETR 1 2", "RETR x", "TOP 1",
                                  "TOP 1 -1", "TOP 3 1", "LIST 3", "UIDL 0", "DELE 3", "DELE", "USER x", "STLS", "LAST", "",
                                  "X" * 2000, "RETR \x00", "DELE 1\rDELE 2"])
def test_what_cannot_be_is_refused(filled, line):
    with Raw(filled) as c:
        assert c.ask(line).startswith(b"-ERR")
        assert c.ask("STAT").startswith(b"+OK 2 ")


def test_dele_twice(filled):
    with Raw(filled) as c:
        assert c.ask("DELE 1").startswith(b"+OK")
        assert c.ask("DELE 1").startswith(b"-ERR")
        assert c.ask("RETR 1").startswith(b"-ERR")


def test_pipelining(filled):
    with Raw(filled) as c:
        c.socket.sendall(b"NOOP\r\nLIST 2\r\nUIDL 2\r\nDELE 2\r\nQUIT\r\nNOOP\r\n")
        answers = c.file.read().split(b"\r\n")
        assert [a[:3] for a in answers] == [b"+OK"] * 5 + [b""]
    with Imap(filled.imap_port, "user1") as i:
        assert b"* 1 EXISTS" in i.ok("SELECT INBOX")


def test_an_imap_session_sees_what_pop3_deleted(filled):
    with Imap(filled.imap_port, "user1") as i:
        i.ok("SELECT INBOX")
        i.say("i IDLE\r\n").until(b"+ ")
        c = filled.pop3()
        c.dele(1)
        c.quit()
        i.until(b"* 1 EXPUNGE")


def test_through_tls(filled):
    c = poplib.POP3_SSL("localhost", filled.pop3s_port, context=filled.tls_context())
    c.user("user1@example.test")
    c.pass_("secret")
    assert b"\r\n".join(c.retr(1)[1]) + b"\r\n" == STUFFED.encode()
    c.quit()
    c = poplib.POP3("localhost", filled.pop3_port)
    c.stls(filled.tls_context())
    c.user("user1@example.test")
    c.pass_("secret")
    assert c.stat()[0] == 2
    c.quit()


def test_a_client_that_never_reads_holds_up_nobody(filled):
    with Imap(filled.imap_port, "user2") as i:
        i.append(b"Subject: big\r\n\r\n" + b"x" * 76 * 50000 + b"\r\n")
    with Raw(filled, "user2") as deaf:
        deaf.socket.sendall(b"RETR 1\r\n" * 200)
        for _ in range(10):
            start = time.monotonic()
            c = filled.pop3()
            c.quit()
            assert time.monotonic() - start < 1
