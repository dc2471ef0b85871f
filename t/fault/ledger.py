"""Clients that write down what was acknowledged, and the comparison of that with what is there."""
import os
import random
import re
import smtplib
import threading
import time

QUEUED = re.compile(rb"queued as (\w+)")
LINE = 72
FILE_BYTES = 17000


class Ledger:
    """What was promised: {id: (content, recipient's user, queue id, when it was said)}, and what was begun without an answer."""

    def __init__(self, seed=1):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.next, self.promised, self.unsure, self.turned_away = 0, {}, {}, {}

    def make(self, users, most_bytes=20000, large=0.15):
        """A new message: (id, content with CRLF, user); that share of them is too large to come within smtpd's commit."""
        with self.lock:
            self.next += 1
            ident, size = f"id-{self.next:08d}", int(self.random.expovariate(1 / 2000)) % most_bytes
            size += FILE_BYTES if self.random.random() < large else 0
            text = "%x" % self.random.getrandbits(4 * size + 4)
            user = users[self.next % len(users)]
        lines = [text[i:i + LINE] for i in range(0, len(text), LINE)]
        lines = ["." + line if n % 7 == 3 else line for n, line in enumerate(lines)]  # for the dots of RFC 5321 4.5.2
        content = "\r\n".join([f"Subject: {ident}", "From: a@b.example", f"X-Ledger: {ident}", "", *lines, ""]).encode()
        self.unsure[ident] = (content, user)
        return ident, content, user

    def promise(self, ident, content, user, reply):
        found = QUEUED.search(reply)
        self.promised[ident] = (content, user, found and found.group(1).decode(), time.time())
        del self.unsure[ident]

    def refused(self, ident, reply):
        self.turned_away[ident] = reply
        del self.unsure[ident]

    def count(self):
        return len(self.promised)


class Client(smtplib.SMTP):
    """Sends one message as the ledger wants it, and says what was answered to the dot."""

    def deliver(self, content, user):
        self.ehlo_or_helo_if_needed()
        self.expect(self.mail("a@b.example"), 250)
        self.expect(self.rcpt(f"{user}@example.test"), 250)
        return self.data(content)

    @staticmethod
    def expect(answer, code):
        if answer[0] != code:
            raise smtplib.SMTPResponseException(*answer)


class Load:
    """Clients in threads that send until they are stopped; each connection carries a few messages."""

    def __init__(self, port, ledger, clients=4, users=("user1", "user2", "user3"), each=5, most_bytes=20000):
        self.port, self.ledger, self.users, self.each, self.most_bytes = port, ledger, users, each, most_bytes
        self.is_ending = threading.Event()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(clients)]

    def work(self):
        while not self.is_ending.is_set():
            try:
                with Client("127.0.0.1", self.port, local_hostname="client.example", timeout=30) as c:
                    for _ in range(self.each):
                        self.one(c)
            except (OSError, smtplib.SMTPException):
                self.is_ending.wait(0.02)  # nobody listens, or it was cut off: the next connection tries again

    def one(self, client):
        ident, content, user = self.ledger.make(self.users, self.most_bytes)
        try:
            code, reply = client.deliver(content, user)
        except smtplib.SMTPResponseException as e:
            self.ledger.refused(ident, (e.smtp_code, e.smtp_error))
            raise
        if code == 250:
            self.ledger.promise(ident, content, user, reply)
        elif code != 421:  # which says that the connection ends, and nothing of the message
            self.ledger.refused(ident, (code, reply))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.is_ending.set()
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), "a client hangs"


IDENT = re.compile(rb"^X-Ledger: (\S+)\r?$", re.M)


def files(folder):
    """{base name: content} of a Maildir; a reader may move its files from new to cur meanwhile."""
    found = {}
    for sub in ("new", "cur", "new", "cur"):
        for name in os.listdir(os.path.join(folder, sub)):
            if (base := name.partition(":")[0]) in found:
                continue
            try:
                with open(os.path.join(folder, sub, name), "rb") as f:
                    found[base] = f.read()
            except FileNotFoundError:
                pass  # the next look finds it
    return found


def is_notice(content):
    """Of a session in which something failed (notify_classes: resource, software)."""
    is_letter = content.startswith(b"Return-Path: <double-bounce@") and b"\nTranscript of the session:" in content
    return is_letter and not IDENT.search(content)


def delivered(mail_dir, users=("user1", "user2", "user3")):
    """{id: [(user, file's content)]} of all Maildirs."""
    found = {}
    for user in users:
        for name, content in files(os.path.join(mail_dir, user, "Maildir")).items():
            if is_notice(content):
                continue
            ident = IDENT.search(content)
            assert ident, f"{name} of {user} is torn: {content[:200]!r}"
            found.setdefault(ident.group(1).decode(), []).append((user, content))
    return found


def queued(spool_dir):
    """{id: content of the queue file}"""
    found = {}
    for place in ("active", "deferred", "hold"):
        for base, _, names in os.walk(os.path.join(spool_dir, "queue", place)):
            for name in names:
                try:
                    with open(os.path.join(base, name), "rb") as f:
                        content = f.read()
                except FileNotFoundError:
                    continue  # a blank that is given back, or a message that is found in the next folder
                if b"PRQ-END1" in content[-32:] and (ident := IDENT.search(content)):
                    found[ident.group(1).decode()] = content
    return found


def is_same(content, there):
    """The content as it was sent, behind the fields that delivery adds; a Maildir may keep lines with LF."""
    return there.endswith(b"\r\n" + content) or there.endswith(b"\n" + content.replace(b"\r\n", b"\n"))


def compare(ledger, mail_dir, spool_dir, users=("user1", "user2", "user3")):
    """Fails when something promised is lost or changed, or something unknown is there; returns {id: copies} above one."""
    there, waiting = delivered(mail_dir, users), queued(spool_dir)
    lost = [i for i in ledger.promised if i not in there and i not in waiting]
    assert not lost, f"{len(lost)} of {len(ledger.promised)} acknowledged messages are lost: {lost[:20]}"
    for ident, copies in there.items():
        content, user, *_ = ledger.promised.get(ident) or ledger.unsure.get(ident) or (None, None)
        assert content is not None, f"{ident} was refused ({ledger.turned_away.get(ident)}), and was delivered"
        for box, copy in copies:
            assert box == user and is_same(content, copy), f"{ident} is not what was sent"
    for ident, content in waiting.items():
        sent = ledger.promised.get(ident) or ledger.unsure.get(ident)
        assert sent is None or sent[0] in content, f"{ident} in the queue is not what was sent"
    return {ident: len(copies) for ident, copies in there.items() if len(copies) > 1}
