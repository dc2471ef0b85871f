"""Reports (RFC 3464, 6522) as Python's email package reads them."""
import email
import email.policy
import os

from smtp_steps import reload_all
from waiting import until

MAILER = "MAILER-DAEMON@mail.example.test"


class Report:
    """One report: its parts, checked for their grammar as they are read."""

    def __init__(self, content):
        self.content = content
        self.mail = email.message_from_bytes(content, policy=email.policy.default)
        assert self.mail.get_content_type() == "multipart/report", content.decode(errors="replace")
        assert self.mail["Content-Type"].params["report-type"] == "delivery-status"
        defects = [d for part in self.mail.walk() for d in part.defects]
        assert not defects, (defects, content.decode(errors="replace"))
        parts = self.mail.get_payload()
        assert len(parts) == 3, content.decode(errors="replace")
        self.text, self.status, self.returned = parts
        assert self.text.get_content_type() == "text/plain"
        assert self.status.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        for line in content.replace(b"\r\n", b"\n").split(b"\n"):
            assert len(line) <= 998 and b"\r" not in line and b"\0" not in line

    @property
    def words(self):
        return self.text.get_content()

    def groups(self):
        """[of the message, of each recipient, ...], as dictionaries with lower-case names."""
        blocks = self.status.get_payload()
        if self.status.get_content_type() != "message/delivery-status":  # which Python takes for one message
            part = self.content.replace(b"\r\n", b"\n").split(f"\n--{self.mail.get_boundary()}".encode())[2]
            policy = email.policy.default.clone(utf8=True)
            blocks = [email.message_from_string(b, policy=policy) for b in part.decode().partition("\n\n")[2].strip().split("\n\n")]
        return [{name.lower(): str(value) for name, value in block.items()} for block in blocks]

    def message(self):
        return self.groups()[0]

    def recipients(self):
        return self.groups()[1:]

    def recipient(self):
        [one] = self.recipients()
        return one

    def to(self):
        return str(self.mail["To"])


def reports(suite, user="user1"):
    return [Report(m) for m in suite.messages(user) if b"multipart/report" in m]


def wait_reports(suite, count, user="user1", about=None):
    """The reports in a user's mailbox, of one message if `about` names it, when there are so many."""
    def found():
        return [r for r in reports(suite, user) if about is None or r.message()["x-postrider-queue-id"] == about]
    return until(lambda: len(f := found()) >= count and f, f"{count} reports about {about} for {user}")


def submit(suite, to, sender="user1@example.test", mail=(), rcpt=(), head="Subject: x\r\nMessage-ID: <original@client.example>\r\n",
           body="body\r\n"):
    """Sends by SMTP; the queue id."""
    with suite.smtp() as c:
        c.ehlo()
        code, words = c.mail(sender, list(mail))
        assert code == 250, words
        for address in [to] if isinstance(to, str) else to:
            code, words = c.rcpt(address, list(rcpt))
            assert code == 250, words
        code, words = c.data((f"{head}\r\n{body}").encode() if isinstance(head, str) else head)
        assert code == 250, words
        return words.split()[-1].decode()


def aliases(suite, **names):
    """Sets the local aliases; they stand beside those that the suite has."""
    path = os.path.join(suite.config_dir, "aliases")
    with open(path, encoding="utf-8") as f:
        kept = [line for line in f if line.split(":")[0] not in names]
    with open(path, "w", encoding="utf-8") as f:
        f.writelines([*kept, *[f"{name}: {value}\n" for name, value in names.items()]])
    reload_all(suite)


def gone(suite, queue_id):
    until(lambda: not any(f.endswith(queue_id) for f in suite.queue_files()), f"the end of {queue_id}")
