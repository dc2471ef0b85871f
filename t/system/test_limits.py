"""Limits of an SMTP session at limit - 1, limit and limit + 1 (HOSTILE 5, 12, 17): lines, recipients, errors, junk, time, memory."""
import os
import socket
import struct
import time

import pytest

from smtp_steps import arrived, envelope, hello, marked, send
from suite import Suite
from waiting import until


@pytest.fixture(scope="module")
def suite():
    """The limits as documented, without waiting."""
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_soft_error_limit=10"]) as s:
        yield s


def is_closed(c):
    return c.rest() == b""


# ---- lines ----

@pytest.mark.parametrize("length,want", [(2047, "250"), (2048, "250"), (2049, "500 5.5.2"), (4096, "500"),
                                         (65535, "500"), (65536, "500"), (65537, "500")])
def test_a_command_line(suite, length, want):
    with hello(suite) as c:
        assert c.ask("NOOP " + "x" * (length - 7) + "\r\n").startswith(want)
        assert c.ask("NOOP\r\n").startswith("250")


def test_a_megabyte_without_an_end(suite):
    with hello(suite) as c:
        for _ in range(16):
            c.say(b"x" * 65536)
        c.say(b"\r\nNOOP\r\n")
        assert c.reply().startswith("500 5.5.2")
        assert c.reply().startswith("250 2.0.0")
        assert send(c, "mark-after-megabyte").startswith("250")
    arrived(suite, "mark-after-megabyte")


def test_a_long_line_split_anywhere(suite):
    line = b"NOOP " + b"x" * 2045 + b"\r\n"
    with hello(suite) as c:
        c.socket.setsockopt(6, 1, 1)
        for at in (1, 5, 2046, 2047, 2048, 2049, 2050, 2051, 2052):
            c.say(line[:at])
            suite.raw().close()
            c.say(line[at:])
            assert c.reply().startswith("500 5.5.2"), at


@pytest.mark.parametrize("line", [
    b"NOOP\n", b"NO\rOP\r\n", b"NO\0OP\r\n", b"\rNOOP\r\n", b"NOOP\r\r\n", b"MAIL FROM:<a\0@b>\r\n",
    b"\0\r\n", b"QUIT\nQUIT\r\n"], ids=repr)
def test_lines_that_are_not_clean(suite, line):
    with hello(suite) as c:
        c.say(line + (b"" if line.endswith(b"\r\n") else b"\r\n"))
        assert c.reply().startswith("500 5.5.2")
        assert c.ask("NOOP\r\n").startswith("250")


@pytest.mark.parametrize("helo", [255, 256, 1000, 2042, 9000])
def test_a_long_helo(suite, helo):
    with suite.raw() as c:
        c.reply()
        assert c.ask("EHLO " + "x" * helo + "\r\n")[:3] in ("250", "500", "501")
        assert c.ask("EHLO y\r\n").startswith("250")


def test_commands_before_the_banner(suite):
    with suite.raw() as c:
        c.say(b"EHLO client.example\r\nNOOP\r\nQUIT\r\n")
        assert [c.reply()[:3] for _ in range(4)] == ["220", "250", "250", "221"]


@pytest.mark.parametrize("verb", [
    "GET / HTTP/1.1", "POST /x HTTP/1.0", "PUT / HTTP/1.1", "HEAD / HTTP/1.1", "CONNECT x:25 HTTP/1.1", "OPTIONS * HTTP/1.1", "get /"])
def test_a_browser_is_dropped_without_a_word(suite, verb):
    with suite.raw() as c:
        c.reply()
        c.say(f"{verb}\r\nHost: x\r\n\r\nMAIL FROM:<evil@x>\r\n")
        assert is_closed(c)
    suite.wait_log("not-smtp")


# ---- counts ----

