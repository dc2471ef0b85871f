"""sendmail as other software calls it, with good and hostile arguments, while the suite runs and while it does not."""
import ctypes
import os
import re
import resource
import signal
import subprocess

import pytest
from suite import Suite
from waiting import until

OK, USAGE, DATAERR, NOINPUT, UNAVAILABLE, TEMPFAIL, CONFIG = 0, 64, 65, 66, 69, 75, 78
ORDINARY_UID = 21000
MESSAGE = "Subject: by hand\n\nbody\n"
is_root = os.geteuid() == 0


@pytest.fixture
def stopped():
    with Suite() as s:
        s.stop()
        yield s


def sendmail(s, *args, text=MESSAGE, **more):
    return s.command("sendmail", *args, input=text, **more)


def queued(s):
    return s.queue_files() + s.queue_files("incoming")


def dropped(s):
    return os.listdir(os.path.join(s.spool_dir, "drop"))


def as_user(s, *args, text=MESSAGE, **more):
    command = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups", "--"] if is_root else []
    return subprocess.run([*command, os.path.join(s.bin_dir, "sendmail"), "-C", s.config_dir, *args], input=text,
                          capture_output=True, text=True, **more)


def the_message(s, subject, user="user1"):
    """The one message with this subject, once it is there."""
    needle = f"Subject: {subject}\n".encode()
    return until(lambda: [m for m in s.messages(user) if needle in m.replace(b"\r\n", b"\n")], f"message {subject}")[0].replace(
        b"\r\n", b"\n")


# ---- what people and programs do ----

def test_a_message_arrives(suite):
    assert sendmail(suite, "user1@example.test", text="Subject: arrives\n\nbody\n").returncode == OK
    m = the_message(suite, "arrives")
    assert m.endswith(b"\n\nbody\n")
    for name in (b"Received: ", b"Date: ", b"Message-ID: <", b"From: "):
        assert re.search(b"(?m)^" + name, m)


def test_recipients_come_from_the_header_and_bcc_goes(suite):
    text = "To: user1@example.test\nCc: Two <user2@example.test>\nBcc: user3@example.test\nSubject: hidden\n\nx\n"
    assert sendmail(suite, "-t", "-i", text=text).returncode == OK
    for user in ("user1", "user2", "user3"):
        assert b"Bcc" not in the_message(suite, "hidden", user)


def test_the_dot(suite):
    assert sendmail(suite, "user1@example.test", text="Subject: dot ends\n\nx\n.\nnever\n").returncode == OK
    assert sendmail(suite, "-oi", "user1@example.test", text="Subject: dot stays\n\nx\n.\n..\ny\n").returncode == OK
    assert the_message(suite, "dot ends").endswith(b"\n\nx\n")
    assert the_message(suite, "dot stays").endswith(b"\n\nx\n.\n..\ny\n")


def test_sender_and_name(suite):
    assert sendmail(suite, "-f", "other@example.org", "-F", "Other, One", "user1@example.test",
                    text="Subject: named\n\nx\n").returncode == OK
    m = the_message(suite, "named")
    assert b'\nFrom: "Other, One" <other@example.org>\n' in m
    assert m.startswith(b"Return-Path: <other@example.org>\n")


def test_the_caller_is_known_whatever_it_says(suite):
    done = as_user(suite, "-f", "root@example.test", "user1@example.test", text="Subject: who\n\nx\n",
                   env={"USER": "root", "LOGNAME": "root", "NAME": "Root"})
    assert done.returncode == OK, done.stderr
    uid = ORDINARY_UID if is_root else os.geteuid()
    assert f"uid {uid}".encode() in the_message(suite, "who")
    suite.wait_log(rf"queued .*login=uid:{uid}")


def test_all_kinds_of_lines_become_clean(suite):
    text = b"Subject: lines\r\nX: a\rBcc: b\n\none\rtwo\r\nthree\nfo\0ur"
    done = subprocess.run([os.path.join(suite.bin_dir, "sendmail"), "-C", suite.config_dir, "user1@example.test"], input=text,
                          capture_output=True)
    assert done.returncode == OK
    m = the_message(suite, "lines")
    assert m.endswith(b"\n\none\ntwo\nthree\nfour\n")
    assert b"\nX: a Bcc: b\n" in m


def test_a_large_message_streams(suite):
    body = "0123456789" * 7 + "\n"
    assert sendmail(suite, "user1@example.test", text="Subject: large\n\n" + body * 60000).returncode == OK
    assert the_message(suite, "large").count(body.encode()) == 60000


def test_smtp_on_input_and_output(suite):
    talk = ("EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\nSubject: by bs\r\n\r\n..dot\r\n"
            "x\n.\nstill\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<user2@example.test>\r\nRSET\r\nRCPT TO:<x@y>\r\nWHAT\r\nQUIT\r\n")
    done = sendmail(suite, "-bs", text=talk)
    assert done.returncode == OK
    codes = [line[:3] for line in done.stdout.splitlines() if line[3:4] != "-"]
    assert codes == ["220", "250", "250", "250", "354", "250", "250", "250", "250", "503", "500", "221"]
    assert the_message(suite, "by bs").endswith(b"\n\n.dot\nx\n.\nstill\n")


