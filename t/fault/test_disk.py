"""A disk that is full or fails: 452 and a clean queue, nothing lost, and the suite recovers by itself."""
import os
import smtplib

import pytest
from disks import Ballast, Files, Image, Memory
from ledger import Client, Ledger, compare, files
from members import pids
from suite import Suite, has_content
from tracing import Trace
from waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and trace")
QUICK = ("minimal_backoff_time=1s", "maximal_backoff_time=2s", "smtpd_client_connection_rate_limit=0")


class OnDisk(Suite):
    """One folder of the instance lies on a disk of its own."""

    def __init__(self, name, disk, settings=QUICK, **more):
        super().__init__(settings=settings, **more)
        folder = os.path.join(self.dir, name)
        os.mkdir(folder, 0o755)
        self.disk = disk(folder)

    def __exit__(self, kind, value, trace):
        try:
            if self.is_up:
                self.stop() if kind is None else self.kill()
        finally:
            self.disk.close()
            super().__exit__(kind, value, trace)


LARGE = (b"y" * 70 + b"\r\n") * 400  # has a file in the queue from the start


def send(suite, ledger, user="user1", content=None):
    """The reply to the end of data, or the one that came before it and said no."""
    ident, made, user = ledger.make([user])
    with Client("127.0.0.1", suite.smtp_port, local_hostname="client.example", timeout=30) as c:
        c.ehlo()
        for code, words in (c.mail("a@b.example"), c.rcpt(f"{user}@example.test")):
            if code != 250:
                ledger.refused(ident, (code, words))
                return code, words
        if content is not None:
            ledger.unsure[ident] = (made + content, user)
        try:
            code, words = c.data(ledger.unsure[ident][0])
        except smtplib.SMTPDataError as e:  # to DATA itself
            code, words = e.smtp_code, e.smtp_error
        if code == 250:
            ledger.promise(ident, ledger.unsure[ident][0], user, words)
        else:
            ledger.refused(ident, (code, words))
        return code, words


def leftovers(suite):
    """What holds content in the queue; blank files in stock have none."""
    return [f for f in suite.queue_files("incoming", "active", "deferred", "hold", "corrupt") if has_content(f)]


@pytest.mark.parametrize("full", [lambda folder: Ballast(folder), Files], ids=["bytes", "inodes"])
def test_a_full_queue_says_452_and_recovers(full):
    ledger, answers = Ledger(), []
    with OnDisk("spool", lambda folder: Memory(folder, 24, 600), settings=("queue_minfree=65536", *QUICK)) as s:
        assert send(s, ledger)[0] == 250
        weight = full(s.spool_dir)
        closed = os.path.join(s.mail_dir, "user2", "Maildir")
        os.chmod(closed, 0)  # so that each needs the queue
        until(lambda: answers.append(send(s, ledger, "user2")) or sum(code != 250 for code, _ in answers) >= 8, "a full disk")
        assert {(code, words[:5]) for code, words in answers} <= {(452, b"4.3.1"), (250, b"2.0.0")}, answers
        assert send(s, ledger)[0] in (250, 452)  # nothing is refused that is delivered
        os.chmod(closed, 0o700)
        weight.drop()
        until(lambda: send(s, ledger)[0] == 250, "room")
        s.wait_queue_empty()
        until(lambda: not leftovers(s), "a clean queue")
        assert compare(ledger, s.mail_dir, s.spool_dir) == {}


def test_room_that_ends_in_the_middle_of_a_message():
    ledger = Ledger()
    with OnDisk("spool", lambda folder: Memory(folder, 24), settings=("queue_minfree=1", *QUICK)) as s:
        assert send(s, ledger)[0] == 250
        s.wait_queue_empty()
        weight = Ballast(s.spool_dir, 1 << 20)
        for _ in range(3):
            code, words = send(s, ledger, content=b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 60000)
            assert (code, words[:5]) == (452, b"4.3.1")
            until(lambda: not leftovers(s), "a clean queue")
        assert send(s, ledger)[0] == 250, "a small one still fits"
        weight.drop()
        assert send(s, ledger, content=(b"y" * 70 + b"\r\n") * 60000)[0] == 250
        s.wait_queue_empty()
        assert compare(ledger, s.mail_dir, s.spool_dir) == {}


@pytest.mark.parametrize("full", [lambda folder: Ballast(folder), Files], ids=["bytes", "inodes"])
def test_full_mailboxes_wait_in_the_queue(full):
    ledger = Ledger()
    with OnDisk("mail", lambda folder: Memory(folder, 24, 600)) as s:
        assert send(s, ledger)[0] == 250
        s.wait_messages(1)
        weight = full(s.mail_dir)
        for _ in range(5):
            assert send(s, ledger, "user2")[0] == 250
        s.wait_log(r"deferred .*user2@example.test", 5)
        weight.drop()
        s.wait_queue_empty()
        assert compare(ledger, s.mail_dir, s.spool_dir) == {}
        for user in ("user1", "user2"):
            assert os.listdir(os.path.join(s.mail_dir, user, "Maildir", "tmp")) == []


