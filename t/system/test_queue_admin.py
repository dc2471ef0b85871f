"""postrider queue and mailq, on a running and on a stopped suite."""
import json
import os
import re
import subprocess
import time

import pytest
from suite import Suite
from waiting import until

ORDINARY_UID = 21000
is_root = os.geteuid() == 0


@pytest.fixture
def s():
    """user2 has a mail folder that nobody may enter: mail for him waits."""
    with Suite() as suite:
        os.chmod(os.path.join(suite.mail_dir, "user2", "Maildir"), 0)
        yield suite


def hold_one(s, subject="held", to="user2@example.test"):
    """A message that could not be delivered, and is held. Returns its id."""
    before = set(listed(s))
    assert s.command("sendmail", to, input=f"Subject: {subject}\n\nbody of {subject}\n").returncode == 0
    found = until(lambda: {i: m for i, m in listed(s).items() if i not in before and m["place"] == "deferred"}, "a deferred message")
    ident = next(iter(found))
    assert s.postrider("queue", "hold", ident).returncode == 0
    return ident


def listed(s):
    done = s.postrider("queue", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {m["id"]: m for m in map(json.loads, done.stdout.splitlines())}


def test_an_empty_queue(s):
    assert s.postrider("queue", "list").stdout == "the queue is empty\n"
    assert s.postrider("queue", "list", "--json").stdout == ""
    assert s.command("mailq").stdout == "Mail queue is empty\n"
    s.stop()
    assert s.postrider("queue", "list").stdout == "the queue is empty\n"
    assert s.command("mailq").stdout == "Mail queue is empty\n"
    s.start()


def look(s, ident):
    """What must be seen of the held message, whether the suite runs or not."""
    m = listed(s)[ident]
    assert m["place"] == "hold" and m["sender"].endswith("@mail.example.test") and m["bytes"] > 100
    assert [r["state"] for r in m["recipients"]] == ["deferred"]
    assert m["recipients"][0]["status"] == "4.2.0" and "mail folder" in m["recipients"][0]["reason"]
    text = s.postrider("queue", "list").stdout
    assert text.startswith(f"{ident} hold ") and "<user2@example.test> deferred: 4.2.0" in text
    shown = s.postrider("queue", "show", ident)
    assert shown.returncode == 0 and re.search(r"(?m)^place +hold$", shown.stdout)
    assert json.loads(s.postrider("queue", "show", ident, "--json").stdout)["id"] == ident
    content = s.postrider("queue", "cat", ident.lower(), text=False).stdout
    assert content.startswith(b"Received: ") and content.endswith(b"\r\n\r\nbody of held\r\n")
    mailq = s.command("mailq").stdout
    assert mailq.startswith("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n")
    assert f"\n{ident}! " in mailq and mailq.rstrip().endswith("in 1 Request.")
    return content


def test_the_same_is_seen_running_and_stopped(s):
    ident = hold_one(s)
    running = look(s, ident)
    s.stop()
    assert look(s, ident) == running
    path = s.queue_files("hold")[0]
    assert s.postrider("queue", "cat", path, text=False).stdout == running
    s.start()
    assert look(s, ident) == running


def test_release_tries_again_and_delivers(s):
    ident = hold_one(s)
    assert s.postrider("queue", "release", ident).stdout == "release: 1 message\n"
    s.wait_log(f"deferred id={ident}", 2)
    until(lambda: listed(s)[ident]["place"] == "deferred", "the second try")
    assert s.postrider("queue", "hold", ident).returncode == 0
    os.chmod(os.path.join(s.mail_dir, "user2", "Maildir"), 0o700)
    assert s.postrider("queue", "release", ident, "--json").stdout == '{"changed":1}\n'
    s.wait_messages(1, "user2")


def test_delete(s):
    idents = [hold_one(s, f"one {n}") for n in range(3)]
    done = s.postrider("queue", "delete", idents[0], stdin=subprocess.DEVNULL)
    assert done.returncode == 64 and "say --yes" in done.stderr and set(listed(s)) == set(idents)
    assert s.postrider("queue", "delete", idents[0], "--yes").returncode == 0
    assert set(listed(s)) == set(idents[1:])
    s.stop()
    assert s.postrider("queue", "delete", idents[1], stdin=subprocess.DEVNULL).returncode == 64
    assert s.postrider("queue", "delete", idents[1], "--yes").returncode == 0
    assert set(listed(s)) == {idents[2]}
    s.start()
    assert set(listed(s)) == {idents[2]}
    assert s.postrider("queue", "delete", "ALL", "--yes").stdout == "delete: 1 message\n"
    assert listed(s) == {} and s.queue_files() == []


def test_changes_of_a_stopped_queue_are_what_the_next_start_finds(s):
    ident = hold_one(s)
    s.stop()
    assert s.postrider("queue", "release", ident).stdout == "release: 1 message\n"
    m = listed(s)[ident]
    assert m["place"] == "deferred" and m["recipients"][0]["state"] == "deferred" and m["next_try_s"] <= time.time()
    assert s.postrider("queue", "release", ident).stdout == "release: 0 messages\n"
    assert s.postrider("queue", "flush").stdout == "flush: 1 message\n"
    assert s.postrider("queue", "hold", "ALL").stdout == "hold: 1 message\n"
    assert listed(s)[ident]["place"] == "hold"
    assert s.postrider("queue", "release", "ALL").stdout == "release: 1 message\n"
    s.start()
    s.wait_log(f"deferred id={ident}", 2)  # tried again


def test_a_queue_does_not_change_behind_a_running_suite(s):
    """The folders are only touched under the lock that a running suite holds."""
    ident = hold_one(s)
    os.rename(os.path.join(s.spool_dir, "public"), os.path.join(s.spool_dir, "hidden"))
    done = s.postrider("queue", "delete", ident, "--yes")
    os.rename(os.path.join(s.spool_dir, "hidden"), os.path.join(s.spool_dir, "public"))
    assert done.returncode == 75 and "master.lock is held by process" in done.stderr
    assert ident in listed(s)


def test_long_lists_are_whole_and_in_order(s):
    with s.smtp() as c:
        for n in range(230):
            c.sendmail("a@b.example", "user1@example.test", f"Subject: {n}\r\n\r\nx\r\n")
    s.wait_queue_empty()
    count = 230
    for n in range(count):
        assert s.command("sendmail", "user2@example.test", input=f"{n}\n").returncode == 0
    until(lambda: len(s.queue_files("deferred")) == count, "all deferred")
    ids = [json.loads(line)["id"] for line in s.postrider("queue", "list", "--json").stdout.splitlines()]
    assert len(ids) == count and ids == sorted(ids)
    s.stop()
    assert [json.loads(line)["id"] for line in s.postrider("queue", "list", "--json").stdout.splitlines()] == ids
    s.start()


def test_a_damaged_file_is_shown_as_such(s):
    ident = hold_one(s)
    s.stop()
    path = s.queue_files("hold")[0]
    with open(path, "r+b") as f:
        f.seek(9)  # of the id, which has every octet there once in 256 times
        octet = f.read(1)[0]
        f.seek(9)
        f.write(bytes([octet ^ 0xFF]))
    assert "damaged" in s.postrider("queue", "list").stdout
    assert "damaged" in listed(s)[ident]
    assert s.postrider("queue", "show", path).returncode != 0
    s.start()


def test_mistakes(s):
    for verb in ("show", "cat", "hold", "release", "delete", "requeue"):
        assert s.postrider("queue", verb).returncode == 64
        for wrong in ("25X6Q05QBFP", "nonsense", "25X6Q05QBF\x1b", ""):
            done = s.postrider("queue", verb, wrong, *(["--yes"] if verb == "delete" else []))
            assert done.returncode == 65 and done.stderr.startswith(f"postrider queue {verb}: ") and "\x1b" not in done.stderr
    done = s.postrider("queue", "lisst")
    assert done.returncode == 64 and 'did you mean "list"?' in done.stderr
    assert s.postrider("queue", "show", "/dev/null").returncode == 65
    assert s.postrider("queue", "show", "/etc/passwd").returncode == 65
    for wrong in (["--older", "soon"], ["--size", "big"], ["--status", "lost"], ["--sort", "colour"], ["--by", "moon"], ["--limit", "0"]):
        done = s.postrider("queue", "list", *wrong)
        assert done.returncode == 64 and wrong[0] in done.stderr


def as_user(s, name, *args, uid=ORDINARY_UID, **more):
    return subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--",
                           os.path.join(s.bin_dir, name), "-C", s.config_dir, *args], capture_output=True, text=True, **more)


