"""Rates by client: connections, messages, recipients, TLS sessions, logins; counted over all sessions, and asked only where a limit
is set."""
import base64
import os
import signal
import ssl

import pytest

from smtp_steps import hello, marked, send
from suite import Suite
from waiting import until

BASE = ["smtpd_client_event_limit_exceptions=127.0.0.1 127.0.0.9", "smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000",
        "auth_failure_delay=0", "auth_failure_limit=0"]


@pytest.fixture
def limited(request):
    with Suite(settings=[*BASE, *request.param]) as s:
        yield s


def limits(*settings):
    return pytest.mark.parametrize("limited", [settings], indirect=True, ids=[settings[0].split("=")[0]])


@limits("smtpd_client_connection_rate_limit=3", "anvil_rate_time_unit=3600s")
def test_connections(limited):
    for _ in range(3):
        hello(limited, source="127.0.0.2").close()
    with limited.raw(source="127.0.0.2") as c:
        assert c.reply() == "421 4.7.0 mail.example.test Error: too many connections from unknown[127.0.0.2]"
        assert c.rest() == b""
    limited.wait_log(r"over-limit .*client=127\.0\.0\.2 of=connections .*rate=4")
    hello(limited, source="127.0.0.3").close()
    for _ in range(5):
        hello(limited, source="127.0.0.9").close()


@limits("smtpd_client_message_rate_limit=3", "anvil_rate_time_unit=3600s")
def test_messages(limited):
    with hello(limited, source="127.0.0.2") as c, hello(limited, source="127.0.0.2") as other:
        assert send(c, "mark-1").startswith("250 2.0.0")
        assert send(other, "mark-2").startswith("250 2.0.0")  # another session of the same client
        c.ask("MAIL FROM:<a@b.example>\r\n")
        c.ask("RSET\r\n")  # it was one, for Postfix as well
        for _ in range(2):
            assert send(c, "mark-over") == "450 4.7.1 Error: too much mail from unknown[127.0.0.2]"
        assert c.ask("RCPT TO:<user1@example.test>\r\n").startswith("503")
        assert c.ask("MAIL FROM:<a@b.example> SIZE=x\r\n").startswith("501")  # not counted
    with hello(limited, source="127.0.0.3") as c:
        assert send(c, "mark-3").startswith("250 2.0.0")
    with hello(limited, source="127.0.0.9") as c:
        for _ in range(5):
            assert send(c, "mark-free").startswith("250 2.0.0")
    limited.wait_log(r"over-limit .*client=127\.0\.0\.2 of=messages ")
    limited.wait_queue_empty()
    assert not marked(limited, "mark-over")


@limits("smtpd_client_recipient_rate_limit=3", "anvil_rate_time_unit=3600s")
def test_recipients(limited):
    with hello(limited, source="127.0.0.2") as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        c.say("".join(f"RCPT TO:<{u}@example.test>\r\n" for u in ("user1", "nobody", "user2", "user3", "user3")) + "NOOP\r\n")
        replies = [c.reply() for _ in range(6)]
        assert [r[:9] for r in replies] == ["250 2.1.5", "550 5.1.1", "250 2.1.5", "450 4.7.1", "450 4.7.1", "250 2.0.0"]
        assert replies[3] == "450 4.7.1 Error: too many recipients from unknown[127.0.0.2]"
        c.ask("DATA\r\n")
        assert c.ask("Subject: x\r\n\r\nmark-some\r\n.\r\n").startswith("250")
        assert send(c, "mark-none").startswith("450 4.7.1")
    limited.wait_queue_empty()
    assert [len(marked(limited, "mark-some", f"user{n}")) for n in (1, 2, 3)] == [1, 1, 0]
    with hello(limited, source="127.0.0.9") as c:
        for _ in range(5):
            assert send(c, "mark-free").startswith("250 2.0.0")


def handshake(suite, source, session=None):
    context = handshake.context = getattr(handshake, "context", None) or ssl.create_default_context(cafile=suite.ca_file)
    c = hello(suite, source=source)
    reply = c.ask("STARTTLS\r\n")
    if reply.startswith("220"):
        c.socket = context.wrap_socket(c.socket, server_hostname="localhost", session=session)
        assert c.ask("EHLO x.example\r\n").startswith("250")
    return c, reply


