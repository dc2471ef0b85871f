"""What HOSTILE.md has of classes 1 to 5 and 10 to 17 and the other files here have not: content from sendmail, BDAT, parameters,
the time of an answer, loops, and the same tricks by LMTP."""
import itertools
import statistics
import subprocess
import time

import pytest

from smtp_steps import arrived, hello, marked, send
from suite import Suite


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "smtpd_junk_command_limit=100000"]) as s:
        yield s


def lmtp(suite):
    c = suite.raw(suite.lmtp_port)
    c.reply()
    assert c.ask("LHLO client.example\r\n").startswith("250")
    return c


def begin(c, *to):
    c.say("MAIL FROM:<a@b.example>\r\n" + "".join(f"RCPT TO:<{name}>\r\n" for name in to) + "DATA\r\n")
    assert [c.reply()[:3] for _ in range(len(to) + 2)] == ["250"] * (len(to) + 1) + ["354"]


# ---- framing (1, 3) ----

def lines_of(text):
    """Each kind of line end is one."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@pytest.mark.parametrize("how", ["by option", "by smtp"])
def test_every_mix_of_line_ends_and_dots_from_a_local_program(suite, how):
    """Between marks, all words of five of these; what arrives has no bare CR or LF, no dot less and none more."""
    words = [b"".join(w) for n in range(1, 6) for w in itertools.product([b"\r", b"\n", b".", b"x"], repeat=n)]
    mark = f"mark-mix-{how.replace(' ', '-')}."
    body = b"".join(b"[%d\n%s\n%d]\n" % (n, w, n) for n, w in enumerate(words))
    program = [f"{suite.bin_dir}/sendmail", "-C", suite.config_dir]
    if how == "by option":
        done = subprocess.run([*program, "-i", "user1@example.test"], input=f"Subject: {mark}\n\n".encode() + body, capture_output=True)
    else:
        stuffed = b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines_of(body).split(b"\n")[:-1])
        talk = b"HELO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n"
        done = subprocess.run([*program, "-bs"], input=talk + f"Subject: {mark}\r\n\r\n".encode() + stuffed + b".\r\nQUIT\r\n",
                              capture_output=True)
    assert done.returncode == 0, done.stderr
    got = arrived(suite, mark).replace(b"\r\n", b"\n")
    assert b"\r" not in got
    assert got.partition(b"\n\n")[2] == lines_of(body)


@pytest.mark.parametrize("almost", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r",
                                    b"\0.\r\n", b"\r\n.\0\r\n", b"\r\n\0.\r\n"], ids=repr)
def test_what_is_almost_the_end_by_lmtp(suite, almost):
    tail = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<user3@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nmark-evil\r\n.\r\n"
    with lmtp(suite) as c:
        begin(c, "user1@example.test", "user2@example.test")
        c.say(b"Subject: x\r\n\r\nbody" + almost + tail + b"NOOP\r\n")
        assert [c.reply()[:9] for _ in range(3)] == ["550 5.5.2", "550 5.5.2", "250 2.0.0"]
    assert not [m for n in (1, 2, 3) for m in marked(suite, "mark-evil", f"user{n}")]


def test_the_end_split_at_every_byte_by_lmtp(suite):
    body = b"Subject: x\r\n\r\nmark-split\r\n..\r\n.\r\n"
    with lmtp(suite) as c:
        c.socket.setsockopt(6, 1, 1)
        for at in range(1, len(body)):
            begin(c, "user1@example.test", "user2@example.test")
            c.say(body[:at])
            suite.raw().close()
            c.say(body[at:])
            assert [c.reply()[:9] for _ in range(2)] == ["250 2.1.5"] * 2, at
    assert len(marked(suite, "mark-split")) == len(body) - 1


# ---- BDAT (4) ----

@pytest.mark.parametrize("size", ["10", "10 LAST", "-1 LAST", "99999999999999999999999 LAST", "", "LAST", "0 LAST", "1 2", "x LAST",
                                  "10 LAST trailing"])
@pytest.mark.parametrize("where", ["hello", "recipient"])
@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_a_chunk_is_never_run(suite, size, where, protocol):
    """CHUNKING is not offered. What follows BDAT all the same may be content: the connection ends."""
    with hello(suite) if protocol == "smtp" else lmtp(suite) as c:
        if where == "recipient":
            c.ask("MAIL FROM:<a@b.example>\r\n")
            assert c.ask("RCPT TO:<user1@example.test>\r\n").startswith("250")
        c.say(f"BDAT {size}".strip() + "\r\nRSET\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<user2@example.test>\r\nDATA\r\n\r\nmark-chunk\r\n.\r\n")
        assert c.rest().startswith(b"500 5.5.2 ") and not c.rest()
    assert not marked(suite, "mark-chunk", "user2")


def test_chunking_is_not_offered(suite):
    with suite.raw() as c:
        c.reply()
        c.say("EHLO x.example\r\nQUIT\r\n")
        assert b"CHUNKING" not in c.rest() and b"BINARYMIME" not in c.rest()


# ---- parameters, addresses (11, 13) ----

@pytest.mark.parametrize("params", [
    "AUTH=+", "AUTH=+0", "AUTH=+0g", "AUTH=+0a", "AUTH=+0D+0A", "AUTH=a+b", "AUTH=", "AUTH", "AUTH=<> AUTH=<>", "AUTH=\x7f", "AUTH=\t",
    "BODY=8BITMIME BODY=8BITMIME", "BODY=BINARYMIME", "BODY==", "SIZE=+1", "SIZE=0x10", "SIZE=1.0", "SIZE=1 ,SIZE=2", "=", "=x",
    "SIZE=" + "0" * 30 + "1x", "\"unterminated", "SIZE=\"1\""])
def test_parameters_that_cannot_be(suite, params):
    with hello(suite) as c:
        assert c.ask(f"MAIL FROM:<a@b.example> {params}\r\n")[:3] in ("501", "555"), params
        assert send(c, "mark-parameters").startswith("250 2.0.0")


@pytest.mark.parametrize("path", ["<\"a@b.example>", "<a\\>", "<a@[1.2.3.4>", "<a@b.example>>", "<<a@b.example>",
                                  "<a@b.example> <c@d.example>",
                                  "<a@b.example\\>", "<@a,@b>", "<@a:>", "<a@b@c@d>", "<\"a\"b@c.example>", "<a@\"b\">"])
@pytest.mark.parametrize("verb", ["MAIL FROM", "RCPT TO"])
def test_paths_that_cannot_be(suite, path, verb):
    with hello(suite) as c:
        if verb == "RCPT TO":
            c.ask("MAIL FROM:<a@b.example>\r\n")
        assert c.ask(f"{verb}:{path}\r\n")[0] == "5"
        assert c.ask("RSET\r\n").startswith("250")


# ---- nothing is given away (15) ----

def times(c, lines, rounds):
    """The median of each line's answer, asked in turn."""
    taken = {line: [] for line in lines}
    for _ in range(rounds):
        for line in lines:
            began = time.perf_counter()
            c.ask(line + "\r\n")
            taken[line].append(time.perf_counter() - began)
    return [statistics.median(values) for values in taken.values()]


