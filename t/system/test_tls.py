"""TLS and login of the SMTP server: STARTTLS and what hides behind it (HOSTILE 6), versions, names, AUTH in every bad shape (12)."""
import base64
import os
import re
import signal
import smtplib
import socket
import ssl
import struct

import pytest

from suite import Suite
from waiting import DEADLINE_S, until


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "auth_failure_delay=0", "auth_failure_limit=0"]) as s:
        yield s


def hello(suite, port=None):
    c = suite.raw(port)
    c.reply()
    assert c.ask("EHLO client.example\r\n").startswith("250")
    return c


def features(c):
    c.say("EHLO client.example\r\n")
    found = []
    while True:
        line = c.line().decode().rstrip()
        found.append(line[4:].split()[0])
        if line[3] == " ":
            return found


def plain(user="user1@example.test", password="secret", who=""):
    return base64.b64encode(f"{who}\0{user}\0{password}".encode()).decode()


# ---- STARTTLS ----

def test_starttls_and_a_message(suite):
    with suite.smtp() as c:
        c.starttls(context=suite.tls_context())
        c.ehlo()
        assert "starttls" not in c.esmtp_features
        c.login("user1@example.test", "secret")
        c.sendmail("user1@example.test", "user2@example.test", b"Subject: x\r\n\r\nmark-starttls\r\n")
    m = until(lambda: [m for m in suite.messages("user2") if b"mark-starttls" in m], "the message")[0]
    head = re.sub(rb"\n\s+", b" ", m.split(b"\n\n")[0])
    assert b"with ESMTPSA id" in head and b"TLSv1.3" in head
    assert b"Date:" in head and b"Message-ID:" in head and b"From:" in head  # completed for those who log in


def resumed(suite, context, old=None):
    """One session, which is not new if `old` may resume: whether it did, and what the next may resume."""
    with socket.create_connection(("127.0.0.1", suite.submissions_port), DEADLINE_S) as raw:
        with context.wrap_socket(raw, server_hostname="localhost", session=old) as c:
            assert c.recv(1000).startswith(b"220")
            return c.session_reused, c.session


def test_a_session_resumes_after_a_reload_and_at_a_new_process(suite):
    context = suite.tls_context()
    was_resumed, session = resumed(suite, context)
    assert not was_resumed
    was_resumed, session = resumed(suite, context, session)
    assert was_resumed
    count = len(re.findall("process-ended process=policy", suite.log()))
    suite.postrider("reload")
    suite.wait_log("process-ended process=policy", count + 1)
    was_resumed, session = resumed(suite, context, session)
    assert was_resumed
    count, gone = len(re.findall("started instance=", suite.log())), suite.processes("smtpd")
    for pid in gone:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(suite.processes("smtpd")) == len(gone) and not set(gone) & set(suite.processes("smtpd")), "others")
    assert resumed(suite, context, session)[0]


INJECTED = [b"NOOP injected\r\n", b"EHLO evil.example\r\nMAIL FROM:<evil@x>\r\n", b"QUIT\r\n", b"N", b"\r\n",
            b"AUTH PLAIN " + plain().encode() + b"\r\n",
            b"MAIL FROM:<evil@x>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n", b"X" * 5000]


@pytest.mark.parametrize("injected", INJECTED, ids=lambda b: repr(b)[:20])
def test_what_comes_behind_starttls_is_never_run(suite, injected):
    """The bytes are before the handshake, so either nothing of them is seen or the connection ends."""
    for at in {0, 1, 4, 9, 10}:
        with hello(suite) as c:
            whole = b"STARTTLS\r\n" + injected
            c.say(whole[:at])
            c.say(whole[at:])
            assert c.reply().startswith("220 2.0.0")
            assert c.bytes == b""
            try:
                c.socket = suite.tls_context().wrap_socket(c.socket, server_hostname="localhost")
            except (ssl.SSLError, ConnectionError):
                continue
            try:
                c.say("NOOP\r\n")
                assert c.reply() in ("250 2.0.0 Ok", "")
            except ConnectionError:
                pass
    suite.wait_queue_empty()
    assert "evil" not in "".join(m.decode("latin1") for m in suite.messages())