def test_smtp_by_hand_ends_lines_in_lf(suite):
    done = sendmail(suite, "-bs", text="HELO me\nMAIL FROM:<a@b.example>\nRCPT TO:<user1@example.test>\nDATA\nSubject: by lf\n\n"
                                       "x\n.\nQUIT\n")
    assert [line[:3] for line in done.stdout.splitlines()] == ["220", "250", "250", "250", "354", "250", "221"]
    assert the_message(suite, "by lf").endswith(b"\n\nx\n")


def test_its_other_names(suite):
    assert sendmail(suite, "-bp").stdout == suite.command("mailq").stdout
    assert sendmail(suite, "-bi").returncode == OK
    assert sendmail(suite, "-q").returncode == OK
    if is_root:
        assert as_user(suite, "-q").returncode == OK
        assert as_user(suite, "-bp").returncode == OK  # his own mail: none


# ---- hostile: the right exit status, and nothing in the queue (HOSTILE 34) ----

HOSTILE = [
    (["-f", "a\nb@c", "user1@example.test"], USAGE),
    (["-f", "a\r\nRCPT TO:<x@y>", "user1@example.test"], USAGE),
    (["-F", "x\nBcc: y@z", "user1@example.test"], USAGE),
    (["-F", "x\rBcc: y@z", "user1@example.test"], USAGE),
    (["-f", "a@b, c@d", "user1@example.test"], USAGE),
    (["-V", "a\nb", "user1@example.test"], USAGE),
    (["-Z", "user1@example.test"], USAGE),
    (["--help"], USAGE),
    (["-bd"], USAGE),
    (["-b", "x"], USAGE),
    (["-N", "often", "user1@example.test"], USAGE),
    ([], USAGE),
    ([""], USAGE),
    (["a@b@c"], USAGE),
    (["user1@example.test\nRCPT TO:<x@y>"], USAGE),
    (["user1@example.test", "x" * 65 + "@example.test"], USAGE),
    (["x" * 1000] * 1000, USAGE),
    (["a"] * 50001, USAGE),
]


@pytest.mark.parametrize("args, status", HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
def test_hostile_arguments(suite, args, status):
    suite.wait_queue_empty()
    before = suite.queue_files()
    done = sendmail(suite, *args)
    assert done.returncode == status and done.stderr.startswith("sendmail: ")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stderr)
    assert sorted(set(suite.queue_files())) == sorted(set(before))


def test_a_million_recipients_cost_little(suite):
    text = "To: " + ",\n ".join(["user1@example.test"] * 1000000) + "\nSubject: million\n\nx\n"
    done = sendmail(suite, "-t", text=text)
    assert done.returncode == DATAERR
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 700 * 1024
    text = "To: " + ",".join(["a"] * 60000) + "\nSubject: million\n\nx\n"
    done = sendmail(suite, "-t", text=text)
    assert done.returncode == DATAERR and "50000" in done.stderr


def test_no_arguments_at_all(suite):
    """Newer kernels put an empty name there; either way nothing happens."""
    path = os.path.join(suite.bin_dir, "sendmail").encode()
    nothing = (ctypes.c_char_p * 1)(None)
    environment = (ctypes.c_char_p * 2)(b"ASAN_OPTIONS=detect_leaks=0", None)
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        os.close(2)
        libc.execve(path, nothing, environment)
        os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (USAGE, CONFIG)


@pytest.mark.parametrize("closed, status", [((0,), NOINPUT), ((1,), OK), ((2,), OK), ((1, 2), OK), ((0, 1, 2), NOINPUT)])
def test_closed_descriptors(suite, closed, status):
    def close():
        for fd in closed:
            os.close(fd)
    source = {"stdin": subprocess.DEVNULL} if 0 in closed else {"input": f"Subject: closed {closed}\n\nx\n".encode()}
    done = subprocess.run([os.path.join(suite.bin_dir, "sendmail"), "-C", suite.config_dir, "user1@example.test"],
                          preexec_fn=close, **source)
    assert done.returncode == status
    if status == OK:
        the_message(suite, f"closed {closed}")


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_a_limit_on_files(suite):
    done = sendmail(suite, "user1@example.test", text="Subject: limit\n\n" + "x\n" * 100000, preexec_fn=small_files)
    assert done.returncode == TEMPFAIL and "limit" in done.stderr
    suite.wait_queue_empty()
    assert not [m for m in suite.messages() if b"Subject: limit" in m]


def test_too_large(suite):
    done = sendmail(suite, "user1@example.test", text="Subject: too large\n\n" + "x" * 11000000)
    assert done.returncode == UNAVAILABLE and "message_size_limit" in done.stderr


def killed_half_way(s):
    p = subprocess.Popen([os.path.join(s.bin_dir, "sendmail"), "-C", s.config_dir, "user1@example.test"],
                         stdin=subprocess.PIPE)
    p.stdin.write(b"Subject: killed\n\n" + b"x" * 70 * 40000)
    p.stdin.flush()

    def has_begun():
        for fd in os.listdir(f"/proc/{p.pid}/fd"):
            with open(f"/proc/{p.pid}/fdinfo/{fd}", encoding="ascii") as f:
                if int(f.readline().split()[1]) > 1000000:
                    return True
        return False
    until(has_begun, "content in the file")
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdin.close()


