"""What becomes of an accepted message: deferred and tried again, failed for good and held, changed by an admin, damaged on disk
(HOSTILE 37); and reloads, good and bad, under open sessions."""
import os
import shutil
import struct

import pytest

from smtp_steps import arrived, envelope, hello, is_settled, marked, reload_all, send, set_all, write
from suite import Suite, has_content
from waiting import until


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "minimal_backoff_time=1000s", "maximal_backoff_time=4000s"]) as s:
        yield s


def maildir(suite, user):
    return os.path.join(suite.mail_dir, user, "Maildir")


class Blocked:
    """A user whose mail cannot be delivered for now: nobody may enter his Maildir."""

    def __init__(self, suite, user):
        self.path = maildir(suite, user)

    def __enter__(self):
        os.chmod(self.path, 0)

    def __exit__(self, *_):
        os.chmod(self.path, 0o700)


def queued(suite, mark, to, sender="a@b.example"):
    with hello(suite) as c:
        reply = send(c, mark, to=to, sender=sender)
    assert reply.startswith("250 2.0.0")
    return reply.split()[-1]


def place_of(suite, queue_id):
    found = [f for f in suite.queue_files("incoming", "active", "deferred", "hold", "corrupt")
             if f.endswith(queue_id) and has_content(f)]  # a blank one is kept for a new message
    return os.path.relpath(found[0], os.path.join(suite.spool_dir, "queue")).split("/")[0] if found else None


def wait_place(suite, queue_id, place):
    until(lambda: place_of(suite, queue_id) == place, f"{queue_id} in {place}")


# ---- tried again ----

def test_a_delivery_that_fails_is_deferred_and_flushed(suite):
    with Blocked(suite, "user2"):
        queue_id = queued(suite, "mark-deferred", "user2@example.test")
        wait_place(suite, queue_id, "deferred")
        assert f"deferred id={queue_id}" in suite.log()
        listed = suite.postrider("queue", "list").stdout
        assert queue_id in listed
        # Others are served meanwhile.
        queued(suite, "mark-beside", "user1@example.test")
        arrived(suite, "mark-beside")
        # A flush while it still fails defers it again, with what it was.
        assert suite.postrider("queue", "flush", queue_id).returncode == 0
        suite.wait_log(f"deferred id={queue_id}", 2)
        wait_place(suite, queue_id, "deferred")
    assert suite.postrider("queue", "flush", "ALL").returncode == 0
    arrived(suite, "mark-deferred", "user2")
    suite.wait_queue_empty()


def test_of_three_recipients_one_waits(suite):
    with Blocked(suite, "user3"):
        with hello(suite) as c:
            c.ask("MAIL FROM:<a@b.example>\r\n")
            for n in (1, 2, 3):
                c.ask(f"RCPT TO:<user{n}@example.test>\r\n")
            c.ask("DATA\r\n")
            queue_id = c.ask("Subject: x\r\n\r\nmark-one-waits\r\n.\r\n").split()[-1]
        wait_place(suite, queue_id, "deferred")
        arrived(suite, "mark-one-waits", "user1")
        arrived(suite, "mark-one-waits", "user2")
    suite.postrider("queue", "flush", queue_id)
    arrived(suite, "mark-one-waits", "user3")
    suite.wait_queue_empty()
    for n in (1, 2):
        assert len(marked(suite, "mark-one-waits", f"user{n}")) == 1


def test_back_off_of_a_short_time_runs_by_itself():
    with Suite(settings=["minimal_backoff_time=1s", "maximal_backoff_time=1s"]) as suite:
        with Blocked(suite, "user1"):
            queue_id = queued(suite, "mark-by-itself", "user1@example.test")
            suite.wait_log(f"deferred id={queue_id}", 3)
        arrived(suite, "mark-by-itself")
        suite.wait_queue_empty()


def test_a_message_that_is_too_old_is_reported_with_its_reason():
    with Suite(settings=["maximal_queue_lifetime=0", "bounce_queue_lifetime=0"]) as suite:
        with Blocked(suite, "user1"):
            queue_id = queued(suite, "mark-old", "user1@example.test", sender="user2@example.test")
            report = arrived(suite, f"X-Postrider-Queue-ID: {queue_id}", "user2")
            assert b"Action: failed" in report and b"Status: 4." in report and b"mark-old" in report
            wait_place(suite, queue_id, None)
        suite.wait_queue_empty()


