"""SMTP as a client sees it: verbs, sequences, refusals, pipelining, size, 8-bit content; through smtplib, swaks and raw sockets."""
import re
import subprocess

import pytest

from suite import Suite
from waiting import until

BODY = b"Subject: hello\r\nFrom: <a@b.example>\r\n\r\nline\r\n"
ENHANCED = re.compile(r"^[245]\d\d ([245])\.\d{1,3}\.\d{1,3} ")


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000"]) as s:
        yield s


@pytest.fixture
def raw(suite):
    with suite.raw() as c:
        assert c.reply().startswith("220 mail.example.test ESMTP")
        yield c


def greeted(c):
    assert c.ask("EHLO client.example\r\n").startswith("250")
    return c


def transaction(c, to="user1@example.test", sender="a@b.example"):
    assert c.ask(f"MAIL FROM:<{sender}>\r\n").startswith("250 2.1.0")
    assert c.ask(f"RCPT TO:<{to}>\r\n").startswith("250 2.1.5")
    assert c.ask("DATA\r\n").startswith("354 ")
    return c


def arrived(suite, mark, user="user1"):
    """The one message that has this mark."""
    found = until(lambda: [m for m in suite.messages(user) if mark in m], f"message with {mark!r}")
    assert len(found) == 1
    return found[0]


# ---- greeting ----

def test_ehlo_lists_what_is_there(suite):
    with suite.smtp() as c:
        assert c.ehlo()[0] == 250
        assert set(c.esmtp_features) == {"pipelining", "size", "vrfy", "starttls", "auth", "8bitmime", "enhancedstatuscodes",
                                           "dsn", "xverp"}
        assert c.esmtp_features["size"] == "10240000"
        assert c.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]


def test_helo_offers_nothing(raw):
    assert raw.ask("HELO client.example\r\n") == "250 mail.example.test"
    assert raw.ask("MAIL FROM:<a@b.example> SIZE=10\r\n").startswith("555 5.5.4")


def test_verbs_and_arguments_in_any_case(raw):
    assert raw.ask("eHlO client.example\r\n").startswith("250")
    assert raw.ask("mAiL fRoM:<a@b.example>  size=100 body=8bitmime\r\n").startswith("250 2.1.0")
    assert raw.ask("rcpt to: <user1@example.test>\r\n").startswith("250 2.1.5")
    assert raw.ask("rset\r\n").startswith("250 2.0.0")
    assert raw.ask("quit\r\n").startswith("221 2.0.0")
    assert raw.rest() == b""


# ---- refusals ----

