"""Out of memory (HOSTILE 40): one process gets no more of it from the kernel while work comes. It ends by itself with status 71 and
is started again, or ends what needed it: clients are answered, nothing acknowledged is lost, and the others go on."""
import re
import smtplib

import pytest
from faulty import SETTINGS, Faulty
from ledger import Client
from members import pids
from test_calls import pytestmark  # noqa: F401  as root alone
from tracing import Trace
from waiting import until

NO_MORE = ("-einject=mmap,mremap:error=ENOMEM:syscall=getpid", "-einject=brk:retval=0:syscall=getpid", "-etrace=mmap,mremap,brk")
HOLDS_ALL = ["smtpd_recipient_limit=10000", "recipient_delimiter=+", "session_memory_limit=100000000", "header_size_limit=1000000",
             "smtpd_session_limit=2000", "smtpd_client_connection_count_limit=0", "smtpd_client_new_tls_session_rate_limit=0",
             "smtpd_client_recipient_rate_limit=0"]


class Hungry(Faulty):
    def sessions(self, count):
        """Open ones with TLS, all at a time."""
        some = []
        try:
            for _ in range(count):
                some.append(self.raw())
                some[-1].reply()
                some[-1].ask("EHLO x\r\n")
                some[-1].starttls(self.tls_context())
        finally:
            for c in some:
                c.close()

    def mail(self, count):
        """To a user whom the ledger does not know: many recipients, and a long header."""
        fields = "".join(f"X-Field-{n}: {'v' * 60}\r\n" for n in range(count))
        with Client("127.0.0.1", self.smtp_port, local_hostname="client.example", timeout=10) as c:
            c.sendmail("a@b.example", [f"user4+{n}{'x' * 40}@example.test" for n in range(count)], f"{fields}\r\nbody\r\n")

    def bounces(self, count):
        """Mail of a program to many users that there are not: one report."""
        to = [f"nobody{n}{'x' * 40}@example.test" for n in range(count)]
        assert self.command("sendmail", "-f", "user4@example.test", *to, input="\nbody\n").returncode == 0
        until(lambda: not self.queue_files("active", "deferred"), "an empty queue", 60)

    def starve(self, role, work):
        """More and more work, until it ends of it. Whether it did; what a library gives up alone, ends only a session."""
        before = pids(self.master_pid, role)
        with Trace(before, *NO_MORE, follows=False) as t:
            for count in (100, 300, 900, 2700):
                try:
                    work(self, count)
                except (OSError, smtplib.SMTPException):
                    pass  # cut off, or refused for now
                if not set(before) <= set(pids(self.master_pid, role)):
                    return True
            assert "INJECTED" in t.said(), f"{role} asked for no memory"
        return False


@pytest.fixture(scope="module")
def hungry():
    with Hungry(settings=[*SETTINGS, *HOLDS_ALL], build="release", users=4) as s:
        s.serves("the start")
        s.mail(1)  # its worker is there
        s.wait_queue_empty()
        s.settle(set())
        yield s


WORKERS = {"local-worker"}


@pytest.mark.parametrize("role, work", [("local-worker", Hungry.mail), ("smtpd", Hungry.sessions), ("smtpd", Hungry.mail),
                                        ("cleanup", Hungry.mail), ("qmgr", Hungry.mail), ("bounce", Hungry.bounces)])
def test_a_process_without_memory(hungry, role, work):
    s = hungry
    seen = len(s.log())
    has_ended = s.starve(role, work)
    s.serves(role)
    s.wait_queue_empty(120)
    s.settle({role})
    assert has_ended or work is not Hungry.mail
    died = re.findall(r"(?m)^.*-died .*$", s.log()[seen:])
    if role in WORKERS:
        assert died and all("worker-died" in line and "status 71" in line for line in died), died
    else:
        assert len(died) == has_ended and all(f"process={role} " in line and "status 71" in line for line in died), died
