"""What a delivered message and an idle reader may cost. The figures fail when they are exceeded."""
import contextlib
import os
import re

import pytest
from ledger import Client, Ledger
from members import members, pids
from suite import Suite
from tracing import SYNCS, Trace, counts
from waiting import until

BUILD = "release"
MESSAGES, CALLS_MAX, SYNCS_MAX = 200, 120, 2
IDLE_MESSAGES, IDLE_PSS_KIB, WORKERS = 10000, 85, 100

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may trace confined processes and look at their memory")


@needs_root
def test_system_calls_of_a_delivered_message():
    with Suite(build=BUILD, settings=["smtpd_client_connection_rate_limit=0"]) as s:
        s.send()
        s.wait_messages(1)  # the user's worker is there
        ledger, by_name = Ledger(), {}
        for pid, name in members(s.master_pid).items():
            by_name.setdefault(name, []).append(pid)
        traces = {name: Trace(there, "-c") for name, there in by_name.items()}
        with contextlib.ExitStack() as stack:
            for trace in traces.values():
                stack.enter_context(trace)
            for _ in range(MESSAGES):
                ident, content, user = ledger.make(["user1"])
                with Client("127.0.0.1", s.smtp_port, local_hostname="client.example", timeout=30) as c:
                    code, reply = c.deliver(content, user)
                assert code == 250, reply
            s.wait_messages(MESSAGES + 1)
            s.wait_queue_empty()
        found = {name: counts(t) for name, t in traces.items()}
        calls = sum(sum(c.values()) for c in found.values()) / MESSAGES
        syncs = sum(c.get(name, 0) for c in found.values() for name in SYNCS) / MESSAGES
        print(f"{calls:.1f} system calls, {syncs:.2f} syncs a message")
        for name, c in sorted(found.items(), key=lambda row: -sum(row[1].values())):
            most = ", ".join(f"{call} {n / MESSAGES:.2f}" for call, n in sorted(c.items(), key=lambda row: -row[1])[:12])
            print(f"  {name:14} {sum(c.values()) / MESSAGES:6.2f}  {most}")
        assert calls <= CALLS_MAX and syncs <= SYNCS_MAX


def mailbox_fill(folder, count):
    """Messages of the size of everyday mail, in cur as a reader leaves them."""
    owner = os.stat(folder).st_uid
    for n in range(count):
        lines = "".join(f"This is line {i} of message {n} in this mailbox.\n" for i in range(n % 40 + 5))
        text = (f"Return-Path: <a@b.example>\nReceived: from b.example by mail.example.test; Mon, 6 Jul 2026 10:00:00 +0000\n"
                f"Message-ID: <{n}@b.example>\nFrom: A Person <a@b.example>\nTo: user1@example.test\n"
                f"Date: Mon, 6 Jul 2026 10:{n // 60 % 60:02}:{n % 60:02} +0000\nSubject: message {n} of many\n\n{lines}")
        path = os.path.join(folder, f"{1700000000 + n}.M{n}P1.b.example,S={len(text)},W={len(text) + text.count(chr(10))}:2,S")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chown(path, owner, owner)


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
        return int(re.search(r"(?m)^Pss:\s+(\d+) kB", f.read()).group(1))


def rests(pid):
    """Idle and small; it may take a moment after the last command."""
    least = IDLE_PSS_KIB * 1000

    def is_small():
        nonlocal least
        least = min(least, pss_kib(pid))
        return least <= IDLE_PSS_KIB
    try:
        until(is_small, "rest", 20)
    except AssertionError:
        with open(f"/proc/{pid}/smaps", encoding="utf-8") as f:
            print(f.read())
        raise AssertionError(f"an idle worker has {least} KiB") from None


@needs_root
def test_memory_of_an_idle_reader():
    """One of many, as they share the pages of their program."""
    with Suite(build=BUILD, users=WORKERS) as s, contextlib.ExitStack() as others:
        mailbox_fill(os.path.join(s.mail_dir, "user1", "Maildir", "cur"), IDLE_MESSAGES)
        for n in range(2, WORKERS + 1):
            others.enter_context(s.imap(f"user{n}")).select("INBOX")
        known = set(pids(s.master_pid, "imapd-worker"))
        with s.imap() as c:
            assert int(c.select("INBOX")[1][0]) == IDLE_MESSAGES
            assert len(c.fetch("1:50", "(ENVELOPE FLAGS)")[1]) == 50
            (pid,) = set(pids(s.master_pid, "imapd-worker")) - known
            rests(pid)
            assert len(c.fetch("1:*", "(UID)")[1]) == IDLE_MESSAGES
            rests(pid)