@limits("smtpd_client_new_tls_session_rate_limit=2", "anvil_rate_time_unit=3600s")
def test_tls_sessions(limited):
    first, _ = handshake(limited, "127.0.0.2")
    session = first.socket.session
    first.close()
    for _ in range(4):  # resumed: these cost little, and are no new ones
        c, reply = handshake(limited, "127.0.0.2", session)
        assert reply.startswith("220") and c.socket.session_reused
        session = c.socket.session
        c.close()
    handshake(limited, "127.0.0.2")[0].close()
    c, reply = handshake(limited, "127.0.0.2")
    assert reply == "454 4.7.0 Error: too many new TLS sessions from unknown[127.0.0.2]"
    assert c.ask("NOOP\r\n").startswith("250")
    c.close()
    with limited.raw(limited.submissions_port, source="127.0.0.2") as c:
        assert c.rest() == b""  # not even a handshake
    for _ in range(4):
        handshake(limited, "127.0.0.9")[0].close()


@limits("smtpd_client_auth_rate_limit=2", "anvil_rate_time_unit=3600s")
def test_logins(limited):
    blob = base64.b64encode(b"\0user1@example.test\0secret").decode()
    wrong = base64.b64encode(b"\0user1@example.test\0wrong").decode()
    with hello(limited, source="127.0.0.2") as c:
        assert c.ask(f"AUTH PLAIN {wrong}\r\n").startswith("535")
        assert c.ask("AUTH PLAIN !\r\n").startswith("501")  # nothing was tried
        assert c.ask("AUTH PLAIN\r\n").startswith("334")
        assert c.ask(wrong + "\r\n").startswith("535")
        assert c.ask(f"AUTH PLAIN {blob}\r\n") == "450 4.7.1 Error: too many AUTH commands from unknown[127.0.0.2]"
        assert send(c, "mark-no-login").startswith("250")
    with hello(limited, source="127.0.0.3") as c:
        assert c.ask(f"AUTH PLAIN {blob}\r\n").startswith("235")
    with hello(limited, source="127.0.0.9") as c:
        for _ in range(3):
            assert c.ask(f"AUTH PLAIN {wrong}\r\n").startswith("535")


@limits("smtpd_client_message_rate_limit=1", "smtpd_client_ipv4_prefix_length=24", "anvil_rate_time_unit=3600s")
def test_a_network_is_one_client(limited):
    with hello(limited, source="127.0.0.2") as c:
        assert send(c, "mark-one").startswith("250")
    with hello(limited, source="127.0.0.200") as c:
        assert send(c, "mark-two").startswith("450 4.7.1")
    with hello(limited, source="127.0.1.2") as c:
        assert send(c, "mark-three").startswith("250")


@limits("smtpd_client_message_rate_limit=2", "smtpd_client_recipient_rate_limit=2", "anvil_rate_time_unit=1s")
def test_time_passes(limited):
    """Who keeps asking is let in again once the time unit is over."""
    with hello(limited, source="127.0.0.2") as c:
        assert [send(c, "mark-time")[:3] for _ in range(3)].count("250") >= 2
        for _ in range(3):
            until(lambda: send(c, "mark-time").startswith("450"), "a refusal")
            until(lambda: send(c, "mark-time").startswith("250"), "the next time unit")


@limits("smtpd_client_message_rate_limit=1", "smtpd_client_recipient_rate_limit=1", "anvil_rate_time_unit=3600s")
def test_without_meter_nobody_is_held_up(limited):
    """It counts anew when it is back; what it had to say is not waited for."""
    with hello(limited, source="127.0.0.2") as c:
        assert send(c, "mark-first").startswith("250")
        pid = limited.processes("meter")[0]
        os.kill(pid, signal.SIGSTOP)
        c.say("MAIL FROM:<a@b.example>\r\n")
        with hello(limited, source="127.0.0.9") as other:  # who is not asked for is served
            assert send(other, "mark-other").startswith("250")
        os.kill(pid, signal.SIGKILL)
        assert c.reply().startswith("250 2.1.0")
        assert c.ask("NOOP\r\n").startswith("250")


@limits("smtpd_client_message_rate_limit=1", "smtpd_client_recipient_rate_limit=1", "smtpd_client_connection_rate_limit=1",
        "anvil_rate_time_unit=3600s")
def test_lmtp_has_no_limits(limited):
    for n in range(3):
        with limited.raw(limited.lmtp_port, source="127.0.0.2") as c:
            c.reply()
            assert c.ask("LHLO x.example\r\n").startswith("250")
            assert send(c, f"mark-lmtp-{n}.").startswith("250 2.1.5")