@pytest.mark.skipif(not is_root, reason="needs a second user")
def test_others_see_and_delete_their_own_only(s):
    theirs = hold_one(s, "of root")
    sent = as_user(s, "sendmail", "user2@example.test", input="Subject: mine\n\nbody of mine\n")
    assert sent.returncode == 0, sent.stderr
    until(lambda: [m for m in listed(s).values() if m["place"] == "deferred"], "a deferred message")
    mine = next(i for i in listed(s) if i != theirs)

    def queue(*args, **more):
        return as_user(s, "postrider", "queue", *args, **more)
    seen = queue("list", "--json")
    assert seen.returncode == 0 and [json.loads(line)["id"] for line in seen.stdout.splitlines()] == [mine]
    assert queue("cat", mine).stdout.endswith("body of mine\n")
    mailq = as_user(s, "mailq")
    assert mailq.returncode == 0 and mine in mailq.stdout and theirs not in mailq.stdout
    nobodys = "25X6Q05QBFP"
    for verb in (["show"], ["cat"], ["delete", "--yes"], ["flush"]):
        answers = [queue(*verb, ident) for ident in (theirs, nobodys)]  # the same words, whether it exists or not
        words = [(a.returncode, a.stdout, a.stderr.replace(theirs, nobodys)) for a in answers]
        assert words[0] == words[1] and words[0][0] == 65 and "no such message" in words[0][2]
    for verb in (["hold", mine], ["release", mine], ["requeue", mine], ["reroute", "--to", "local:user1", "--yes", mine]):
        done = queue(*verb)
        assert done.returncode in (75, 77) and "only root" in done.stderr, done.stderr
    assert queue("check").returncode == 77
    other = as_user(s, "postrider", "queue", "delete", "ALL", "--yes", uid=ORDINARY_UID + 1)
    assert other.returncode == 0 and other.stdout == "delete: 0 messages\n"
    assert queue("flush").returncode == 0 and queue("flush", "--site", "example.test").stdout == "flush: 0 messages\n"
    assert queue("delete", "ALL", "--yes").stdout == "delete: 1 message\n"
    assert set(listed(s)) == {theirs}
    s.stop()
    for args in (["list"], ["show", theirs], ["delete", "ALL", "--yes"], ["flush"], ["check"], ["export", "/tmp/never"]):
        done = queue(*args)
        assert done.returncode == 77 and done.stdout == "" and "only root" in done.stderr
    s.start()
    assert theirs in listed(s)