BEFORE_HELLO = [
    ("MAIL FROM:<a@b.example>", "503 5.5.1"), ("RCPT TO:<a@b.example>", "503 5.5.1"), ("DATA", "503 5.5.1"),
    ("AUTH PLAIN AGEAYg==", "503 5.5.1"), ("NOOP", "250 2.0.0"), ("RSET", "250 2.0.0"), ("HELP", "214 2.0.0"),
]
ANY_TIME = [
    ("", "500 5.5.2"), ("BOGUS", "500 5.5.2"), ("MAILFROM:<a@b.example>", "500 5.5.2"), ("EXPN list", "500 5.5.2"),
    ("ETRN x", "500 5.5.2"), ("TURN", "500 5.5.2"), ("DEBUG", "500 5.5.2"), ("BDAT10 LAST", "500 5.5.2"),
    ("EHLO", "501 5.5.4"), ("HELO", "501 5.5.4"), ("EHLO two words", "501 5.5.4"), ("QUIT now", "501 5.5.4"),
    ("DATA now", "50"), ("RSET now", "501 5.5.4"), ("STARTTLS now", "501 5.5.4"), ("VRFY", "501 5.5.4"),
    ("NOOP anything", "250 2.0.0"), ("HELP me", "214 2.0.0"), ("VRFY user1@example.test", "252 2.0.0"),
    ("VRFY nobody@example.test", "252 2.0.0"), ("AUTH", "501 5.5.4"), ("AUTH CRAM-MD5", "504 5.5.4"),
]
AT_MAIL = [
    ("MAIL FROM:a@b.example", "501"), ("MAIL FROM:", "501"), ("MAIL FROM:<a@b.example", "501"),
    ("MAIL FROM:<a@b.example>x", "501"), ("MAIL FROM:<a b@c.example>", "501"), ("MAIL FROM:<@>", "501"),
    ("MAIL FROM:<a@>", "501"), ("MAIL FROM:<a@b..example>", "501"), ("MAIL FROM:<\"@b.example>", "501"),
    ("MAIL FROM:<a@b.example> SIZE=x", "501 5.5.4"), ("MAIL FROM:<a@b.example> SIZE=", "501 5.5.4"),
    ("MAIL FROM:<a@b.example> SIZE=" + "9" * 30, "501 5.5.4"), ("MAIL FROM:<a@b.example> SIZE=1 SIZE=2", "501 5.5.4"),
    ("MAIL FROM:<a@b.example> BODY=9BIT", "501 5.5.4"), ("MAIL FROM:<a@b.example> BODY", "501 5.5.4"),
    ("MAIL FROM:<a@b.example> SIZE=-1", "501 5.5.4"), ("MAIL FROM:<a@b.example> AUTH=+", "501 5.5.4"),
    ("MAIL FROM:<a@b.example> AUTH=+0D+0A", "501 5.5.4"), ("MAIL FROM:<a@b.example> NOTIFY=NEVER", "555 5.5.4"),
    ("MAIL FROM:<a@b.example> SMTPUTF8", "555 5.5.4"), ("MAIL FROM:<a@b.example> FOO=BAR", "555 5.5.4"),
    ("MAIL FROM:<\u00e4@b.example>", "553 5.6.7"), ("MAIL FROM:<a@b.example> SIZE=99999999", "552 5.3.4"),
    ("DATA", "503 5.5.1"), ("RCPT TO:<user1@example.test>", "503 5.5.1"),
]
AT_RCPT = [
    ("RCPT TO:<>", "501 5.1.3"), ("RCPT TO:<@>", "501 5.1.3"), ("RCPT TO:<a@>", "501 5.1.3"),
    ("RCPT TO:user1@example.test", "501"), ("RCPT TO:<user1@example.test", "501"), ("RCPT TO:<a\tb@example.test>", "501"),
    ("RCPT TO:<\"\"@example.test>", "5"), ("RCPT TO:<user1@example.test> ENVID=x", "555 5.5.4"),
    ("RCPT TO:<nobody@example.test>", "550 5.1.1"), ("RCPT TO:<user1@elsewhere.example>", "5"),
    ("RCPT TO:<nobody@localhost>", "550 5.1.1"), ("MAIL FROM:<c@d.example>", "503 5.5.1"),
    ("RCPT TO:<\u00fc@example.test>", "553 5.6.7"), ("STARTTLS", "503 5.5.1"), ("AUTH PLAIN", "503 5.5.1"),
    ("DATA", "554 5.5.1"),
]


@pytest.mark.parametrize("line,want", BEFORE_HELLO)
def test_before_hello(raw, line, want):
    assert raw.ask(line + "\r\n").startswith(want)


@pytest.mark.parametrize("line,want", ANY_TIME)
def test_in_any_phase(raw, line, want):
    greeted(raw)
    first = raw.ask(line + "\r\n")
    assert first.startswith(want)
    assert ENHANCED.match(first) and ENHANCED.match(first).group(1) == first[0]
    assert raw.ask("NOOP\r\n").startswith("250")


@pytest.mark.parametrize("line,want", AT_MAIL)
def test_at_mail(raw, line, want):
    greeted(raw)
    reply = raw.ask(line + "\r\n")
    assert reply.startswith(want) and ENHANCED.match(reply)
    transaction(raw)
    assert raw.ask(b"Subject: x\r\n\r\n.\r\n").startswith("250 2.0.0 Ok: queued as ")


@pytest.mark.parametrize("line,want", AT_RCPT)
def test_at_rcpt(raw, line, want):
    greeted(raw)
    assert raw.ask("MAIL FROM:<a@b.example>\r\n").startswith("250 2.1.0")
    reply = raw.ask(line + "\r\n")
    assert reply.startswith(want) and ENHANCED.match(reply)
    assert raw.ask("RCPT TO:<user1@example.test>\r\n").startswith("250 2.1.5")


def test_no_recipient_was_good(raw):
    greeted(raw)
    raw.ask("MAIL FROM:<a@b.example>\r\n")
    assert raw.ask("RCPT TO:<nobody@example.test>\r\n").startswith("550 5.1.1")
    assert raw.ask("DATA\r\n").startswith("554 5.5.1")
    assert raw.ask("RSET\r\n").startswith("250")
    transaction(raw)


def test_each_of_the_hellos_and_rset_forgets_the_transaction(raw):
    greeted(raw)
    for word in ("EHLO client.example", "HELO client.example", "RSET"):
        assert raw.ask("MAIL FROM:<a@b.example>\r\n").startswith("250")
        assert raw.ask("RCPT TO:<user1@example.test>\r\n").startswith("250")
        assert raw.ask(word + "\r\n").startswith("250")
        assert raw.ask("DATA\r\n").startswith("503 5.5.1")


