"""Mailboxes that are one file: in the spool of the system and in the home. Their form, locks, what is no mailbox, and what happens when
a mail program removes one. Needs root."""
import fcntl
import grp
import mailbox
import os
import re
import shutil
import stat
import subprocess
import tempfile

import pytest
from accounts import accounts
from suite import Suite
from waiting import until

GROUP = "mail"


@pytest.fixture(scope="module")
def people():
    with accounts("dan", "eve") as made:
        yield made


@pytest.fixture(scope="module")
def spool():
    """A folder as /var/mail is on Debian; not below pytest's own, which the next pytest to start closes to all users."""
    path = tempfile.mkdtemp(prefix="spool-", dir="/tmp")
    os.chown(path, 0, grp.getgrnam(GROUP).gr_gid)
    os.chmod(path, 0o2775)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def suite(people, spool):
    with Suite(settings=["system_users=yes", "home_mailbox=", f"mail_spool_directory={spool}", "deliver_lock_attempts=20",
                         "deliver_lock_delay=1s", "stale_lock_time=100s", "minimal_backoff_time=1s", "maximal_backoff_time=1s",
                         "mailbox_size_limit=300000"]) as s:
        yield s


def path_of(spool, who):
    return os.path.join(spool, who.name)


@pytest.fixture(autouse=True)
def clean(people, spool, suite):
    yield
    suite.wait_queue_empty()
    assert [n for n in os.listdir(spool) if n.endswith(".lock")] == []
    for who in people:
        if os.path.lexists(path_of(spool, who)):
            os.unlink(path_of(spool, who))


def send(suite, who, mark, text="Subject: {0}\r\n\r\n{0}\r\n", **more):
    suite.send(text.format(mark), to=f"{who.name}@localhost", **more)


