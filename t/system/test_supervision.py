"""What master promises: a reload drops nobody, a stop loses nothing and ends, a process that ends is replaced."""
import os
import re
import signal
import smtplib
import socket
import threading
import time

import pytest
from suite import Suite
from waiting import until


@pytest.fixture
def suite():
    with Suite() as s:
        yield s


class Load:
    """Clients that send without pause; `sent` are subjects that were acknowledged."""

    def __init__(self, suite, clients=4):
        self.suite, self.sent, self.odd, self.over = suite, [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(clients)]

    def run(self, number):
        count = 0
        while not self.over.is_set():
            try:
                with self.suite.smtp() as c:
                    for _ in range(10):
                        count += 1
                        subject = f"m-{number}-{count}"
                        c.sendmail("a@b.example", f"user{1 + count % 3}@example.test", f"Subject: {subject}\r\n\r\nx\r\n")
                        self.sent.append(subject)
            except (smtplib.SMTPException, OSError) as e:
                self.odd.append(e)
                self.over.wait(0.05)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()

    def wait_sent(self, more):
        goal = len(self.sent) + more
        until(lambda: len(self.sent) >= goal, f"{more} more messages")


def subjects(suite):
    found = [m for user in ("user1", "user2", "user3") for m in suite.messages(user)]
    return [re.search(rb"(?m)^Subject: (\S+)", m).group(1).decode() for m in found]


def test_reload_drops_nobody(suite):
    with Load(suite) as load, suite.raw() as idle, suite.smtp() as early:
        idle.reply()
        early.ehlo()
        early.mail("a@b.example")
        early.rcpt("user1@example.test")
        for _ in range(5):
            load.wait_sent(20)
            assert suite.postrider("reload").returncode == 0
        load.wait_sent(20)
        assert idle.ask("NOOP\r\n").startswith("250")
        assert early.data("Subject: early\r\n\r\nx\r\n")[0] == 250
    assert load.odd == []
    suite.wait_queue_empty()
    until(lambda: sorted(subjects(suite)) == sorted([*load.sent, "early"]), "each message once")


def test_hup_reloads(suite):
    os.kill(master_pid(suite), signal.SIGHUP)
    suite.wait_log(r"reloaded generation=2")


def master_pid(suite):
    return int(re.search(r"master\[(\d+)\]", suite.log()).group(1))


def test_stop_under_load_loses_nothing_and_delivers_once():
    with Suite() as suite:
        with Load(suite, clients=6) as load:
            for _ in range(3):
                load.wait_sent(60)
                suite.stop()
                suite.start()
            load.wait_sent(10)
        suite.wait_queue_empty()
        got = subjects(suite)
        assert sorted(set(got)) == sorted(got), "delivered twice by a clean stop"
        assert set(load.sent) <= set(got)


def test_stop_finishes_the_message_that_is_on_its_way(suite):
    with suite.raw() as c:
        c.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<user1@example.test>", "DATA"):
            c.ask(line + "\r\n")
        c.say("Subject: late\r\n\r\n")
        stopped = threading.Thread(target=suite.stop)
        stopped.start()
        suite.wait_log("stopping")
        assert c.ask("x\r\n.\r\n").startswith("250")
        assert c.reply().startswith("421")
        stopped.join()
    suite.start()
    suite.wait_messages(1)


def test_stop_with_a_stuck_session_ends_in_time(suite):
    with suite.raw() as c:
        c.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<user1@example.test>", "DATA"):
            c.ask(line + "\r\n")
        began = time.monotonic()
        suite.command("postrider", "stop")
        until(lambda: "info stopped\n" in suite.log().split("stopping")[-1] and re.search(r"master\S+ info stopped", suite.log()),
              "the end of master")
        assert time.monotonic() - began < 15  # drain_timeout is 5
    assert "drain-timeout process=smtpd" in suite.log()
    suite.is_up = False


def test_a_bad_configuration_never_replaces_a_running_one(suite):
    path = os.path.join(suite.config_dir, "main.cf")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    with open(path, "a", encoding="utf-8") as f:
        f.write("smtpd_timeout = nonsense\n")
    done = suite.postrider("reload")
    assert done.returncode != 0
    assert "smtpd_timeout" in done.stdout + done.stderr
    os.kill(suite.processes("policy")[0], signal.SIGKILL)  # its successor starts with the old one, too
    suite.wait_log(r"process-died process=policy")
    suite.send()
    suite.wait_messages(1)
    with open(path, "w", encoding="utf-8") as f:
        f.write(good)
    assert suite.postrider("reload").returncode == 0


