"""Letters to postmaster about SMTP sessions with errors (notify_classes): one for each class with the session's transcript, none by
default for what clients do wrong, never a password; and what becomes of them when bounce is away."""
import base64
import os
import re
import signal

import pytest

from smtp_steps import hello
from suite import Suite
from waiting import until

SETTINGS = ("smtpd_error_sleep_time=0", "error_notice_recipient=user3@example.test", "bounce_notice_recipient=user2@example.test",
            "smtpd_hard_error_limit=100000")
ALL = "notify_classes=bounce,data,policy,protocol,resource,software"


def suite_of(*settings):
    return Suite(settings=[*SETTINGS, *settings])


@pytest.fixture(scope="module")
def everything():
    """A suite in which each class is told."""
    with suite_of(ALL, "message_size_limit=5000") as s:
        yield s


def session(suite):
    return hello(suite)


def quit(c):
    assert c.ask("QUIT\r\n").startswith("221")
    assert c.rest() == b""


def letters(suite, user="user3"):
    there = [m.replace(b"\r\n", b"\n").decode("ascii", "replace") for m in suite.messages(user)]
    return [m for m in there if "\nTranscript of the session:" in m]


def wait_letter(suite, words, user="user3"):
    """The letter that has these words."""
    [one] = until(lambda: [m for m in letters(suite, user) if words in m], f"a letter with {words}")
    return one


def said(c, line, code):
    answer = c.ask(f"{line}\r\n")
    assert answer.startswith(str(code)), answer
    return answer


# ---- the classes ----

def test_protocol(everything):
    c = session(everything)
    said(c, "BOGUS-ONE", 500)
    said(c, "RCPT TO:<user1@example.test>", 503)
    quit(c)
    letter = wait_letter(everything, "BOGUS-ONE")
    assert "\nClass: protocol\n" in letter and "\nSubject: SMTP session of 127.0.0.1: error of class protocol\n" in letter
    assert "\nReason: Command not recognized\n" in letter and "\nClient: 127.0.0.1\n" in letter
    assert "\nAuto-Submitted: auto-generated\n" in letter and "\nTo: user3@example.test\n" in letter
    assert letter.startswith("Return-Path: <double-bounce@mail.example.test>\n")
    transcript = letter.split("\nTranscript of the session:\n\n")[1].splitlines()
    assert transcript[0].startswith("Out: 220 ") and transcript[1] == "In:  EHLO client.example"
    assert transcript[2] == "Out: 250 mail.example.test"
    assert transcript[3:] == ["In:  BOGUS-ONE", "Out: 500 5.5.2 Command not recognized",
                              "In:  RCPT TO:<user1@example.test>", "Out: 503 5.5.1 Bad sequence of commands",
                              "In:  QUIT", "Out: 221 2.0.0 Bye"]


def test_policy_and_bounce_have_a_letter_together(everything):
    c = session(everything)
    said(c, "MAIL FROM:<relay@policy.example>", 250)
    answer = said(c, "RCPT TO:<x@elsewhere.example>", 5)
    quit(c)
    for user in ("user2", "user3"):
        letter = wait_letter(everything, "relay@policy.example", user)
        assert "\nClass: bounce, policy\n" in letter and f"\nOut: {answer}\n" in letter


def test_an_unknown_user_is_refused_by_no_policy(everything):
    c = session(everything)
    said(c, "MAIL FROM:<a@unknown.example>", 250)
    answer = said(c, "RCPT TO:<no-such-user@example.test>", 550)
    quit(c)
    letter = wait_letter(everything, "a@unknown.example", "user2")
    assert "\nClass: bounce\n" in letter and f"\nOut: {answer}\n" in letter and "\nTo: user2@example.test\n" in letter


def test_data():
    with suite_of(ALL, "smtpd_recipient_restrictions=check_recipient_access texthash:/nowhere/at/all") as suite:
        c = session(suite)
        said(c, "MAIL FROM:<table@data.example>", 250)
        answer = said(c, "RCPT TO:<user2@example.test>", 451)
        quit(c)
        letter = wait_letter(suite, "table@data.example")
        assert "\nClass: data\n" in letter and f"\nOut: {answer}\n" in letter