def test_append_to_a_full_mailbox():
    with OnDisk("mail", lambda folder: Memory(folder, 24)) as s, s.imap() as c:
        text = b"Subject: x\r\n\r\n" + b"body\r\n" * 20000
        assert c.append("INBOX", None, None, text)[0] == "OK"
        weight = Ballast(s.mail_dir, 40000)
        answer = c.append("INBOX", None, None, text)
        assert answer[0] == "NO", answer
        assert c.select("INBOX")[1] == [b"1"]
        weight.drop()
        assert c.append("INBOX", None, None, text)[0] == "OK"
        assert c.select("INBOX")[1] == [b"2"]
        assert len(files(os.path.join(s.mail_dir, "user1", "Maildir"))) == 2


def test_a_queue_that_becomes_read_only(tmp_path):
    ledger = Ledger()
    with OnDisk("spool", lambda folder: Image(tmp_path / "image", folder)) as s:
        assert send(s, ledger)[0] == 250
        s.wait_queue_empty()
        s.disk.cut()
        answers = [send(s, ledger, content=LARGE) for _ in range(5)]
        assert all(400 <= code < 500 for code, _ in answers), answers
        before = len(s.messages())
        small = [send(s, ledger)[0] for _ in range(5)]  # these need the queue only if they cannot be delivered at once
        assert all(code == 250 or 400 <= code < 500 for code in small), small
        assert len(s.messages()) >= before + small.count(250)
        os.chmod(os.path.join(s.mail_dir, "user2", "Maildir"), 0)
        assert 400 <= send(s, ledger, "user2")[0] < 500
        os.chmod(os.path.join(s.mail_dir, "user2", "Maildir"), 0o700)
        s.kill()
        s.disk.close()
        s.disk.mount()
        s.start()
        assert send(s, ledger)[0] == 250
        s.wait_queue_empty()
        compare(ledger, s.mail_dir, s.spool_dir)  # what was removed may be there again


def tried(suite, user):
    try:
        return send(suite, suite.ledger, user)[0]
    except OSError:
        return 421  # was cut off


def call_fails(s, call, error, when):
    """In cleanup. The message is accepted and delivered, or it is not accepted; never neither, never both. Returns the codes."""
    with Trace(pids(s.master_pid, "cleanup"), f"-einject={call}:error={error}:syscall=getpid:when={when}", f"-etrace={call}") as t:
        codes = [tried(s, f"user{n % 3 + 1}") for n in range(12)]
        assert set(codes) <= {250, 421, 451, 452}, codes
        until(lambda: "INJECTED" in t.said(), "the fault", 15)
    assert tried(s, "user1") == 250 or tried(s, "user1") == 250
    s.wait_queue_empty()
    compare(s.ledger, s.mail_dir, s.spool_dir)
    assert not s.queue_files("hold", "corrupt")
    return codes


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """A field of each message is replaced by the same: its content is written anew, and must be what it was."""
    folder = tmp_path_factory.mktemp("checks")
    for place in (folder, folder.parent, folder.parent.parent):
        os.chmod(place, 0o755)
    (folder / "rules").write_text("/^(Subject: .*)$/ REPLACE $1\n")
    with Suite(settings=(*QUICK, f"header_checks=pcre:{folder}/rules"), build="release") as s:
        s.ledger = Ledger()
        assert send(s, s.ledger)[0] == 250
        s.wait_log("action=replace")
        s.wait_queue_empty()
        yield s


@pytest.mark.parametrize("when", ["1+", "3"])
@pytest.mark.parametrize("call, error", [("pread64", "EIO"), ("pwrite64", "ENOSPC"), ("fallocate", "EOPNOTSUPP")])
def test_a_call_that_fails_while_the_content_changes(changing, call, error, when):
    codes = call_fails(changing, call, error, when)
    if call == "fallocate":
        assert set(codes) == {250}  # what was there before may stay
    elif when == "1+":
        assert 250 not in codes


def test_a_message_that_cannot_be_removed_is_not_delivered_again():
    ledger = Ledger()
    with Suite(build="release", settings=QUICK) as s:
        with Trace(pids(s.master_pid, "qmgr"), "-einject=ftruncate,unlinkat:error=EIO:syscall=getpid",
                   "-etrace=ftruncate,unlinkat"):
            for n in range(3):
                assert send(s, ledger)[0] == 250
            s.wait_log("not-removed", 3)
        s.stop()
        s.start()
        s.wait_queue_empty()
        assert compare(ledger, s.mail_dir, s.spool_dir) == {}