def test_a_port_that_is_taken_keeps_all_as_it_was(suite):
    path = os.path.join(suite.config_dir, "master.cf")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with open(path, "a", encoding="utf-8") as f:
            f.write(f"127.0.0.1:{other.getsockname()[1]} inet n - y - - smtpd\n")
        done = suite.postrider("reload")
        assert done.returncode != 0
        assert re.search(r"master\.cf:\d+: .*cannot listen on 127\.0\.0\.1:", done.stdout + done.stderr)
    os.kill(suite.processes("smtpd")[0], signal.SIGKILL)
    suite.wait_log(r"process-died process=smtpd")
    suite.send()
    suite.wait_messages(1)
    assert "generation=2" not in suite.log()
    with open(path, "w", encoding="utf-8") as f:
        f.write(good)


def test_a_listener_widens_without_a_restart(suite):
    path = os.path.join(suite.config_dir, "master.cf")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with suite.raw() as c:
        c.reply()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(f"127.0.0.1:{suite.smtp_port} inet", f"0.0.0.0:{suite.smtp_port} inet"))
        done = suite.postrider("reload")
        assert done.returncode == 0, done.stdout + done.stderr
        with suite.smtp() as d:
            assert d.noop()[0] == 250
        assert c.ask("NOOP\r\n").startswith("250")


@pytest.mark.parametrize("role", ["policy", "auth", "cleanup", "qmgr", "local", "meter"])
def test_a_process_that_is_killed_is_replaced(suite, role):
    with suite.raw() as c:
        c.reply()
        for line in ("EHLO x", "MAIL FROM:<a@b.example>"):
            c.ask(line + "\r\n")
        for pid in suite.processes(role):
            os.kill(pid, signal.SIGKILL)
        assert c.ask("RCPT TO:<user1@example.test>\r\n")[:3] in ("250", "451")
        assert c.ask("RSET\r\n").startswith("250")
    suite.wait_log(rf"process-died process={role}")
    until(lambda: suite.processes(role), role)

    def sends():
        try:
            return suite.send() == {}
        except smtplib.SMTPException:
            return False
    until(sends, "a message taken")
    suite.wait_messages(1)


def accepted(suite):
    """How many connections each smtpd has accepted, the first one first."""
    log = suite.log()
    return [len(re.findall(rf"smtpd\[{pid}\] info connect ", log)) for pid in suite.processes("smtpd")]


class Busy:
    """A client that gives a process more to do than a client has."""

    def __init__(self, suite):
        self.suite, self.over = suite, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            with self.suite.raw() as c:
                c.reply()
                c.say("NOOP\r\n" * 20000 + "QUIT\r\n")
                assert c.rest().count(b"250 ") == 20000

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_a_second_smtpd_helps_while_the_first_has_no_time():
    """And not else: who wakes up for nothing takes time from the others."""
    wanted = min(len(os.sched_getaffinity(0)), 4)
    with Suite(settings=["smtpd_junk_command_limit=1000000"]) as suite:
        def one_more():
            with suite.raw() as c:
                c.reply()
            return accepted(suite)
        counts = [one_more() for _ in range(5)][-1]
        assert len(counts) == wanted and counts[0] >= 5 and not any(counts[1:]), counts
        if wanted == 1:
            return
        with Busy(suite):
            until(lambda: one_more()[1] > 0, "a connection of the second")
        first = accepted(suite)[0]
        until(lambda: one_more()[0] > first, "a connection of the first")


def test_processes_that_die_all_the_time_lose_nothing(suite):
    roles = ["policy", "cleanup", "qmgr", "local", "auth", "smtpd"]
    with Load(suite) as load:
        for role in roles * 2:
            load.wait_sent(10)
            for pid in suite.processes(role)[:1]:
                os.kill(pid, signal.SIGKILL)
        load.wait_sent(10)
    suite.postrider("queue", "flush")
    until(lambda: set(load.sent) <= set(subjects(suite)), "each message")


def test_reloads_leave_no_descriptors(suite):
    def count(role):
        return len(os.listdir(f"/proc/{suite.processes(role)[0]}/fd"))

    def counts():
        master = len(os.listdir(f"/proc/{master_pid(suite)}/fd"))
        return {role: count(role) for role in ("smtpd", "login", "cleanup", "qmgr", "local", "imapd")} | {"master": master}

    def reload(times):
        for _ in range(times):
            replaced = len(re.findall(r"process-ended process=(policy|auth|pam) ", suite.log()))
            suite.postrider("reload")
            suite.wait_log(r"process-ended process=(policy|auth|pam) ", replaced + 2)

    def settled():
        now = counts()
        return now if counts() == now else None
    reload(1)
    before = until(settled)
    reload(5)
    until(lambda: counts() == before, "as many descriptors as before")


def test_a_process_that_hangs_does_not_hold_up_the_status(suite):
    pid = suite.processes("meter")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        done = suite.postrider("status")
        assert time.monotonic() - began < 8
        assert "meter" in done.stdout
    finally:
        os.kill(pid, signal.SIGCONT)