def content(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def arrived(suite, path, mark):
    until(lambda: f"\n{mark}\n".encode() in content(path), f"{mark} in {path}")
    suite.wait_queue_empty()
    assert content(path).count(f"\n{mark}\n".encode()) == 1
    return content(path)


def test_it_is_made_as_the_users_own_with_the_spools_group(suite, people, spool):
    dan = people[0]
    send(suite, dan, "mark-new")
    arrived(suite, path_of(spool, dan), "mark-new")
    st = os.stat(path_of(spool, dan))
    assert (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == (dan.uid, grp.getgrnam(GROUP).gr_gid, 0o660)


def test_its_form_is_the_one_that_every_mail_program_knows(suite, people, spool):
    dan = people[0]
    lines = ["Subject: form", "From me to you", "", "From here on", ">From there", "xFrom", "From", "  From ", "From ", "last without end"]
    send(suite, dan, "mark-form", "\r\n".join(lines), sender="bounce@sender.example")
    path = path_of(spool, dan)
    until(lambda: content(path).endswith(b"last without end\n\n"), "the message")
    send(suite, dan, "mark-second", sender="")
    text = arrived(suite, path, "mark-second").decode()
    when = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
    assert re.match(rf"From bounce@sender\.example  {when}\nReturn-Path: <bounce@sender.example>\n"
                    rf"Delivered-To: {dan.name}@localhost\n", text)
    assert re.search(rf"\n\nFrom MAILER-DAEMON  {when}\nReturn-Path: <>\n", text)
    assert "\n>From me to you\n\n>From here on\n>From there\nxFrom\nFrom\n  From \n>From \nlast without end\n\nFrom " in text
    assert "\r" not in text and text.endswith("mark-second\n\n")
    assert [m["Subject"] for m in mailbox.mbox(path, create=False)] == ["form", "mark-second"]


def test_what_another_program_left_unfinished_does_not_join_the_next(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    for mark, left in (("a", b"From x  Sat Jan  1 00:00:00 2000\nSubject: left\n\nno end"),
                       ("b", b"From x  Sat Jan  1 00:00:00 2000\n\nx\n")):
        with open(path, "wb") as f:
            f.write(left)
        os.chown(path, dan.uid, dan.gid)
        send(suite, dan, f"mark-unfinished-{mark}")
        assert left.rstrip(b"\n") + b"\n\nFrom " in arrived(suite, path, f"mark-unfinished-{mark}")
        assert len(mailbox.mbox(path, create=False)) == 2


def test_its_worker_has_no_group_but_the_users(suite, people, spool):
    dan = people[0]
    send(suite, dan, "mark-group")
    arrived(suite, path_of(spool, dan), "mark-group")
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                status = f.read()
        except FileNotFoundError:
            continue
        if not re.search(rf"(?m)^Uid:\t{dan.uid}\t", status):
            continue
        found += 1
        assert re.search(rf"(?m)^Gid:\t{dan.gid}\t{dan.gid}\t{dan.gid}\t{dan.gid}$", status)
        assert re.search(r"(?m)^Groups:\s*$", status) and re.search(r"(?m)^CapPrm:\t0+$", status)
    assert found == 1


def test_it_waits_for_a_program_that_holds_the_lock_of_fcntl(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    send(suite, dan, "mark-first")
    arrived(suite, path, "mark-first")
    with open(path, "r+b") as f:
        fcntl.lockf(f, fcntl.LOCK_EX)
        send(suite, dan, "mark-locked")
        until(lambda: suite.queue_files("active"), "the message on its way")
        send(suite, people[1], "mark-beside-fcntl")  # nobody else waits, and by then the worker has tried
        until(lambda: b"mark-beside-fcntl" in content(path_of(spool, people[1])), "the other user's message")
        assert b"mark-locked" not in content(path)
    arrived(suite, path, "mark-locked")


def test_it_waits_for_a_program_that_holds_the_dotlock(suite, people, spool):
    dan, eve = people
    path = path_of(spool, dan)
    send(suite, dan, "mark-undotted")
    arrived(suite, path, "mark-undotted")
    with open(path + ".lock", "x", encoding="utf-8"):
        pass
    send(suite, dan, "mark-dotted")
    send(suite, eve, "mark-beside")  # nobody else waits
    until(lambda: b"\nmark-beside\n" in content(path_of(spool, eve)), "the other user's message")
    assert b"mark-dotted" not in content(path)
    with open(path, "r+b") as f:
        until(lambda: takes(f), "the lock of fcntl, which is let go meanwhile")
    os.unlink(path + ".lock")
    arrived(suite, path, "mark-dotted")


def takes(f):
    try:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_dotlock_of_a_program_that_died_is_removed(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    with open(path + ".lock", "x", encoding="utf-8"):
        pass
    os.utime(path + ".lock", (1, 1))
    send(suite, dan, "mark-stale")
    arrived(suite, path, "mark-stale")
    assert suite.wait_log(f"stale-lock .*{re.escape(path)}.lock")


def test_a_mailbox_that_a_program_removed_is_made_again(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    send(suite, dan, "mark-before")
    arrived(suite, path, "mark-before")
    os.unlink(path)
    send(suite, dan, "mark-after")
    assert b"mark-before" not in arrived(suite, path, "mark-after")
    os.rename(path, path + "-kept")  # and written anew, as programs do
    with open(path, "xb") as f:
        os.fchown(f.fileno(), dan.uid, grp.getgrnam(GROUP).gr_gid)
    send(suite, dan, "mark-replaced")
    arrived(suite, path, "mark-replaced")
    assert b"mark-replaced" not in content(path + "-kept")
    os.unlink(path + "-kept")


ODD = {
    "symlink": lambda path, victim, dan: os.symlink(victim, path),
    "dangling": lambda path, victim, dan: os.symlink(victim + "-new", path),
    "hardlink": lambda path, victim, dan: os.link(victim, path),
    "fifo": lambda path, victim, dan: (os.mkfifo(path), os.chown(path, dan.uid, dan.gid)),
    "folder": lambda path, victim, dan: (os.mkdir(path), os.chown(path, dan.uid, dan.gid)),
    "device": lambda path, victim, dan: (os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3)), os.chown(path, dan.uid, dan.gid)),
    "owner": lambda path, victim, dan: (open(path, "x", encoding="utf-8").close(), os.chmod(path, 0o666)),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_mailbox_is_not_written_to(suite, people, spool, kind):
    dan, eve = people
    path, victim = path_of(spool, dan), os.path.join(spool, "victim")
    with open(victim, "x", encoding="utf-8") as f:
        f.write("precious\n")
    os.chown(victim, dan.uid, dan.gid)
    if os.path.lexists(path):
        os.unlink(path)
    ODD[kind](path, victim, dan)
    was = os.lstat(path)
    seen = len(re.findall(r" deferred .*4\.2\.0", suite.log()))
    send(suite, dan, f"mark-odd-{kind}")
    suite.wait_log(r" deferred .*4\.2\.0", seen + 1)
    assert content(victim) == b"precious\n" and not os.path.lexists(victim + "-new")
    now = os.lstat(path)
    assert (now.st_ino, now.st_size, now.st_mode) == (was.st_ino, was.st_size, was.st_mode)
    (os.rmdir if kind == "folder" else os.unlink)(path)
    os.unlink(victim)
    arrived(suite, path, f"mark-odd-{kind}")  # once the way is free


def test_a_full_mailbox_refuses_and_stays_as_it_was(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    send(suite, dan, "mark-fits")
    before = arrived(suite, path, "mark-fits")
    send(suite, dan, "mark-too-much", "Subject: {0}\r\n\r\n{0}\r\n" + "x" * 900 + "\r\n" + ("y" * 900 + "\r\n") * 400)
    suite.wait_log(r"5\.2\.2.*mailbox_size_limit")
    assert content(path) == before
    send(suite, dan, "mark-still")
    arrived(suite, path, "mark-still")


def test_many_at_once_are_all_there_once(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    with suite.smtp() as c:
        for n in range(60):
            c.sendmail("a@b.example", f"{dan.name}@localhost", f"Subject: m{n}\r\n\r\nmark-many-{n}.\r\n")
    suite.wait_queue_empty()
    assert sorted(m["Subject"] for m in mailbox.mbox(path, create=False)) == sorted(f"m{n}" for n in range(60))


def test_a_mailbox_in_the_home(people):
    dan = people[0]
    with Suite(settings=["system_users=yes", "home_mailbox=inbox", "minimal_backoff_time=1s", "deliver_lock_delay=1s"]) as s:
        path = dan.path("inbox")
        send(s, dan, "mark-home")
        arrived(s, path, "mark-home")
        st = os.stat(path)
        assert (st.st_uid, st.st_gid) == (dan.uid, dan.gid) and not os.path.exists(path + ".lock")
        with open(path + ".lock", "x", encoding="utf-8"):
            pass
        send(s, dan, "mark-home-locked")
        until(lambda: s.queue_files("active"), "the message on its way")
        os.unlink(path + ".lock")
        arrived(s, path, "mark-home-locked")
        os.unlink(path)
        send(s, dan, "mark-home-again")
        arrived(s, path, "mark-home-again")
        os.unlink(path)


def as_user(who, argv, **more):
    """A mail program as its user has it: his home, his ids, and the spool's group as distributions give it to dotlock helpers."""
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, user=who.uid, group=who.gid, extra_groups=[], cwd=who.home,
                          env={"HOME": who.home, "PATH": os.environ["PATH"], "TERM": "xterm", "USER": who.name,
                               "LOGNAME": who.name}, **more)


def mutt(who, path, keys):
    rc = who.write(".muttrc-test", f"set folder={who.home} shell=/bin/sh wait_key=no quit=yes delete=yes move=no "
                                   f"read_inc=0\npush '{keys}'\n")
    return as_user(who, ["script", "-qec", f"mutt -n -F {rc} -f {path}", "/dev/null"], stdin=subprocess.DEVNULL)


def test_mutt_reads_and_changes_it(suite, people, spool):
    dan = people[0]
    path, out = path_of(spool, dan), dan.path("mutt.out")
    for n in range(3):
        send(suite, dan, f"mark-mutt-{n}")
        arrived(suite, path, f"mark-mutt-{n}")
    done = mutt(dan, path, f"<first-entry><pipe-message>cat >{out}<enter><first-entry><delete-message><sync-mailbox><exit>")
    assert b"\nmark-mutt-0\n" in content(out), done.stdout
    assert len(mailbox.mbox(path, create=False)) == 2
    send(suite, dan, "mark-mutt-after")
    arrived(suite, path, "mark-mutt-after")
    assert [m["Subject"] for m in mailbox.mbox(path, create=False)] == ["mark-mutt-1", "mark-mutt-2", "mark-mutt-after"]


def test_s_nail_reads_and_empties_it(suite, people, spool):
    dan = people[0]
    path = path_of(spool, dan)
    for n in range(3):
        send(suite, dan, f"mark-nail-{n}", "Subject: {0}\r\n\r\nFrom the start\r\n\r\n{0}\r\n")
        arrived(suite, path, f"mark-nail-{n}")
    done = as_user(dan, ["s-nail", "-n", "-Sdotlock-disable", "-f", path], input="headers\ntype 2\ndelete *\nquit\n")
    assert "mark-nail-1" in done.stdout and "From the start" in done.stdout, done.stdout + done.stderr
    until(lambda: b"mark-nail" not in content(path), "an empty mailbox")
    send(suite, dan, "mark-nail-after")  # whether it was emptied or removed
    arrived(suite, path, "mark-nail-after")


def test_a_program_that_rewrites_it_meanwhile_loses_nothing(suite, people, spool):
    """Python's mailbox module locks by fcntl and dotlock, and replaces the file's content; deliveries go on meanwhile."""
    dan = people[0]
    path = path_of(spool, dan)
    program = ("import mailbox, os, sys\n"
               "box = mailbox.mbox(sys.argv[1])\n"
               "for n in range(15):\n"
               "    while True:\n"
               "        try:\n"
               "            box.lock(); break\n"
               "        except mailbox.ExternalClashError:\n"
               "            os.sched_yield()\n"
               "    box.add(mailbox.mboxMessage(f'Subject: own{n}\\n\\nown\\n'.encode())); box.flush(); box.unlock()\n")
    send(suite, dan, "mark-meanwhile-first")
    arrived(suite, path, "mark-meanwhile-first")
    writer = subprocess.Popen(["/usr/bin/python3", "-c", program, path], user=dan.uid, group=grp.getgrnam(GROUP).gr_gid, extra_groups=[])
    with suite.smtp() as c:
        for n in range(15):
            c.sendmail("a@b.example", f"{dan.name}@localhost", f"Subject: in{n}\r\n\r\nx\r\n")
    assert writer.wait(60) == 0
    suite.wait_queue_empty()
    subjects = [m["Subject"] for m in mailbox.mbox(path, create=False)]
    assert sorted(subjects) == sorted(["mark-meanwhile-first"] + [f"own{n}" for n in range(15)] + [f"in{n}" for n in range(15)])
