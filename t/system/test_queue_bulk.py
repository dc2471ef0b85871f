"""postrider queue on many messages: filters, counts, shape, requeue, reroute, check, export and import, running and stopped."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import tarfile
import termios

import pytest
from queue_files import multiply, name_of, number_of, path_of, put, with_id
from smtp_steps import let_policy_see
from suite import Suite
from waiting import until

is_root = os.geteuid() == 0
SETTINGS = ["minimal_backoff_time=1000s", "maximal_backoff_time=4000s"]


@pytest.fixture
def s():
    with Suite(settings=SETTINGS) as suite:
        yield suite


def queue(s, *args, **more):
    return s.postrider("queue", *args, stdin=more.pop("stdin", None if "input" in more else subprocess.DEVNULL), **more)


def listed(s, *args):
    done = queue(s, "list", "--json", *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ids(s, *args):
    return [m["id"] for m in listed(s, *args)]


def count(s, *args):
    return int(queue(s, "list", "--count", *args).stdout)


def block(s, user, blocked=True):
    os.chmod(os.path.join(s.mail_dir, user, "Maildir"), 0 if blocked else 0o700)


def submit(s, to, sender="from@one.example", body="x\n"):
    done = s.command("sendmail", "-f", sender, *to.split(), input=f"Subject: to {to}\n\n{body}")
    assert done.returncode == 0, done.stderr


def wait_count(s, number, *args):
    until(lambda: count(s, *args) == number, f"{number} messages")


def both(s, look):
    """What is asked of the running suite and of the stopped one is the same."""
    running = look()
    s.stop()
    stopped = look()
    assert stopped == running
    s.start()
    return running


def hold_one(s, to="user2@example.test"):
    """A message that could not be delivered, and is held. Returns its id."""
    before = set(ids(s))
    block(s, to.split("@")[0])
    submit(s, to)
    (ident,) = until(lambda: [i for i in ids(s, "--status", "deferred") if i not in before], "another deferred message")
    assert queue(s, "hold", ident).stdout == "hold: 1 message\n"
    return ident


@pytest.fixture
def mixed(s):
    """Two deferred for user2, a large one for user3, and another for user3 that is on hold."""
    for user in ("user2", "user3"):
        block(s, user)
    submit(s, "user2@example.test")
    submit(s, "user2@example.test user1@example.test", "other@two.example")
    submit(s, "user3@example.test", body="line\n" * 20000)
    wait_count(s, 3, "--status", "deferred")
    hold_one(s, "user3@example.test")
    yield s
    for user in ("user2", "user3"):
        block(s, user, False)


def test_filters_and_order(mixed):
    s = mixed
    reason = next(r["reason"] for r in listed(s)[0]["recipients"])

    def look():
        assert count(s) == 4 and count(s, "--status", "deferred,hold") == 4 and count(s, "--status", "active") == 0
        assert count(s, "--sender", "other@two.example") == 1 and count(s, "--sender", "*@ONE.example") == 3
        assert count(s, "--sender", "two.example") == 1 and count(s, "--sender", "@one.example") == 3
        assert count(s, "--sender", "<>") == 0
        assert count(s, "--recipient", "user2@example.test") == 2
        assert count(s, "--recipient", "user1@example.test") == 0  # delivered: nobody waits for it
        assert count(s, "--recipient", "user?@example.test") == 4
        assert count(s, "--destination", "example.test") == 4 and count(s, "--destination", "local:user2@*") == 2
        assert count(s, "--destination", "two.example") == 0
        assert count(s, "--reason", "4.") == 4 and count(s, "--reason", "5.") == 0
        assert count(s, "--reason", reason[3:15].upper()) == 4 and count(s, "--reason", "nobody says so") == 0
        assert count(s, "--size", ">60k") == 1 and count(s, "--size", "<60k") == 3 and count(s, "--size", "1") == 4
        assert count(s, "--older", "1h") == 0 and count(s, "--newer", "1h") == 4
        assert count(s, "--login", f"uid:{os.geteuid()}") == 4 and count(s, "--login", "alice") == 0
        assert count(s, "--recipient", "user2@example.test", "--sender", "two.example") == 1
        sizes = [m["bytes"] for m in listed(s, "--sort", "size")]
        assert sizes == sorted(sizes, reverse=True) and sizes[0] > 60 * 1024
        assert [m["bytes"] for m in listed(s, "--sort", "size", "--reverse")] == sizes[::-1]
        assert [m["bytes"] for m in listed(s, "--sort", "size", "--limit", "2")] == sizes[:2]
        assert ids(s) == sorted(ids(s)) and ids(s, "--reverse") == sorted(ids(s), reverse=True)
        nexts = [m["next_try_s"] for m in listed(s, "--sort", "next", "--status", "deferred")]
        assert nexts == sorted(nexts)
        tries = [m["tries"] for m in listed(s, "--sort", "tries")]
        assert tries == sorted(tries, reverse=True)
        rows = [json.loads(line) for line in queue(s, "list", "--count", "--by", "recipient", "--json").stdout.splitlines()]
        assert {r["key"]: r["count"] for r in rows} == {"user2@example.test": 2, "user3@example.test": 2}
        rows = queue(s, "list", "--by", "status").stdout
        assert re.search(r"(?m)^ +3 .* deferred$", rows) and re.search(r"(?m)^ +1 .* hold$", rows)
        assert queue(s, "list", "--sender", "@none.example").stdout == "no message fits\n"
        return sizes
    both(s, look)


def test_shape_by_age_and_on_a_terminal(s):
    block(s, "user2")
    submit(s, "user2@example.test")
    wait_count(s, 1, "--status", "deferred")
    s.stop()
    multiply(s, "deferred", s.queue_files("deferred")[0], 9, lambda n: [240, 400, 1300, 100000][n % 4])

    def look():
        rows = [json.loads(line) for line in queue(s, "shape", "--json").stdout.splitlines()]
        assert rows == [{"by": "destination", "key": "example.test", "total": 10, "ages": [4, 2, 0, 2, 0, 0, 0, 0, 0, 2]}]
        table = queue(s, "shape").stdout.splitlines()
        assert table[0].split() == ["T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "more"]
        assert table[1].split()[:3] == ["TOTAL", "10", "4"] and table[2].split()[0] == "example.test" and len(table) == 3
        assert queue(s, "shape", "--by", "sender-domain", "--older", "1d").stdout.splitlines()[2].split()[:2] == ["one.example", "2"]
    look()
    drawn = on_terminal(s, "shape", columns=150, env={**os.environ, "LC_ALL": "C.UTF-8"})[1]
    assert "░" in drawn and "█" in drawn
    drawn = on_terminal(s, "shape", columns=150, env={**os.environ, "LC_ALL": "C"})[1]
    assert re.search(r"example\.test.*  \.+:+#+", drawn)
    s.start()
    look()
    block(s, "user2", False)


def on_terminal(s, *args, answer="", columns=80, env=None):
    """(exit status, what the terminal shows)"""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([os.path.join(s.bin_dir, "postrider"), "-C", s.config_dir, "queue", *args], stdin=terminal,
                             stdout=terminal, stderr=terminal, env=env)
    os.close(terminal)
    os.write(main, answer.encode())
    shown = b""
    try:
        while more := os.read(main, 65536):
            shown += more
    except OSError:
        pass  # how a terminal says that nobody has it open any more
    os.close(main)
    return child.wait(), shown.decode()


def test_a_terminal_is_asked(mixed):
    s = mixed
    status, shown = on_terminal(s, "delete", "--sender", "two.example", answer="n\n")
    assert status == 1 and "Really delete 1 message for good? [y/N]" in shown and count(s) == 4
    status, shown = on_terminal(s, "delete", "--sender", "two.example", answer="y\n")
    assert status == 0 and "delete: 1 message" in shown and count(s) == 3


def test_thousands_at_once(s):
    block(s, "user2")
    submit(s, "user2@example.test")
    wait_count(s, 1, "--status", "deferred")
    s.stop()
    names = multiply(s, "deferred", s.queue_files("deferred")[0], 3000, lambda n: n)
    assert count(s) == 3001
    answer = queue(s, "hold", "--older", "1500s").stdout
    held = count(s, "--status", "hold")
    assert answer == f"hold: {held} messages\n" and 1500 <= held < 3000  # the clock goes on
    s.start()
    assert count(s, "--status", "hold") == held and count(s) == 3001
    assert queue(s, "release", "--status", "hold").stdout == f"release: {held} messages\n"
    until(lambda: count(s, "--status", "deferred") == 3001, "all deferred again")
    some = "\n".join(f"{n}! and more of a line" for n in names[:700])
    assert queue(s, "hold", "-", input=some).stdout == "hold: 700 messages\n"
    assert sorted(ids(s, "--status", "hold")) == sorted(names[:700])
    status, shown = on_terminal(s, "requeue", "--status", "hold")
    assert status == 0 and "requeue: 700 messages" in shown
    until(lambda: count(s, "--status", "deferred") == 3001, "all tried again")
    assert {m["tries"] for m in listed(s) if m["id"] in set(names[:700])} == {1}
    assert queue(s, "delete", "ALL", "--yes").stdout == "delete: 3001 messages\n"
    assert s.queue_files() == []
    block(s, "user2", False)


# ---- requeue ----

def alias_set(s, line):
    path = os.path.join(s.config_dir, "aliases")
    with open(path, encoding="utf-8") as f:
        old = f.read()
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^team:.*\n", "", old) + line + "\n")
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
    let_policy_see(s)


def test_requeue_looks_recipients_up_anew(s):
    """An alias that led to a mailbox which cannot be written leads elsewhere now; what was delivered is not delivered again."""
    alias_set(s, "team: user1@example.test, user2@example.test")
    block(s, "user2")
    submit(s, "team@mail.example.test")
    wait_count(s, 1, "--status", "deferred")
    submit(s, "user2@example.test")
    wait_count(s, 2, "--status", "deferred")
    before = listed(s)
    first = next(m["id"] for m in before if len(m["recipients"]) == 2)
    alias_set(s, "team: user3@example.test")
    assert queue(s, "requeue", "ALL").stdout == "requeue: 2 messages\n"
    until(lambda: {m["tries"] for m in listed(s)} == {1} and len(listed(s, "--status", "deferred")) == 2, "tried again")
    after = listed(s)
    assert [m["id"] for m in after] == [m["id"] for m in before]  # the id stays
    assert {r["address"]: r["state"] for m in after if m["id"] == first for r in m["recipients"]} == {
        "user1@example.test": "delivered", "user2@example.test": "deferred"}
    block(s, "user2", False)
    assert queue(s, "flush").returncode == 0
    s.wait_messages(2, "user2")
    s.wait_queue_empty()
    assert len(s.messages("user1")) == 1 and s.messages("user3") == []


def test_requeue_while_stopped(s):
    ident = hold_one(s)
    s.stop()
    assert queue(s, "requeue", ident).stdout == "requeue: 1 message\n"
    (m,) = listed(s)
    assert m["id"] == ident and m["place"] == "deferred" and m["tries"] == 0
    assert [(r["state"], r["transport"], r["address"]) for r in m["recipients"]] == [("pending", "", "user2@example.test")]
    assert queue(s, "check").returncode == 0
    block(s, "user2", False)
    s.start()
    s.wait_messages(1, "user2")
    s.wait_queue_empty()


# ---- reroute ----

@pytest.mark.parametrize("is_stopped", [False, True])
def test_reroute(s, is_stopped):
    block(s, "user2")
    submit(s, "user2@example.test user1@example.test")
    submit(s, "user2@example.test")
    wait_count(s, 2, "--status", "deferred")
    first, second = ids(s)
    assert queue(s, "hold", second).returncode == 0
    if is_stopped:
        s.stop()
    for wrong in ("smtpp:[x]:25", "local:", "error:4.7.1 later", "error:text", "user1", "local:a b"):
        assert queue(s, "reroute", "--to", wrong, "--yes", "ALL").returncode == 64, wrong
    user = next(r["nexthop"] for r in listed(s)[0]["recipients"] if r["address"] == "user2@example.test")
    to = user.replace("user2", "user3")
    done = queue(s, "reroute", "--to", f"local:{to}", "--dry-run", "ALL")
    assert done.returncode == 0 and done.stdout.splitlines() == [
        f"{first} <user2@example.test> local:{user} -> local:{to}", f"{second} <user2@example.test> local:{user} -> local:{to}",
        f"reroute: 2 recipients of 2 messages would go to local:{to}"]
    done = queue(s, "reroute", "--to", f"local:{to}", "ALL")
    assert done.returncode == 64 and "send 2 recipients of 2 messages" in done.stderr and "say --yes" in done.stderr
    assert s.messages("user3") == []
    assert queue(s, "reroute", "--to", f"local:{to}", "--yes", "--recipient", "user2@example.test", "--json",
                 "ALL").stdout == '{"changed":2}\n'
    if is_stopped:
        assert queue(s, "check").returncode == 0
        s.start()
    assert b"to user2@example.test" in s.wait_messages(1, "user3")[0]
    until(lambda: ids(s) == [second], "the one on hold stays")
    assert queue(s, "reroute", "--to", "error:5.7.1 We do not want it", "--yes", second).returncode == 0
    assert queue(s, "release", second).returncode == 0
    s.wait_log(rf"failed id={second}.*status=5\.7\.1.*We do not want it")
    assert len(s.messages("user1")) == 1
    block(s, "user2", False)
    assert s.messages("user2") == []


# ---- check ----

def test_check_finds_and_repairs(s):
    hold_one(s)
    assert queue(s, "check").returncode == 0
    s.stop()
    (path,) = s.queue_files("hold")
    names = multiply(s, "hold", path, 5)
    assert queue(s, "check").returncode == 0

    def edit(name, offset, data):
        with open(path_of(s, "hold", name), "r+b") as f:
            f.seek(offset)
            f.write(data)
    edit(names[0], 4100, b"\xff")  # content
    with open(path_of(s, "hold", names[1]), "r+b") as f:
        f.truncate(5000)
    os.chmod(path_of(s, "hold", names[2]), 0o644)
    free = number_of(names[4]) - 10
    os.rename(path_of(s, "hold", names[3]), path_of(s, "hold", name_of(free)))
    slots = struct.unpack_from("<Q", open(path_of(s, "hold", names[4]), "rb").read(), 64)[0]
    edit(names[4], slots + 30, b"?")
    with open(os.path.join(s.spool_dir, "queue", "hold", "strange"), "w") as f:
        f.write("x")
    with open(path, "rb") as f:
        moved = with_id(f.read(), free - 5)
    name = put(s, "deferred", moved, path)
    wrong_branch = os.path.join(s.spool_dir, "queue", "deferred", "0" if name[-1] != "0" else "1", name)
    os.rename(path_of(s, "deferred", name), wrong_branch)
    put(s, "incoming", moved, path)
    done = queue(s, "check")
    assert done.returncode == 65
    flaws = dict(line.split()[:2] for line in done.stdout.splitlines() if "/" in line and not line.startswith("active/"))
    assert flaws == {f"hold/{names[0]}": "damaged", f"hold/{names[1]}": "unfinished", f"hold/{names[2]}": "mode",
                     f"hold/{name_of(free)}": "misplaced", f"hold/{names[4]}": "torn", "hold/strange": "strange",
                     "deferred/" + "/".join(wrong_branch.split("/")[-2:]): "misplaced", f"incoming/{name}": "unfinished"}
    done = queue(s, "check", "--repair")
    assert done.returncode == 65  # a strange file is nobody's to remove
    os.unlink(os.path.join(s.spool_dir, "queue", "hold", "strange"))
    done = queue(s, "check", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and not [r for r in rows if r.get("flaw")], rows
    assert {r["folder"]: r["files"] for r in rows} == {"incoming": 0, "active": 0, "deferred": 1, "hold": 4, "corrupt": 2}
    assert os.stat(path_of(s, "hold", names[2])).st_mode & 0o777 == 0o600
    assert sorted(os.path.basename(f) for f in s.queue_files("corrupt")) == sorted(names[:2])
    s.start()
    assert len(ids(s)) >= 6


def test_check_of_a_running_suite(s):
    bad = hold_one(s)
    hold_one(s)
    with open(path_of(s, "hold", bad), "r+b") as f:
        f.seek(4100)
        f.write(b"\xff")
    assert queue(s, "check").returncode == 65 and count(s) == 2
    done = queue(s, "check", "--repair")
    assert done.returncode == 0 and "moved to corrupt" in done.stdout
    assert ids(s, "--status", "hold") != [] and bad not in ids(s, "--status", "hold") and ids(s, "--status", "corrupt") == [bad]
    assert queue(s, "delete", "--status", "corrupt", "--yes").stdout == "delete: 1 message\n"
    assert ids(s, "--status", "corrupt") == []


# ---- export, import ----

@pytest.mark.parametrize("is_stopped", [False, True])
def test_export_and_import_on_another_host(mixed, tmp_path, is_stopped):
    s = mixed
    path = str(tmp_path / "queue.tar")
    if is_stopped:
        s.stop()
    before = {m["id"]: m for m in listed(s)}
    contents = {i: queue(s, "cat", i, text=False).stdout for i in before}
    assert queue(s, "export", path).stdout == "export: 4 messages\n"
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert queue(s, "export", path).returncode in (65, 75)  # never over what is there
    with tarfile.open(path) as tar:  # by a reader that nobody here wrote
        names = tar.getnames()
        assert names[-1] == "MANIFEST" and sorted(os.path.basename(n) for n in names[:-1]) == sorted(before)
        manifest = tar.extractfile("MANIFEST").read().decode()
    assert manifest.startswith("postrider-queue-export 1\nhost mail.example.test\nmade ") and manifest.endswith("end 4\n")
    with Suite(settings=SETTINGS) as other:
        for user in ("user2", "user3"):
            block(other, user)
        if is_stopped:
            other.stop()
        done = queue(other, "import", path)
        assert done.returncode == 64 and "say --yes" in done.stderr and count(other) == 0
        assert queue(other, "import", path, "--dry-run").stdout == "import: 4 messages would come\n" and count(other) == 0
        assert queue(other, "import", path, "--yes").stdout == "import: 4 messages\n"
        after = {m["id"]: m for m in listed(other)}
        assert set(after) == set(before)
        for i, m in after.items():
            assert {k: m[k] for k in ("place", "sender", "arrived_us", "bytes", "tries", "login")} == {
                k: before[i][k] for k in ("place", "sender", "arrived_us", "bytes", "tries", "login")}
            assert m["recipients"] == before[i]["recipients"]
            assert queue(other, "cat", i, text=False).stdout == contents[i]
        again = queue(other, "import", path, "--yes")
        assert again.stdout == "import: 0 messages\n4 were here already\n" and count(other) == 4
        assert queue(other, "check").returncode == 0
        if is_stopped:
            other.start()
            assert count(other) == 4
        for user in ("user2", "user3"):
            block(other, user, False)
        assert queue(other, "flush").returncode == 0
        other.wait_messages(2, "user2")
        other.wait_messages(1, "user3")
        assert other.messages("user1") == []  # that one was delivered where it came from
    if is_stopped:
        s.start()


@pytest.mark.parametrize("is_stopped", [False, True])
def test_import_gives_another_id_where_one_exists(s, tmp_path, is_stopped):
    path = str(tmp_path / "queue.tar")
    hold_one(s)
    assert queue(s, "export", path).returncode == 0
    s.stop()
    (file,) = s.queue_files("hold")
    with open(file, "rb") as f:
        data = f.read()
    ident = os.path.basename(file)
    put(s, "hold", with_id(data, number_of(ident), 1000000000), file)  # another message of that id
    if not is_stopped:
        s.start()
    done = queue(s, "import", path, "--yes")
    assert done.returncode == 0 and f"{ident} is " in done.stderr
    found = ids(s)
    assert len(found) == 2 and ident in found
    if is_stopped:
        s.start()
    hold_one(s)
    assert count(s, "--status", "hold") == 3


def test_import_refuses_what_is_damaged(mixed, tmp_path):
    s = mixed
    path, bad = str(tmp_path / "queue.tar"), str(tmp_path / "bad.tar")
    assert queue(s, "export", path).returncode == 0
    assert queue(s, "delete", "ALL", "--yes").returncode == 0
    with open(path, "rb") as f:
        data = f.read()

    def attempt(bytes_):
        with open(bad, "wb") as f:
            f.write(bytes_)
        return queue(s, "import", bad, "--yes")
    for cut in (0, 100, 511, 512, 5000, len(data) // 2, len(data) - 1600):
        done = attempt(data[:cut])
        assert done.returncode == 65 and "no whole export" in done.stderr, cut
    assert attempt(b"\xff" + data[1:]).returncode == 65 and count(s) == 0
    done = attempt(data[:512 + 4200] + b"\xff" + data[512 + 4201:])  # one message, its content
    assert done.returncode == 65 and "its checksum is wrong" in done.stderr and done.stdout == "import: 3 messages\n"
    assert count(s) == 3
    assert queue(s, "import", "/nonexistent", "--yes").returncode == 66
    assert queue(s, "import", "/dev/null", "--yes").returncode == 64


def test_import_requeued(mixed, tmp_path):
    s = mixed
    path = str(tmp_path / "queue.tar")
    assert queue(s, "export", path, "--recipient", "user2@example.test", "--sender", "one.example").stdout == "export: 1 message\n"
    assert queue(s, "delete", "ALL", "--yes").returncode == 0
    block(s, "user2", False)
    assert queue(s, "import", path, "--requeue", "--yes").returncode == 0
    s.wait_messages(1, "user2")


# ---- a site ----

def test_flush_of_a_site(mixed):
    s = mixed
    for user in ("user2", "user3"):
        block(s, user, False)
    user = next(r["nexthop"] for m in listed(s, "--recipient", "user2@example.test") for r in m["recipients"]
                if r["address"] == "user2@example.test")
    assert queue(s, "flush", "--site", "nowhere.example").stdout == "flush: 0 messages\n"
    assert queue(s, "flush", "--site", user).stdout == "flush: 2 messages\n"
    s.wait_messages(2, "user2")
    assert count(s, "--status", "deferred") == 1
    assert s.command("sendmail", "-qRexample.test").returncode == 0
    s.wait_messages(1, "user3")