def test_a_thousand_recipients(suite):
    with hello(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        c.say("".join("RCPT TO:<user1@example.test>\r\n" for _ in range(999)))
        assert all(c.reply().startswith("250 2.1.5") for _ in range(999))
        assert c.ask("RCPT TO:<user2@example.test>\r\n").startswith("250")  # the thousandth
        for _ in range(30):  # these are no errors of the client, who has to try them again
            assert c.ask("RCPT TO:<user3@example.test>\r\n").startswith("452 4.5.3")
        c.ask("DATA\r\n")
        assert c.ask("Subject: x\r\n\r\nmark-thousand\r\n.\r\n").startswith("250")
    suite.wait_queue_empty()
    assert [len(marked(suite, "mark-thousand", f"user{n}")) for n in (1, 2, 3)] == [1, 1, 0]


def test_twenty_errors_end_the_session(suite):
    with hello(suite) as c:
        for _ in range(19):
            assert c.ask("BOGUS\r\n").startswith("500")
        assert c.ask("NOOP\r\n").startswith("250")
        assert c.ask("BOGUS\r\n").startswith("500")
        assert c.reply().startswith("421 4.7.0")
        assert is_closed(c)


def test_errors_in_one_write_run_nothing_behind_the_end(suite):
    with hello(suite) as c:
        c.say("BOGUS\r\n" * 25 + "MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\n"
              "DATA\r\nSubject: x\r\n\r\nmark-behind\r\n.\r\n")
        rest = c.rest().split(b"\r\n")
        assert [line[:3] for line in rest[:21]] == [b"500"] * 20 + [b"421"] and rest[21:] == [b""]
    suite.wait_queue_empty()
    assert not marked(suite, "mark-behind")


@pytest.mark.parametrize("verb", ["NOOP", "RSET", "VRFY x", "HELP"])
def test_a_hundred_useless_commands(suite, verb):
    with hello(suite) as c:
        for n in range(100):
            assert c.ask(verb + "\r\n")[0] == "2", n
        assert c.ask(verb + "\r\n").startswith("421 4.7.0")
        assert is_closed(c)


def test_a_message_makes_useless_commands_good(suite):
    with hello(suite) as c:
        for _ in range(3):
            for _ in range(60):
                assert c.ask("NOOP\r\n").startswith("250")
            assert send(c, "mark-junk", to="user3@example.test").startswith("250")


def test_fifty_hops_are_the_limit(suite):
    with hello(suite) as c:
        for hops, want in ((49, "250"), (50, "250"), (51, "550 5.4.6"), (500, "550 5.4.6")):
            head = "".join(f"Received: from h{n}\r\n\tby x; Tue, 1 Jan 2030 00:00:00 +0000\r\n" for n in range(hops))
            assert send(c, f"mark-hops-{hops}.", head=head + "Subject: x\r\n").startswith(want), hops


def test_what_was_sent_to_the_same_user_before_is_a_loop(suite):
    with hello(suite) as c:
        reply = send(c, "mark-own-delivered", head="Delivered-To: user1@example.test\r\nSubject: x\r\n")
    assert reply.startswith("250")
    suite.wait_queue_empty()
    queue_id = reply.split()[-1]
    assert not marked(suite, "mark-own-delivered") or queue_id not in suite.postrider("queue", "list").stdout


# ---- time ----

@pytest.fixture(scope="module")
def hasty():
    with Suite(settings=["smtpd_timeout=1s", "smtpd_session_time_limit=3s", "smtpd_starttls_timeout=1s", "smtpd_error_sleep_time=1s",
                         "smtpd_soft_error_limit=1"]) as s:
        yield s


def test_a_silent_client_is_sent_away(hasty):
    for said in ("", "EHLO x.example\r\n",
                 "EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\nSubject: x\r\n"):
        with hasty.raw() as c:
            c.say(said)
            assert b"421 4.4.2" in c.rest().split(b"\r\n")[-2]
    hasty.wait_queue_empty()


def test_a_silent_handshake_ends(hasty):
    with hello(hasty) as c:
        assert c.ask("STARTTLS\r\n").startswith("220")
        c.rest()
    with hasty.raw(hasty.submissions_port) as c:
        c.rest()


def test_a_client_that_drips_is_sent_away_in_the_end(hasty):
    began = time.monotonic()
    with hello(hasty) as c:
        c.socket.settimeout(0.2)
        data = b""
        while time.monotonic() - began < 30:
            try:
                c.say("N")
                more = c.socket.recv(1000)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            data += more
            if not more:
                break
    assert b"421 4.4.2" in data
    assert time.monotonic() - began < 20


def test_errors_past_the_soft_limit_are_answered_late(hasty):
    with hello(hasty) as c:
        assert c.ask("BOGUS\r\n").startswith("500")
        began = time.monotonic()
        with hello(hasty) as other:  # while this one waits others are served
            c.say("BOGUS\r\nNOOP\r\n")
            assert other.ask("NOOP\r\n").startswith("250")
            assert time.monotonic() - began < 0.9
        assert c.reply().startswith("500")
        assert time.monotonic() - began >= 0.9
        assert c.reply().startswith("250")


def test_a_client_that_never_reads_does_not_stay(hasty):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", hasty.smtp_port))
    s.setblocking(False)
    sent = 0
    try:
        while sent < 20_000_000:
            sent += s.send(b"EHLO client.example\r\n" * 1000)
    except (BlockingIOError, ConnectionError):
        pass
    address = s.getsockname()[1]

    def is_gone():
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f]
        ours = f"0100007F:{hasty.smtp_port:04X}", f"0100007F:{address:04X}"
        return not any(tuple(row[1:3]) == ours and row[3] == "01" for row in rows[1:])
    until(is_gone, "the end of the connection")
    s.close()
    with hello(hasty) as c:
        assert envelope(c).startswith("250")