@pytest.mark.parametrize("verb", ["VRFY", "EXPN", "ETRN"])
def test_asking_for_a_name_takes_as_long_as_for_none(suite, verb):
    names = ["user1@example.test", "nobody@example.test", "root", "postmaster", "nobody@elsewhere.example"]
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100000", "smtpd_junk_command_limit=1000000"]) as quiet:
        with hello(quiet) as c:
            assert len({c.ask(f"{verb} {name}\r\n") for name in names}) == 1
            medians = times(c, [f"{verb} {name}" for name in names], 400)
    assert max(medians) - min(medians) < 0.001, medians


@pytest.mark.parametrize("line", ["TURN", "DEBUG", "WIZ", "XADR x", "SHOWQ", "ATRN example.test", "SEND FROM:<a@b>", "SAML FROM:<a@b>",
                                  "XCLIENT ADDR=127.0.0.1", "XFORWARD NAME=x", "HELP user1", "NOOP user1", "BURL imap://x"])
def test_old_verbs_tell_nothing(suite, line):
    with hello(suite) as c:
        first, second = c.ask(line + "\r\n"), c.ask(line.replace("user1", "nobody") + "\r\n")
        assert first == second and first[:3] in ("500", "214", "250")
        assert "user" not in first


def test_an_unknown_recipient_is_refused_while_the_client_is_there(suite):
    """So that nobody else hears of it: with a sender, with none, and in a message for others as well."""
    with hello(suite) as c:
        for sender in ("a@b.example", "", "user1@example.test"):
            assert c.ask(f"MAIL FROM:<{sender}>\r\n").startswith("250")
            assert c.ask("RCPT TO:<nobody@example.test>\r\n").startswith("550 5.1.1")
            assert c.ask("RCPT TO:<nobody@localhost>\r\n").startswith("550 5.1.1")
            assert c.ask("DATA\r\n").startswith("554 5.5.1")
            c.ask("RSET\r\n")
    suite.wait_queue_empty()
    assert not suite.queue_files()


# ---- loops (16) ----

@pytest.mark.parametrize("hops,want", [(49, "250 2.1.5"), (50, "250 2.1.5"), (51, "550 5.4.6"), (2000, "550 5.4.6")])
def test_hops_by_lmtp(suite, hops, want):
    with lmtp(suite) as c:
        begin(c, "user1@example.test", "user2@example.test")
        c.say("".join(f"Received: from h{n}\r\n\tby x\r\n" for n in range(hops)) + f"\r\nmark-hops-{hops}.\r\n.\r\n")
        assert [c.reply()[:9] for _ in range(2)] == [want] * 2
    assert len(marked(suite, f"mark-hops-{hops}.")) == (hops <= 50)


def test_hops_by_sendmail(suite):
    for hops in (50, 51):
        text = "".join(f"Received: from h{n}\n\tby x\n" for n in range(hops)) + f"Subject: x\n\nmark-local-hops-{hops}.\n"
        done = suite.command("sendmail", "user1@example.test", input=text)
        assert (done.returncode == 0) == (hops <= 50), done.stderr
    arrived(suite, "mark-local-hops-50.")
    suite.wait_queue_empty()
    assert not marked(suite, "mark-local-hops-51.")


# ---- limits (17) ----

def test_errors_end_a_session_of_lmtp_too():
    with Suite(settings=["smtpd_error_sleep_time=0"]) as suite:
        with lmtp(suite) as c:
            for _ in range(19):
                assert c.ask("EHLO x\r\n").startswith("500")
            assert c.ask("EHLO x\r\n").startswith("500")
            assert c.reply().startswith("421 4.7.0")
            assert c.rest() == b""
        with lmtp(suite) as c:  # answers of the end of data are no errors of the client's
            for _ in range(15):
                begin(c, "user1@example.test", "user2@example.test")
                c.say("Subject: x\r\n\r\nbare\n\r\n.\r\n")
                assert [c.reply()[:9] for _ in range(2)] == ["550 5.5.2"] * 2
            assert c.ask("NOOP\r\n").startswith("250")