def test_content_that_is_refused_is_told_without_it(everything):
    c = session(everything)
    said(c, "MAIL FROM:<a@large.example>", 250)
    said(c, "RCPT TO:<user1@example.test>", 250)
    said(c, "DATA", 354)
    assert c.ask("Subject: x\r\n\r\n" + "confidential\r\n" * 1000 + ".\r\n").startswith("552")
    quit(c)
    letter = wait_letter(everything, "a@large.example", "user2")
    assert "\nClass: bounce, policy\n" in letter and "confidential" not in letter
    assert "\nIn:  DATA\nOut: 354 End data with <CR><LF>.<CR><LF>\nOut: 552 " in letter


def test_a_bare_newline_is_an_error_of_the_protocol(everything):
    c = session(everything)
    said(c, "MAIL FROM:<a@bare.example>", 250)
    said(c, "RCPT TO:<user1@example.test>", 250)
    said(c, "DATA", 354)
    assert c.ask("Subject: x\n\nbody\r\n.\r\n").startswith("550")
    quit(c)
    assert "\nClass: bounce, protocol\n" in wait_letter(everything, "a@bare.example")


def test_software_by_default():
    """Without an auth, 454."""
    with suite_of() as suite:
        c = session(suite)
        auth = suite.processes("auth")[0]
        os.kill(auth, signal.SIGSTOP)
        try:
            c.say(f"AUTH PLAIN {base64.b64encode(b'?user1@example.test?secret'.replace(b'?', bytes(1))).decode()}\r\n")
            os.kill(auth, signal.SIGKILL)
            assert c.reply().startswith("454")
            until(lambda: suite.processes("auth") not in ([], [auth]), "another auth")  # or the letter is deferred
        finally:
            quit(c)
        letter = wait_letter(suite, "AUTH PLAIN <hidden>")
        assert "\nClass: software\n" in letter and "\nReason: Temporary authentication failure\n" in letter


def test_resource_by_default():
    with suite_of("session_memory_limit=65536") as suite:
        c, last = session(suite), "250"
        for _ in range(1000):
            last = c.ask(f"EHLO {'x' * 1900}\r\n")
            if not last.startswith("250"):
                break
        assert last.startswith("421 4.3.0") and c.rest() == b""
        letter = wait_letter(suite, "Session uses too much memory")
        assert "\nClass: resource\n" in letter


# ---- what is not told ----

def test_nothing_by_default_of_what_clients_do_wrong():
    with suite_of("message_size_limit=5000") as suite:
        c = session(suite)
        said(c, "BOGUS", 500)
        said(c, "MAIL FROM:<a@b.example>", 250)
        said(c, "RCPT TO:<x@elsewhere.example>", 5)
        said(c, "RCPT TO:<user1@example.test>", 250)
        said(c, "DATA", 354)
        assert c.ask("Subject: x\r\n\r\n" + "line\r\n" * 1000 + ".\r\n").startswith("552")
        quit(c)
        suite.wait_log("disconnect .*errors=3")
        suite.send()
        suite.wait_messages(1)
        suite.wait_queue_empty()
        assert "notice" not in suite.log() and letters(suite) == letters(suite, "user2") == []


def test_no_letter_for_a_connection_too_many():
    """Or connections in plenty would fill the queue."""
    with suite_of(ALL, "smtpd_session_limit=1") as suite:
        first = session(suite)
        with suite.raw() as second:
            assert second.reply().startswith("421 4.3.2")
            assert second.rest() == b""
        said(first, "LAST-ONE", 500)
        quit(first)
        wait_letter(suite, "LAST-ONE")
        assert len(letters(suite)) == 1


def test_of_messages_that_were_accepted_nothing(everything):
    c = session(everything)
    for _ in range(3):
        said(c, "MAIL FROM:<a@well.example>", 250)
        said(c, "RCPT TO:<user1@example.test>", 250)
        said(c, "DATA", 354)
        assert c.ask("Subject: x\r\n\r\nbody\r\n.\r\n").startswith("250")
    said(c, "MAIL FROM:<a@not-well.example>", 250)
    answer = said(c, "RCPT TO:<x@elsewhere.example>", 5)
    quit(c)
    letter = wait_letter(everything, "a@not-well.example")
    assert letter.split("\nOut: 250 mail.example.test\n")[1].splitlines() == [
        "... 21 lines are left out ...", "In:  MAIL FROM:<a@not-well.example>", "Out: 250 2.1.0 Ok",
        "In:  RCPT TO:<x@elsewhere.example>", f"Out: {answer}", "In:  QUIT", "Out: 221 2.0.0 Bye"]


@pytest.mark.parametrize("sender, recipient", [("double-bounce@mail.example.test", "x@elsewhere.example"),
                                               ("", "double-bounce@mail.example.test")])
