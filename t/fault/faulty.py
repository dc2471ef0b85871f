"""A suite in which something is made to fail: with one process of each role, so that it meets the one that works."""
import os
import re
import subprocess
import time

from calls import CUT_OFF
from ledger import Client, Ledger, compare
from members import pids
from suite import INSTANCE, Suite, has_content
from waiting import until

SETTINGS = ("minimal_backoff_time=1s", "maximal_backoff_time=1s", "smtpd_client_connection_rate_limit=100000",
            "smtpd_client_event_limit_exceptions=", "smtpd_client_connection_count_limit=100000", "local_worker_idle=300s",
            "restart_backoff_max=0")
EMPTY_S = 60


class Faulty(Suite):
    """A suite with one process of each role, so that a fault meets the one that works; and what was sent to it."""

    leaves_unfinished = False  # deliveries in tmp/, as one who is killed does

    def start(self):
        super().start()
        self.ledger, self.labels, self.slowest, self.large = Ledger(), {}, 0.0, 0
        if self.most_set(cleanup=1, smtpd=1):
            assert self.postrider("reload").returncode == 0
            for role in ("cleanup", "smtpd"):
                until(lambda: len(pids(self.master_pid, role)) == 1, f"one {role}")
        return self

    def one(self, label):
        """What the client heard in the end; a connection that ends says 421."""
        ident, content, user = self.ledger.make(["user1"], 3000, self.large)
        self.labels[ident] = label
        try:
            with Client("127.0.0.1", self.smtp_port, local_hostname="client.example", timeout=20) as c:
                code, words = c.deliver(content, user)
        except OSError as e:  # smtplib's own exceptions are among them
            code, words = getattr(e, "smtp_code", CUT_OFF), getattr(e, "smtp_error", b"")
        if code == 250:
            self.ledger.promise(ident, content, user, words)
        elif code in (-1, CUT_OFF):
            code = CUT_OFF
        else:
            self.ledger.refused(ident, (code, words))
        return code

    def serves(self, label):
        """A good client is served within a second; on a machine that others keep busy, within its share of one."""
        begun = time.monotonic()
        until(lambda: self.one(f"after {label}") == 250, f"an answer after {label}", 10)
        took = time.monotonic() - begun
        self.slowest = max(self.slowest, took)
        assert took < max(1.2, os.getloadavg()[0] / os.cpu_count()), f"{took:.1f} s until an answer after {label}"

    def settle(self, may_be_twice):
        """Nothing is lost, nothing is twice that must not be, the queue is clean; then a new page of the ledger."""
        try:
            self.wait_queue_empty(EMPTY_S)
            until(lambda: not [f for f in self.queue_files("incoming") if has_content(f)], "no content in incoming")
            assert not self.queue_files("hold", "corrupt")
            twice = {self.labels[ident] for ident in compare(self.ledger, self.mail_dir, self.spool_dir)}
            assert twice <= may_be_twice, f"twice: {twice - may_be_twice}"
            assert self.leaves_unfinished or not self.mailbox_clear("tmp")
        finally:
            self.mailbox_clear("tmp", "new")
            self.ledger.promised.clear()
            self.ledger.unsure.clear()
            self.ledger.turned_away.clear()

    def mailbox_clear(self, *folders):
        """How many files there were."""
        there = [os.path.join(self.mail_dir, "user1", "Maildir", folder, name)
                 for folder in folders for name in os.listdir(os.path.join(self.mail_dir, "user1", "Maildir", folder))]
        for path in there:
            os.unlink(path)
        return len(there)

    def stop(self):
        """What a fault ended is no crash; a signal is, and so is what a sanitizer says."""
        self.is_up = False
        done = subprocess.run([INSTANCE, "stop", self.dir], capture_output=True, text=True)
        assert done.returncode == 0 or "crashes:" in done.stderr, done.stderr
        # 31: a call that its filter does not know, made by a worker that could not become what it must
        assert not re.findall(r"(?m)^.*-died .*signal (?!9\b|15\b|31\b).*$|^.*(?:Sanitizer|runtime error:).*$", self.log())
