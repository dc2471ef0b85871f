"""Open relay, address tricks and local recipients (HOSTILE 10, 13, 14, 15): refused, or plain data."""
import itertools

import pytest

from suite import Suite
from waiting import until

TRICKS = [
    "victim@elsewhere.example", "victim%elsewhere.example@example.test", "victim%elsewhere.example@localhost",
    "victim%elsewhere.example", "elsewhere.example!victim@example.test", "elsewhere.example!victim",
    "elsewhere.example!victim@localhost", "\"victim@elsewhere.example\"@example.test", "\"victim@elsewhere.example\"",
    "\"victim%elsewhere.example\"@example.test", "\"elsewhere.example!victim\"@example.test",
    "@example.test:victim@elsewhere.example", "@mail.example.test,@localhost:victim@elsewhere.example",
    "victim@elsewhere.example@example.test", "victim@example.test@elsewhere.example", "victim@[192.0.2.1]",
    "victim@[127.0.0.2]", "victim@[IPv6:::ffff:192.0.2.1]", "victim@[IPv6:2001:db8::1]", "victim@192.0.2.1",
    "victim@elsewhere.example.", "ViCtIm@ElseWhere.EXAMPLE", "victim@elsewhere.example.example.test.elsewhere.example",
    "victim@example.test.elsewhere.example", "victim@xexample.test", "victim@sub.example.test", "victim@.example.test",
    "victim@example.test.", "\"victim\\@elsewhere.example\"@example.test", "user1@example.test%elsewhere.example",
    "user1%elsewhere.example@mail.example.test", "victim@@elsewhere.example", "@elsewhere.example", "victim@",
    "victim@[]", "victim@[", "victim@]", "victim@[127.0.0.1]", "elsewhere.example!user1%example.test",
]
SENDERS = ["", "a@b.example", "user1@example.test", "root@localhost", "postmaster"]
HELOS = ["client.example", "localhost", "mail.example.test", "[127.0.0.1]", "[IPv6:::ffff:127.0.0.1]"]


@pytest.fixture(scope="module")
def suite():
    """Nobody is trusted by his address here."""
    with Suite(settings=["mynetworks=192.0.2.77/32", "smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100000",
                         "smtpd_client_connection_count_limit=0", "smtpd_session_time_limit=3600"]) as s:
        yield s


def hello(suite, helo="client.example"):
    c = suite.raw()
    c.reply()
    assert c.ask(f"EHLO {helo}\r\n").startswith("250")
    return c


@pytest.mark.parametrize("helo,sender", itertools.product(HELOS, SENDERS))
def test_a_stranger_does_not_relay(suite, helo, sender):
    with hello(suite, helo) as c:
        assert c.ask(f"MAIL FROM:<{sender}>\r\n").startswith("250")
        for trick in TRICKS:
            for line in (f"RCPT TO:<{trick}>", f"RCPT TO:<{trick}> x", f"RCPT TO:{trick}"):
                reply = c.ask(line + "\r\n")
                assert reply[0] == "5", (line, reply)
        assert c.ask("DATA\r\n").startswith("554 5.5.1")