def test_nothing_of_letters_that_come_back(everything, sender, recipient):
    """As those to a postmaster elsewhere may: each would bring about another."""
    told = len(letters(everything))
    c = session(everything)
    said(c, f"MAIL FROM:<{sender}>", 250)
    said(c, f"RCPT TO:<{recipient}>", 5)
    quit(c)
    c = session(everything)
    said(c, f"BEHIND-{recipient}", 500)
    quit(c)
    wait_letter(everything, f"BEHIND-{recipient}")
    assert len(letters(everything)) == told + 1


def test_nothing_of_a_session_that_went_well(everything):
    told = len(letters(everything))
    c = session(everything)
    quit(c)
    c = session(everything)
    said(c, "LAST-ONE", 500)
    quit(c)
    wait_letter(everything, "LAST-ONE")
    assert len(letters(everything)) == told + 1


def test_passwords_are_not_told(everything):
    secret = base64.b64encode(b"\0user1@example.test\0wrong-password").decode()
    c = session(everything)
    said(c, f"AUTH PLAIN {secret}", 535)
    said(c, "AUTH LOGIN", 334)
    said(c, base64.b64encode(b"user1@example.test").decode(), 334)
    said(c, base64.b64encode(b"wrong-password").decode(), 535)
    said(c, f"AUTH NONE {secret}", 504)
    said(c, secret, 500)
    said(c, "NOOP with-secrets", 250)
    quit(c)
    letter = wait_letter(everything, "with-secrets")
    assert re.findall("In:  (.*)", letter)[1:] == ["AUTH PLAIN <hidden>", "AUTH LOGIN", "<hidden>", "<hidden>", "AUTH <hidden>",
                                                   "<hidden>", "NOOP with-secrets", "QUIT"]
    for part in (secret, base64.b64encode(b"wrong-password").decode(), "wrong-password"):
        assert part not in letter and part not in everything.log()


# ---- faults and floods ----

def test_bounce_is_away():
    """No client waits for it, and the one that comes after it tells of the sessions of its time."""
    with suite_of(ALL) as suite:
        [bounce], smtpd = suite.processes("bounce"), suite.processes("smtpd")
        os.kill(bounce, signal.SIGSTOP)
        c = session(suite)
        said(c, "EARLY", 500)
        quit(c)
        os.kill(bounce, signal.SIGKILL)
        until(lambda: [p for p in suite.processes("bounce") if p != bounce], "another bounce")
        told = []

        def is_told():
            with_error = session(suite)
            said(with_error, "LATE", 500)
            quit(with_error)
            told.extend(m for m in letters(suite) if "In:  LATE" in m)
            return told
        until(is_told, "a letter by the next bounce")
        assert suite.processes("smtpd") == smtpd
        suite.kill()  # its log has a process that died


def test_a_letter_that_cannot_be_delivered_is_dropped():
    with suite_of("notify_classes=protocol,bounce,2bounce", "error_notice_recipient=nobody@example.test") as suite:
        c = session(suite)
        said(c, "BOGUS", 500)
        quit(c)
        letter = suite.wait_log("postmaster-notice .*report=([0-9A-Z]+)")[0]
        suite.wait_log(f"double-bounce-dropped id={letter}")
        suite.wait_queue_empty()
        assert suite.queue_files() == [] and len(re.findall("postmaster-notice", suite.log())) == 1
        assert "info reported " not in suite.log()


def resident_bytes(pids):
    pages = 0
    for pid in pids:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            pages += int(f.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def flood(c, count):
    """Lines of garbage, some at a time, each answered."""
    for start in range(0, count, 100):
        c.say(b"".join(b"\xff\x01GARBAGE%d %s\r\n" % (i, b"x" * 80) for i in range(start, start + 100)))
        for _ in range(100):
            assert c.reply().startswith("500")


def test_a_megabyte_of_garbage_makes_no_megabyte_here(everything):
    smtpd = everything.processes("smtpd")
    c = session(everything)
    flood(c, 1000)
    before = resident_bytes(smtpd)
    flood(c, 11000)
    grown = resident_bytes(smtpd) - before
    quit(c)
    letter = wait_letter(everything, "GARBAGE0 ")
    assert "lines are left out" in letter and "In:  QUIT\n" in letter
    assert len(letter) < 16 * 1024 and letter.isascii() and "\x01" not in letter
    assert grown < 12 * 2**20 if os.environ.get("POSTRIDER_PRESET", "dev") == "dev" else grown < 2**18