# ---- memory ----

def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(next(line.split()[1] for line in f if line.startswith("VmRSS")))


def test_a_session_stays_within_its_memory():
    with Suite(settings=["session_memory_limit=65536", "smtpd_recipient_limit=100000", "smtpd_error_sleep_time=0"]) as suite:
        pid = suite.processes("smtpd")[0]
        before = resident_kb(pid)
        with hello(suite) as c:
            c.ask("MAIL FROM:<a@b.example>\r\n")
            replies = []
            for _ in range(50):
                c.say("RCPT TO:<user1@example.test>\r\n" * 100)
                replies += [c.reply()[:9] for _ in range(100)]
            assert replies[0] == "250 2.1.5" and replies[-1] == "452 4.5.3"
            c.ask("DATA\r\n")
            assert c.ask("Subject: x\r\n\r\nmark-memory\r\n.\r\n").startswith("250")
        with hello(suite) as c:
            last = ""
            for n in range(1000):
                last = c.ask(f"EHLO {'x' * 1900}\r\n")
                if not last.startswith("250"):
                    break
            assert last.startswith("421 4.3.0")
            assert is_closed(c)
        assert resident_kb(pid) - before < 30000  # the sanitizer's own included
        arrived(suite, "mark-memory")


# ---- connections ----

def test_connections_of_one_client():
    with Suite(settings=["smtpd_client_connection_count_limit=5", "smtpd_client_event_limit_exceptions=",
                         "mynetworks=192.0.2.1/32"]) as suite:
        open_now = [hello(suite, source="127.0.0.2") for _ in range(5)]
        with suite.raw(source="127.0.0.2") as c:
            assert c.reply().startswith("421 4.7.0")
        with hello(suite, source="127.0.0.3"):
            pass
        open_now.pop().close()

        def is_let_in():
            with suite.raw(source="127.0.0.2") as c:
                return c.reply().startswith("220")
        until(is_let_in, "room again")
        for c in open_now:
            c.close()


def test_too_many_sessions_of_all():
    with Suite(settings=["smtpd_session_limit=10"]) as suite:
        open_now = [hello(suite) for _ in range(10)]
        with suite.raw() as c:
            assert c.reply().startswith("421 4.3.2")
        for c in open_now:
            c.close()
        until(lambda: hello_or_none(suite), "room again")


def hello_or_none(suite):
    with suite.raw() as c:
        return c.reply().startswith("220")


def test_connect_and_reset_two_thousand_times(suite):
    pid = suite.processes("smtpd")[0]
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(2000):
        s = socket.create_connection(("127.0.0.1", suite.smtp_port))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    began = time.monotonic()
    with hello(suite) as c:
        assert envelope(c).startswith("250")
    assert time.monotonic() - began < 5
    until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before + 2, "descriptors to be given back")