def test_killed_in_mid_write(suite):
    killed_half_way(suite)
    assert suite.send("Subject: after the kill\r\n\r\nx\r\n") == {}
    the_message(suite, "after the kill")
    suite.wait_queue_empty()
    assert not [m for m in suite.messages() if b"Subject: killed" in m]


# ---- while the suite does not run ----

def test_it_waits_in_the_drop_folder(stopped):
    assert sendmail(stopped, "user1@example.test", text="Subject: by root\n\nx\n").returncode == OK
    assert as_user(stopped, "-t", text="To: user2@example.test\nBcc: user1@example.test\nSubject: by user\n\nx\n").returncode == OK
    names = dropped(stopped)
    assert len(names) == 2 and all(re.fullmatch(r"[0-9a-f]{32}", n) for n in names)
    assert all(os.stat(os.path.join(stopped.spool_dir, "drop", n)).st_mode & 0o777 == 0o640 for n in names)
    stopped.start()
    the_message(stopped, "by root")
    assert b"Bcc" not in the_message(stopped, "by user")
    uid = ORDINARY_UID if is_root else os.geteuid()
    assert f"uid {uid}".encode() in the_message(stopped, "by user", "user2")
    until(lambda: not dropped(stopped), "an empty drop folder")


def test_failures_leave_nothing_in_the_drop_folder(stopped):
    text = "Subject: x\n\n" + "x\n" * 1000000
    assert sendmail(stopped, "user1@example.test", text=text, preexec_fn=small_files).returncode == TEMPFAIL
    killed_half_way(stopped)
    assert sendmail(stopped, "-t", text="To: a@b@c\n\nx\n").returncode == DATAERR
    assert sendmail(stopped, "user1@example.test", text=text * 6).returncode == UNAVAILABLE
    assert dropped(stopped) == []
    done = sendmail(stopped, "-q")
    assert done.returncode == UNAVAILABLE
    stopped.start()


@pytest.mark.skipif(not is_root, reason="mounts a small file system")
def test_a_full_disk(stopped, tmp_path):
    drop = os.path.join(stopped.spool_dir, "drop")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=3733", "tmpfs", drop], check=True)
    try:
        done = sendmail(stopped, "user1@example.test", text="Subject: x\n\n" + "x\n" * 1000000)
        assert done.returncode == TEMPFAIL and "space" in done.stderr
        assert dropped(stopped) == []
        assert sendmail(stopped, "user1@example.test").returncode == OK
        assert len(dropped(stopped)) == 1
    finally:
        subprocess.run(["umount", drop], check=True)
    stopped.start()


def test_what_lies_in_the_drop_folder_is_not_trusted(stopped):
    drop = os.path.join(stopped.spool_dir, "drop")
    assert sendmail(stopped, "user1@example.test", text="Subject: good\n\nx\n").returncode == OK
    with open(os.path.join(drop, dropped(stopped)[0]), "rb") as f:
        good = f.read()

    def leave(name, data):
        with open(os.path.join(drop, name), "wb") as f:
            f.write(data)
        os.chmod(os.path.join(drop, name), 0o644)
    leave("1" * 32, good[:4096] + b"Y" + good[4097:])          # content damaged
    leave("2" * 32, good[:-40])                                # no end
    leave("3" * 32, b"")
    leave("not-ours", good)
    leave("4" * 32 + ".refused", good)
    os.symlink("/etc/passwd", os.path.join(drop, "5" * 32))
    os.mkfifo(os.path.join(drop, "6" * 32))
    leave("outside", good)
    os.link(os.path.join(drop, "outside"), os.path.join(drop, "7" * 32))
    stopped.start()
    the_message(stopped, "good")
    until(lambda: sorted(dropped(stopped)) == sorted(["1" * 32 + ".refused", "2" * 32, "3" * 32, "4" * 32 + ".refused",
                                                      "7" * 32 + ".refused", "not-ours", "outside"]), "all set aside")
    assert len([m for m in stopped.messages() if b"Subject: good" in m]) == 1
    with open("/etc/passwd", encoding="utf-8") as f:
        assert f.read()


def test_its_working_directory_is_not_trusted(stopped, tmp_path):
    """Berkeley DB would read DB_CONFIG from there."""
    (tmp_path / "DB_CONFIG").write_text("set_data_dir /nonexistent\nset_lg_dir /nonexistent\n")
    aliases = os.path.join(stopped.config_dir, "indexed")
    with open(aliases, "w", encoding="utf-8") as f:
        f.write("someone: user1@example.test\n")
    assert stopped.postrider("config", "-e", f"alias_database=$default_database_type:{aliases}").returncode == 0
    done = subprocess.run([os.path.join(stopped.bin_dir, "newaliases"), "-C", stopped.config_dir], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == OK, done.stderr
    assert any(os.path.exists(aliases + suffix) for suffix in (".db", ".lmdb"))
    stopped.start()
