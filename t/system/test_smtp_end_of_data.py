"""End of data is CRLF.CRLF and nothing else (HOSTILE 1, 2): whatever looks like it is one message or one refusal, and what
follows it never runs as commands."""
import itertools

import pytest

from suite import Suite

HDR = b"Subject: smuggle\r\nFrom: <a@b.example>\r\n\r\nbody"
TAIL = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<user2@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nmark-evil\r\n.\r\n"
LINE_ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\0\n", b"\r\n\0", b"\0", b"\r\r", b"\n\n", b"\x85", b"\x0b"]
ALMOST = [a + b"." + b for a, b in itertools.product(LINE_ENDS, repeat=2) if (a, b) != (b"\r\n", b"\r\n")]
ALMOST += [b"\r\n." + x + b"\r\n" for x in (b"\0", b"\r", b" ", b"\t", b".", b"\x80")]
ALMOST += [b"\r\n" + x + b".\r\n" for x in (b"\0", b" ", b"\t", b"\r", b"\xc2\xa0")]
# Behind these the true end may be met by the tail's own dot: LF CR LF . CR LF has CRLF . CRLF in it.
ALMOST = [s for s in ALMOST if b"\r\n.\r\n" not in s]


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "smtpd_forbid_bare_newline=reject"]) as s:
        yield s


def begin(c):
    c.reply()
    for line in ("EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<user1@example.test>", "DATA"):
        assert c.ask(line + "\r\n")[0] in "23"
    return c


def is_clean(sent):
    return b"\0" not in sent and b"\r" not in sent.replace(b"\r\n", b"") and b"\n" not in sent.replace(b"\r\n", b"")


@pytest.mark.parametrize("almost", ALMOST, ids=repr)
def test_what_is_almost_the_end(suite, almost):
    with begin(suite.raw()) as c:
        # Up to the dot of the tail all is content of the one message.
        c.say(HDR + almost + TAIL)
        reply = c.reply()
        assert reply.startswith("250 2.0.0" if is_clean(almost) else "550 5.5.2")
        c.say("NOOP mark\r\nQUIT\r\n")
        assert c.rest().split(b"\r\n")[:2] == [b"250 2.0.0 Ok", b"221 2.0.0 Bye"]


def test_nothing_was_smuggled(suite):
    """Runs behind the others in this file: user2 got nothing from any of them."""
    suite.send("Subject: x\r\n\r\nmark-last\r\n", to="user2@example.test")
    suite.wait_messages(1, "user2")
    suite.wait_queue_empty()
    assert len(suite.messages("user2")) == 1
    assert "evil@evil.example" not in suite.log()
    kept = [m for m in suite.messages() if b"mark-evil" in m]
    assert len(kept) == sum(map(is_clean, ALMOST))
    for m in kept:
        assert b"MAIL FROM:<evil@evil.example>" in m


@pytest.mark.parametrize("almost", [b"\r\n.\r", b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r\r\n.\r\r\n"], ids=repr)
def test_split_at_every_byte(suite, almost):
    """In one session: each split is one more transaction."""
    body = HDR + almost + b"x\r\n.\r\n"
    want = "250" if is_clean(almost + b"x") else "550 5.5.2"
    with begin(suite.raw()) as c:
        c.socket.setsockopt(6, 1, 1)
        for at in range(len(HDR), len(body)):
            c.say(body[:at])
            suite.raw().close()  # something else happens in between: the first half is read by itself
            c.say(body[at:])
            assert c.reply().startswith(want), at
            c.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n")
            assert [c.reply()[:3] for _ in range(3)] == ["250", "250", "354"]


def test_split_at_every_byte_over_tls_records(suite):
    body = HDR + b"\r\n..\r\n.x\r\n.\r\n"
    with suite.raw() as c:
        c.reply()
        c.ask("EHLO c.example\r\n")
        c.starttls(suite.tls_context())
        c.ask("EHLO c.example\r\n")
        for at in range(1, len(body)):
            c.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<user3@example.test>\r\nDATA\r\n")
            assert [c.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
            c.say(body[:at])
            c.say(body[at:])
            assert c.reply().startswith("250 2.0.0"), at
    messages = suite.wait_messages(len(body) - 1, "user3")
    assert len(messages) == len(body) - 1
    for m in messages:
        assert m.replace(b"\r\n", b"\n").endswith(b"\nbody\n.\nx\n")


@pytest.mark.parametrize("length", [997, 998, 999, 2045, 2046, 2047, 2048, 2049, 65533, 65534, 65535, 65536, 131072])
def test_a_long_line_right_before_the_end(suite, length):
    with begin(suite.raw()) as c:
        c.say(b"Subject: x\r\n\r\n" + b"y" * length + b"\r\n.\r\nNOOP\r\n")
        assert c.reply().startswith("250 2.0.0 Ok: queued")
        assert c.reply() == "250 2.0.0 Ok"


def test_normalizing_for_those_who_are_listed():
    with Suite(settings=["smtpd_forbid_bare_newline=reject", "smtpd_forbid_bare_newline_exclusions=127.0.0.1"]) as suite:
        with begin(suite.raw()) as c:
            assert c.ask(HDR + b"\nbare\n.\nstill\rcr\r\n\n.\r\nend\r\n.\r\n").startswith("250")
            assert c.ask("NOOP\r\n") == "250 2.0.0 Ok"
        m = suite.wait_messages(1)[0].replace(b"\r\n", b"\n")
        assert m.endswith(b"body\nbare\n.\nstill\ncr\n\n.\nend\n") or m.endswith(b"body\nbare\n.\nstill\ncr\n\n\n.\nend\n"), m
        with begin(suite.raw()) as c:
            assert c.ask(b"Subject: \0\r\n\r\n.\r\n").startswith("550 5.5.2")


@pytest.mark.parametrize("how,want", [("normalize", b"body\r\nbare\r\n.\r\nend\r\n"), ("no", b"body\nbare\n.\nend\r\n")])
def test_other_ways_with_bare_line_ends(how, want):
    with Suite(settings=[f"smtpd_forbid_bare_newline={how}"]) as suite:
        with begin(suite.raw()) as c:
            assert c.ask(HDR + b"\nbare\n.\nend\r\n.\r\n").startswith("250")
        suite.wait_messages(1)
        suite.wait_queue_empty()
        assert want.replace(b"\r\n", b"\n") in suite.messages()[0]