def test_what_is_ours_is_taken_in_every_form(suite):
    with hello(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        for ours in ("user1@example.test", "USER1@EXAMPLE.TEST", "\"user1\"@example.test", "postmaster", "Postmaster",
                     "postmaster@localhost", "postmaster@mail.example.test"):
            reply = c.ask(f"RCPT TO:<{ours}>\r\n")
            assert reply.startswith("250 2.1.5"), (ours, reply)
        assert c.ask("DATA\r\n").startswith("354")
        assert c.ask("Subject: x\r\n\r\nmark-ours\r\n.\r\n").startswith("250")
    suite.wait_queue_empty()
    assert len([m for m in suite.messages() if b"mark-ours" in m]) >= 1


@pytest.mark.parametrize("line,want", [
    ("RCPT TO:<%s@example.test>" % ("x" * 64), "550 5.1.1"), ("RCPT TO:<%s@example.test>" % ("x" * 65), "501 5.1.3"),
    ("RCPT TO:<x@%s>" % ".".join(["d" * 49] * 5 + ["ddddd"]), "5"), ("RCPT TO:<x@%s>" % ".".join(["d" * 49] * 5 + ["dddddd"]), "501 5.1.3"),
    ("RCPT TO:<x@%s.example>" % ("d" * 64), "501"), ("RCPT TO:<\"\"@example.test>", "5"), ("RCPT TO:<x@-.example>", "5"),
    (b"RCPT TO:<x\xc3@example.test>", "5"), (b"RCPT TO:<x\xff\xfe@example.test>", "5"), ("RCPT TO:<a..b@example.test>", "550 5.1.1"),
    ("RCPT TO:<.a@example.test>", "550 5.1.1"), ("RCPT TO:<a.@example.test>", "550 5.1.1"), ("RCPT TO:<(x)a@example.test>", "501"),
])
def test_lengths_and_shapes(suite, line, want):
    with hello(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        line = line if isinstance(line, bytes) else line.encode()
        assert c.ask(line + b"\r\n").startswith(want)
        assert c.ask("RCPT TO:<user1@example.test>\r\n").startswith("250")


SHELL = ["|/bin/sh", "|touch /tmp/x", "`id`", "$(id)", "${HOME}", "$user", "%n%n%n%s", "-oQ/tmp", "--help", "/etc/passwd",
         ":include:/etc/passwd", "../../etc/passwd", "user1/../user2", "~root", "a;b", "a&b", "a'b", "user1\\", "*", "?",
         "user1\x7f", "\\\"", "{}", "user1+../../x", "user1+|x", "user1+/etc/passwd"]


@pytest.mark.parametrize("name", SHELL)
def test_shell_characters_are_data(suite, name):
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    with hello(suite) as c:
        for sender in (f'"{quoted}"@b.example',):
            assert c.ask(f"MAIL FROM:<{sender}>\r\n")[0] in "25"
            c.ask("RSET\r\n")
        c.ask("MAIL FROM:<a@b.example>\r\n")
        reply = c.ask(f'RCPT TO:<"{quoted}"@example.test>\r\n')
        assert reply[:3] in ("550", "501", "553", "554", "250"), reply
        if reply[0] == "2":  # an extension of a user that is there
            assert name.startswith("user1+")
            c.ask("RSET\r\n")


def test_a_sender_full_of_tricks_arrives_as_it_was(suite):
    sender = '"|/bin/sh -c ${IFS} %n `id`"@b.example'
    with hello(suite) as c:
        assert c.ask(f"MAIL FROM:<{sender}>\r\n").startswith("250")
        assert c.ask("RCPT TO:<user2@example.test>\r\n").startswith("250")
        c.ask("DATA\r\n")
        assert c.ask("Subject: x\r\n\r\nmark-trick\r\n.\r\n").startswith("250")
    found = until(lambda: [m for m in suite.messages("user2") if b"mark-trick" in m], "the message")
    assert f"Return-Path: <{sender}>".encode() in found[0]


@pytest.mark.parametrize("helo", ["x" * 300, "a\tb", "[", "[1.2.3", "[IPv6:", "]", "[::1", "-", "()", "x<y>z", "a%nb", "\x7f", "$(id)"])
def test_any_hello_is_data(suite, helo):
    with suite.raw() as c:
        c.reply()
        assert c.ask(f"EHLO {helo}\r\n")[:3] in ("250", "501")
        assert c.ask("EHLO good.example\r\n").startswith("250")


def test_a_hello_cannot_forge_the_trace(suite):
    with suite.raw() as c:
        c.reply()
        c.ask("EHLO x)\x0b(y\r\n")
        c.ask("MAIL FROM:<a@b.example>\r\n")
        c.ask("RCPT TO:<user3@example.test>\r\n")
        c.ask("DATA\r\n")
        assert c.ask("Subject: x\r\n\r\nmark-forge\r\n.\r\n").startswith("250")
    found = until(lambda: [m for m in suite.messages("user3") if b"mark-forge" in m], "the message")
    assert b"x)" not in found[0] and b"\x0b" not in found[0]


def test_vrfy_tells_nothing(suite):
    with hello(suite) as c:
        assert len({c.ask(f"VRFY {name}\r\n") for name in ("user1", "nobody", "user1@example.test", "x@elsewhere.example")}) == 1


def test_elsewhere_is_refused_for_the_trusted_too_in_clear_words():
    with Suite(settings=["mynetworks=127.0.0.0/8"]) as suite:
        with hello(suite) as c:
            c.ask("MAIL FROM:<user1@example.test>\r\n")
            reply = c.ask("RCPT TO:<victim@elsewhere.example>\r\n")
            assert reply.startswith("5") and "elsewhere" in reply.lower()
        with hello(suite) as c:
            c.ask("AUTH PLAIN AHVzZXIxQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n")
            c.ask("MAIL FROM:<user1@example.test>\r\n")
            assert c.ask("RCPT TO:<victim@elsewhere.example>\r\n")[0] == "5"
            assert c.ask("RCPT TO:<user2@example.test>\r\n")[0] == "2"