def test_the_state_is_reset(suite):
    with hello(suite) as c:
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235 2.7.0")
        c.starttls(suite.tls_context())
        assert c.ask("MAIL FROM:<a@b.example>\r\n").startswith("503 5.5.1")
        assert "AUTH" in features(c)  # the login is forgotten
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")


def test_starttls_twice_and_within_a_transaction(suite):
    with hello(suite) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        assert c.ask("STARTTLS\r\n").startswith("503 5.5.1")
        c.ask("RSET\r\n")
        c.starttls(suite.tls_context())
        assert "STARTTLS" not in features(c)
        assert c.ask("STARTTLS\r\n").startswith("503 5.5.1")
        assert c.ask("NOOP\r\n").startswith("250")


def test_garbage_instead_of_a_handshake(suite):
    for garbage in (b"NOOP\r\n" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\0" * 100, b"\x80\x2e\x01\x00\x02" + b"\0" * 50):
        with hello(suite) as c:
            assert c.ask("STARTTLS\r\n").startswith("220")
            try:
                c.say(garbage)
            except ConnectionError:
                continue
            assert b"250" not in c.rest()
    with hello(suite):
        pass


def test_a_client_that_leaves_within_the_handshake(suite):
    for _ in range(20):
        c = hello(suite)
        c.ask("STARTTLS\r\n")
        c.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    with hello(suite):
        pass


def handshake(suite, port, context, name="localhost"):
    s = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
    return context.wrap_socket(s, server_hostname=name)


def test_tls_from_the_first_byte(suite):
    with handshake(suite, suite.submissions_port, suite.tls_context()) as s:
        assert s.recv(100).startswith(b"220 mail.example.test")
    with suite.raw(suite.submissions_port) as c:  # in clear nothing is said
        c.say("EHLO client.example\r\n")
        assert b"250" not in c.rest()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_good(suite, version):
    context = suite.tls_context()
    context.minimum_version = context.maximum_version = version
    with handshake(suite, suite.submissions_port, context) as s:
        assert s.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_versions_that_are_not(suite, version):
    context = suite.tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(suite, suite.submissions_port, context)


@pytest.mark.parametrize("ciphers", ["NULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "3DES:@SECLEVEL=0", "RC4:@SECLEVEL=0"])
def test_weak_suites_are_refused(suite, ciphers):
    context = suite.tls_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        return  # this client's library has none of them
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(suite, suite.submissions_port, context)


def test_another_protocol_is_refused(suite):
    context = suite.tls_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(suite, suite.submissions_port, context).recv(10)


# ---- AUTH ----

def test_plain_right_and_wrong(suite):
    with hello(suite) as c:
        assert c.ask("AUTH PLAIN " + plain(password="wrong") + "\r\n").startswith("535 5.7.8")
        assert c.ask("AUTH PLAIN " + plain(user="nobody@example.test") + "\r\n").startswith("535 5.7.8")
        assert c.ask("AUTH PLAIN " + plain(who="user2@example.test") + "\r\n")[0] == "5"  # to act as another
        assert c.ask("AUTH plain\r\n").startswith("334")
        assert c.ask(plain() + "\r\n").startswith("235 2.7.0")
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("503 5.5.1")
        assert "AUTH" not in features(c)


def test_login_right_and_wrong(suite):
    word = {k: base64.b64encode(v).decode() for k, v in {"user": b"user1@example.test", "good": b"secret", "bad": b"x"}.items()}
    with hello(suite) as c:
        assert c.ask("AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6"
        assert c.ask(word["user"] + "\r\n") == "334 UGFzc3dvcmQ6"
        assert c.ask(word["bad"] + "\r\n").startswith("535 5.7.8")
        assert c.ask(f"AUTH LOGIN {word['user']}\r\n") == "334 UGFzc3dvcmQ6"
        assert c.ask(word["good"] + "\r\n").startswith("235 2.7.0")


@pytest.mark.parametrize("answer,want", [
    ("*", "501 5.7.0"), ("!!!!", "501 5.5.2"), ("AAA", "501 5.5.2"), ("=", "501 5.5.2"), ("A===", "501 5.5.2"), ("AA=A", "501 5.5.2"),
    ("AGEAYg== ", "501 5.5.2"), (" AGEAYg==", "501 5.5.2"), ("", "501"), ("AA==", "5"), ("AAA=", "5"), ("AAAA", "5"), ("YQBiAGMAZAA=", "5"),
    ("A" * 12000, "5"), ("A" * 65536, "500 5.5.2"), ("YWJj", "5"),
])
def test_malformed_answers(suite, answer, want):
    with hello(suite) as c:
        assert c.ask("AUTH PLAIN\r\n").startswith("334")
        assert c.ask(answer + "\r\n").startswith(want)
        assert c.ask("NOOP\r\n").startswith("250")
        if len(answer) < 2000 and answer.strip():
            assert c.ask(f"AUTH PLAIN {answer}\r\n")[0] == "5"
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")


@pytest.mark.parametrize("user", [
    "a\nb", "a\tb", "a:b", "'; drop", "*)(uid=*", "x" * 8000, "\udcff\udcfe", "user1@example.test\n", " user1@example.test"])
def test_user_names_of_every_kind(suite, user):
    with hello(suite) as c:
        blob = base64.b64encode(b"\0" + user.encode("utf-8", "surrogateescape") + b"\0secret").decode()
        assert c.ask("AUTH PLAIN\r\n").startswith("334")
        assert c.ask(blob + "\r\n")[:3] in ("535", "501")
        assert c.ask("NOOP\r\n").startswith("250")
    assert "secret" not in suite.log()


def test_disconnected_within_the_exchange(suite):
    for sent in ("AUTH LOGIN\r\n", "AUTH PLAIN\r\nAGE", "AUTH PLAIN " + plain() + "\r\n"):
        c = hello(suite)
        c.say(sent)
        c.close()
    with hello(suite) as c:
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")


def test_submission_wants_a_login_from_everybody(suite):
    with hello(suite, suite.submission_port) as c:  # 127.0.0.1 is in mynetworks
        c.ask("MAIL FROM:<user1@example.test>\r\n")
        assert c.ask("RCPT TO:<user2@example.test>\r\n")[0] == "5"
        c.ask("RSET\r\n")
        assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")
        c.ask("MAIL FROM:<user1@example.test>\r\n")
        assert c.ask("RCPT TO:<user2@example.test>\r\n").startswith("250")


def test_auth_only_under_tls():
    with Suite(settings=["smtpd_tls_auth_only=yes"]) as suite:
        # Its services say otherwise in master.cf; submissions leaves it at main.cf's value and has TLS always.
        import os
        path = os.path.join(suite.config_dir, "master.cf")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(" -o smtpd_tls_auth_only=no", "").replace(
                "  -o smtpd_client_restrictions", "  -o smtpd_tls_security_level=encrypt -o smtpd_client_restrictions", 1))
        done = suite.postrider("reload")
        assert done.returncode == 0, done.stderr
        suite.wait_log("reloaded")
        with hello(suite) as c:
            assert "AUTH" not in features(c)
            assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("538 5.7.11")
            assert c.ask("MAIL FROM:<a@b.example>\r\n").startswith("250")
            c.ask("RSET\r\n")
            c.starttls(suite.tls_context())
            assert "AUTH" in features(c)
            assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")
        with hello(suite, suite.submission_port) as c:
            for line in ("MAIL FROM:<a@b.example>", "AUTH PLAIN x", "VRFY x"):
                assert c.ask(line + "\r\n").startswith("530 5.7.0")
            for line in ("NOOP", "RSET", "HELP"):
                assert c.ask(line + "\r\n")[0] == "2"
            c.starttls(suite.tls_context())
            assert c.ask("EHLO x.example\r\n")[0] == "2"
            assert c.ask("AUTH PLAIN " + plain() + "\r\n").startswith("235")


def test_smtplib_over_submissions(suite):
    with smtplib.SMTP_SSL("localhost", suite.submissions_port, context=suite.tls_context(), timeout=DEADLINE_S) as c:
        c.login("user1@example.test", "secret")
        c.sendmail("user1@example.test", "user3@example.test", b"Subject: x\r\n\r\nmark-smtps\r\n")
    until(lambda: [m for m in suite.messages("user3") if b"mark-smtps" in m], "the message")