# ---- by an admin ----

def test_hold_release_and_delete(suite):
    with Blocked(suite, "user2"):
        first, second = (queued(suite, f"mark-admin-{n}.", "user2@example.test") for n in (1, 2))
        for queue_id in (first, second):
            wait_place(suite, queue_id, "deferred")
        assert suite.postrider("queue", "hold", first).returncode == 0
        wait_place(suite, first, "hold")
        assert suite.postrider("queue", "delete", second, "--yes").returncode == 0
        assert place_of(suite, second) is None
        assert "mark-admin-1." in suite.postrider("queue", "cat", first).stdout
    suite.postrider("queue", "flush", "ALL")
    assert not marked(suite, "mark-admin-1.", "user2")
    assert suite.postrider("queue", "release", first).returncode == 0
    arrived(suite, "mark-admin-1.", "user2")
    suite.wait_queue_empty()
    assert not marked(suite, "mark-admin-2.", "user2")
    for verb in ("show", "hold", "release", "delete", "flush"):
        assert suite.postrider("queue", verb, "0123456789B").returncode != 0


# ---- what a restart finds ----

def stop_with_mail(suite, count):
    """Messages that wait in deferred while the suite is killed."""
    with Blocked(suite, "user3"):
        ids = [queued(suite, f"mark-found-{n:02}.", "user3@example.test") for n in range(count)]
        for queue_id in ids:
            wait_place(suite, queue_id, "deferred")
        suite.kill()
    return ids


def path_of(suite, queue_id):
    return next(f for f in suite.queue_files("active", "deferred", "hold") if f.endswith(queue_id))


def test_damaged_files_are_set_aside_and_the_others_delivered():
    with Suite() as suite:
        ids = stop_with_mail(suite, 30)
        whole = ids[:3]
        size = os.path.getsize(path_of(suite, ids[0]))
        sample = [0, 7, 8, 16, 40, 60, 80, 87, size - 1, size - 5, size - 20, size - 32]  # head and end: bits flipped
        for n, at in enumerate(sample):
            with open(path_of(suite, ids[3 + n]), "r+b") as f:
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(struct.pack("B", byte ^ 1 << n % 8))
        for n, length in enumerate([0, 1, 88, 4095, 4096, 4097, size - 1, size - 33]):  # cut
            os.truncate(path_of(suite, ids[15 + n]), length)
        with open(path_of(suite, ids[23]), "r+b") as f:  # content
            f.seek(4096 + 3)
            f.write(b"X")
        with open(path_of(suite, ids[24]), "ab") as f:
            f.write(b"more")
        shutil.copy(path_of(suite, ids[0]), path_of(suite, ids[25]))  # another's under this name
        folder = os.path.dirname(path_of(suite, ids[0]))
        write(os.path.join(folder, "core"), "no queue file")
        os.mkdir(os.path.join(folder, "folder"))
        active = os.path.join(suite.spool_dir, "queue", "active")
        shutil.move(path_of(suite, ids[26]), active)
        os.truncate(path_of(suite, ids[26]), 5000)  # never finished: was never acknowledged there
        for base, _, names in os.walk(os.path.join(suite.spool_dir, "queue")):
            for name in names:
                owner = os.stat(os.path.join(suite.spool_dir, "queue", "active"))
                os.chown(os.path.join(base, name), owner.st_uid, owner.st_gid)
        suite.start()
        suite.postrider("queue", "flush", "ALL")
        for n, queue_id in enumerate(whole):
            arrived(suite, f"mark-found-{n:02}.", "user3")
        for n in (27, 28, 29):
            arrived(suite, f"mark-found-{n:02}.", "user3")
        until(lambda: all(place_of(suite, i) in ("corrupt", None) for i in ids), "all to be settled")
        corrupt = {os.path.basename(f) for f in suite.queue_files("corrupt")}
        assert [n for n in range(3, 26) if ids[n] not in corrupt] == [] and not corrupt & set(whole)
        assert place_of(suite, ids[26]) is None
        assert len(suite.messages("user3")) == 6
        suite.send("Subject: x\r\n\r\nmark-lives\r\n")
        arrived(suite, "mark-lives")