# ---- content ----

def test_a_message_is_delivered_with_its_trace(suite, raw):
    greeted(raw)
    transaction(raw)
    reply = raw.ask(BODY + b"mark-trace\r\n.\r\n")
    queue_id = reply.split()[-1]
    message = arrived(suite, b"mark-trace")
    head = message.split(b"\n\n")[0].decode()
    assert re.search(r"(?m)^Return-Path: <a@b\.example>$", head)
    assert re.search(r"(?m)^Delivered-To: user1@example\.test$", head)
    head = re.sub(r"\n[ \t]+", " ", head)
    assert re.search(rf"(?m)^Received: from client\.example \(.*\[127\.0\.0\.1\]\) by mail\.example\.test .*with ESMTP "
                     rf"id {queue_id} for <user1@example\.test>; .* [+-]\d{{4}}", head), head
    assert message.replace(b"\r\n", b"\n").endswith(BODY.replace(b"\r\n", b"\n") + b"mark-trace\n")


def test_dots_long_lines_and_no_header(suite, raw):
    greeted(raw)
    lines = [b"mark-dots", b"..", b"...", b"..x", b"x.", b"", b". ", b"\t.", b"y" * 998, b"z" * 5000, b"a" * 100000]
    sent = b"".join((b"." + x if x.startswith(b".") and not x.startswith(b"..") else x) + b"\r\n" for x in lines)
    transaction(raw)
    assert raw.ask(sent + b".\r\n").startswith("250")
    got = arrived(suite, b"mark-dots").replace(b"\r\n", b"\n")
    want = b"".join((x[1:] if x.startswith(b"..") else x) + b"\n" for x in lines)
    assert got.endswith(want)


def test_an_empty_message(suite, raw):
    greeted(raw)
    before = len(suite.messages("user3"))
    transaction(raw, to="user3@example.test")
    assert raw.ask(b".\r\n").startswith("250")
    until(lambda: len(suite.messages("user3")) == before + 1, "the empty message")


def test_eight_bit_content_is_kept_byte_for_byte(suite, raw):
    every = bytes(b for b in range(1, 256) if b not in (10, 13))
    body = b"Subject: 8bit\r\n\r\nmark-8bit\r\n" + b"x" + every + b"\r\n" + b"\xff\xfe\x80\r\n"
    greeted(raw)
    assert raw.ask("MAIL FROM:<a@b.example> BODY=8BITMIME\r\n").startswith("250")
    raw.ask("RCPT TO:<user1@example.test>\r\n")
    raw.ask("DATA\r\n")
    assert raw.ask(body + b".\r\n").startswith("250")
    assert arrived(suite, b"mark-8bit").replace(b"\r\n", b"\n").endswith(body.replace(b"\r\n", b"\n"))


def test_one_message_for_three_users(suite):
    with suite.smtp() as c:
        to = [f"user{n}@example.test" for n in (1, 2, 3)]
        assert c.sendmail("a@b.example", to + ["USER2@Example.TEST"], b"Subject: x\r\n\r\nmark-three\r\n") == {}
    for n in (1, 2, 3):
        assert f"Delivered-To: user{n}@example.test".encode() in arrived(suite, b"mark-three", f"user{n}")
    suite.wait_queue_empty()


def test_the_null_sender(suite, raw):
    greeted(raw)
    transaction(raw, sender="")
    assert raw.ask(b"Subject: x\r\n\r\nmark-null\r\n.\r\n").startswith("250")
    assert b"Return-Path: <>\n" in arrived(suite, b"mark-null").replace(b"\r\n", b"\n")


def test_many_messages_in_one_session(suite, raw):
    greeted(raw)
    for n in range(20):
        transaction(raw, to="user2@example.test")
        assert raw.ask(b"Subject: x\r\n\r\nmark-many-%d.\r\n.\r\n" % n).startswith("250")
    for n in range(20):
        arrived(suite, b"mark-many-%d." % n, "user2")


def test_a_client_that_leaves_within_its_message_leaves_nothing(suite):
    for cut in (b"", b"Subject: x\r\n", b"Subject: x\r\n\r\nmark-cut\r\n", b"Subject: x\r\n\r\nmark-cut\r\n.", b"mark-cut\r\n.\r"):
        with suite.raw() as c:
            c.reply()
            transaction(greeted(c))
            c.say(cut)
    suite.wait_queue_empty()
    suite.send("Subject: x\r\n\r\nmark-after-cut\r\n")
    arrived(suite, b"mark-after-cut")
    assert not [m for m in suite.messages() if b"mark-cut" in m]