def test_what_was_not_acknowledged_is_not_delivered():
    with Suite() as suite:
        with hello(suite) as c:
            assert envelope(c).startswith("250")
            assert c.ask("DATA\r\n").startswith("354")
            c.say("Subject: x\r\n\r\nmark-half\r\n" + 400 * f"{'x' * 70}\r\n")  # of a small one there would be no file yet
            until(lambda: suite.queue_files("incoming"), "the file")
            suite.kill()
        suite.start()
        until(lambda: "queue-scanned" in suite.log(), "the scan")
        assert not suite.queue_files("active", "deferred", "hold", "corrupt")
        suite.send("Subject: x\r\n\r\nmark-whole\r\n")
        arrived(suite, "mark-whole")
        assert not marked(suite, "mark-half")


def test_ids_are_never_given_twice():
    with Suite() as suite:
        ids = []
        for _ in range(3):
            ids += [queued(suite, "x", "user1@example.test") for _ in range(5)]
            suite.wait_queue_empty()
            suite.kill()
            suite.start()
        assert len(set(ids)) == len(ids)


# ---- reload ----

def config(suite, name):
    return suite.postrider("config", name).stdout


def test_a_bad_configuration_never_replaces_a_good_one(suite):
    path = os.path.join(suite.config_dir, "main.cf")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    for bad in ("smtpd_timeout = soon\n", "no_such_parameter = 1\n", "smtpd_client_restrictions = check_client_access nosuch:x\n",
                "smtpd_recipient_restrictions = permit_everything\n", "smtpd_relay_restrictions = permit\n", "this is no line\n",
                "smtpd_helo_restrictions = check_helo_access texthash:\n"):
        write(path, good + bad)
        done = suite.postrider("reload")
        assert done.returncode != 0, bad
        assert "main.cf" in done.stderr + done.stdout, (bad, done.stderr)
        with hello(suite) as c:
            assert send(c, "mark-still").startswith("250")
    write(path, good)
    reload_all(suite)
    suite.wait_queue_empty()
    assert len(marked(suite, "mark-still")) == 7


def test_open_sessions_finish_under_their_rules(suite):
    with hello(suite) as old, hello(suite) as within:
        assert envelope(within).startswith("250")
        assert within.ask("DATA\r\n").startswith("354")
        set_all(suite, message_size_limit="20000", smtpd_banner="$myhostname ESMTP changed")
        within.say("Subject: x\r\n\r\nmark-within-reload\r\n" + "x" * 30000 + "\r\n.\r\n")
        assert within.reply().startswith("250")
        assert old.ask("MAIL FROM:<a@b.example> SIZE=30000\r\n").startswith("250")
        with suite.raw() as new:
            assert new.reply().endswith("ESMTP changed")
            new.ask("EHLO x.example\r\n")
            assert new.ask("MAIL FROM:<a@b.example> SIZE=30000\r\n").startswith("552")
        assert old.ask("RCPT TO:<user1@example.test>\r\n").startswith("250")
        old.ask("DATA\r\n")
        assert old.ask("Subject: x\r\n\r\nmark-old-session\r\n" + "x" * 30000 + "\r\n.\r\n").startswith("250")
    arrived(suite, "mark-within-reload")
    arrived(suite, "mark-old-session")
    set_all(suite, message_size_limit="10240000", smtpd_banner="$myhostname ESMTP")


def test_reloads_under_load_lose_nothing(suite):
    sent = 0
    for _ in range(8):
        clients = [hello(suite) for _ in range(5)]
        assert suite.postrider("reload").returncode == 0
        for c in clients:
            for _ in range(3):
                assert send(c, f"mark-load-{sent}.").startswith("250")
                sent += 1
            c.close()
    until(lambda: is_settled(suite), "the last reload")
    suite.wait_queue_empty()
    for n in range(sent):
        arrived(suite, f"mark-load-{n}.")