# ---- pipelining ----

def pipelined(mark):
    return (b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user3@example.test>\r\n"
            b"RCPT TO:<nobody@example.test>\r\nDATA\r\nSubject: x\r\n\r\n" + mark + b"\r\n..\r\n.\r\nNOOP\r\nQUIT\r\n")


def replies_of(c):
    """Codes of all replies up to the end; lines that are continued count once."""
    return [line[:3] for line in c.rest().split(b"\r\n") if line[3:4] == b" "]


WANTED = [b"220", b"250", b"250", b"250", b"550", b"354", b"250", b"250", b"221"]


def test_a_whole_session_in_one_write(suite):
    with suite.raw() as c:
        c.say(pipelined(b"mark-whole"))
        assert replies_of(c) == WANTED
    arrived(suite, b"mark-whole", "user3")


def test_a_session_split_at_every_byte(suite):
    """Each of these sessions has its bytes sent in two writes; a reply in between proves that the first half was read."""
    whole = pipelined(b"mark-split")
    before = len([m for m in suite.messages("user3") if b"mark-split" in m])
    for at in range(1, len(whole)):
        with suite.raw() as c:
            c.socket.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
            c.say(whole[:at])
            first = c.line()
            c.bytes = first + c.bytes
            c.say(whole[at:])
            assert replies_of(c) == WANTED, at
    suite.wait_queue_empty()
    assert len([m for m in suite.messages("user3") if b"mark-split" in m]) == before + len(whole) - 1


def test_a_session_byte_by_byte(suite):
    with suite.raw() as c:
        c.socket.setsockopt(6, 1, 1)
        for byte in pipelined(b"mark-bytes"):
            c.say(bytes([byte]))
        assert replies_of(c) == WANTED
    arrived(suite, b"mark-bytes", "user3")


# ---- size ----

def test_size_declared_and_real():
    with Suite(settings=["message_size_limit=2000"]) as suite:
        with suite.raw() as c:
            c.reply()
            greeted(c)
            for size, want in ((1999, "250 2.1.0"), (2000, "250 2.1.0"), (2001, "552 5.3.4")):
                assert c.ask(f"MAIL FROM:<a@b.example> SIZE={size}\r\n").startswith(want)
                c.ask("RSET\r\n")
            for size, want in ((1999, "250 2.0.0"), (2000, "250 2.0.0"), (2001, "552 5.3.4"), (500000, "552 5.3.4")):
                transaction(c)
                body = b"Subject: %05d\r\n\r\n" % size
                body += b"." + b"x" * (size - len(body) - 2) + b"\r\n"  # the dot is no part of the message
                assert c.ask(body + b".\r\n").startswith(want), size
                assert c.ask("NOOP\r\n").startswith("250")
        suite.wait_messages(2)
        suite.wait_queue_empty()
        assert len(suite.messages()) == 2


# ---- clients that nobody here wrote ----

def test_swaks(suite):
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{suite.smtp_port}", "--from", "a@b.example", "--to",
                           "user1@example.test", "--body", "mark-swaks", "--helo", "client.example", "--pipeline"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    arrived(suite, b"mark-swaks")


def test_swaks_with_tls_and_login(suite):
    for port, how in ((suite.submission_port, "--tls"), (suite.submissions_port, "--tls-on-connect")):
        for mechanism in ("PLAIN", "LOGIN"):
            mark = f"mark-{how.strip('-')}-{mechanism}"
            done = subprocess.run(["swaks", "--server", f"127.0.0.1:{port}", how, "--auth", mechanism, "--auth-user",
                                   "user1@example.test", "--auth-password", "secret", "--from", "user1@example.test",
                                   "--to", "user2@example.test", "--body", mark], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout
            head = arrived(suite, mark.encode() + b"\n" if how == "--tls" else mark.encode(), "user2")
            assert re.search(rb"with ESMTPSA\s+id", head)


def test_sessions_side_by_side(suite):
    clients = [suite.raw() for _ in range(100)]
    for c in clients:
        assert c.reply().startswith("220")
    for n, c in enumerate(clients):
        greeted(c)
        transaction(c, to=f"user{n % 3 + 1}@example.test")
    for n, c in enumerate(clients):
        c.say(b"Subject: x\r\n\r\nmark-side-%d.\r\n.\r\n" % n)
    for c in clients:
        assert c.reply().startswith("250")
        c.close()
    suite.wait_queue_empty()
    for n in range(100):
        arrived(suite, b"mark-side-%d." % n, f"user{n % 3 + 1}")
