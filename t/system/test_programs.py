"""What members of aliases ask for besides addresses: commands, files and lists, as whoever acts for the alias."""
import fcntl
import mailbox
import os
import pwd
import re
import shutil

import pytest
from accounts import changed
from programs import DONE, Programs
from smtp_steps import is_taken
from waiting import until

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")

# The leak checker of sanitized builds would trace itself, which no program of a user may.
SENDMAIL = "ASAN_OPTIONS=detect_leaks=0 {0.bin_dir}/sendmail -C {0.config_dir}"


@pytest.fixture(scope="module", params=["root", "unprivileged"] if IS_ROOT else ["unprivileged"])
def s(request):
    with Programs(unprivileged=request.param == "unprivileged", 
                  settings=["minimal_backoff_time=1", "maximal_backoff_time=1", "recipient_delimiter=+"]) as suite:
        suite.is_split = request.param == "root"
        yield suite


def test_a_command_gets_the_message(s):
    script = s.script("plain", f"cat > $OUT; {DONE}")
    s.alias(plain=f'"|{script}"')
    s.send("Subject: for a program\r\n\r\nFrom here\r\n..dots\r\n", to="plain@localhost")
    lines = s.output("plain").split("\n")
    assert re.fullmatch(r"From a@b\.example  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", lines[0])
    assert lines[1:3] == ["Return-Path: <a@b.example>", "Delivered-To: plain@localhost"]
    assert lines[3].startswith("Received: from client.example")
    assert lines[-5:] == ["Subject: for a program", "", "From here", "..dots", ""]
    s.wait_queue_empty()
    s.wait_log(r"delivered to command: " + re.escape(script))


# "exit" is no program but the shell's own, which is run for a name that no folder of the path has.
EXITS = {0: ("delivered", "2.0.0", "delivered to command"), 64: ("failed", "5.3.0", "usage"), 65: ("failed", "5.6.0", "data format"),
         66: ("failed", "5.3.0", "open input"), 67: ("failed", "5.1.1", "user unknown"), 68: ("failed", "5.1.2", "host name unknown"),
         69: ("failed", "5.3.0", "unavailable"), 70: ("failed", "5.3.0", "software"), 71: ("deferred", "4.3.0", "resource"),
         72: ("failed", "5.3.0", "OS file"), 73: ("failed", "5.2.0", "output file"), 74: ("failed", "5.3.0", "input/output"),
         75: ("deferred", "4.3.0", "temporary failure"), 76: ("failed", "5.5.0", "protocol"), 77: ("failed", "5.7.0", "permission"),
         78: ("failed", "5.3.5", "configuration"), 1: ("failed", "5.3.0", "died with status 1"), 127: ("failed", "5.3.0", "status 127"),
         255: ("failed", "5.3.0", "status 255")}


def test_exit_codes_say_what_becomes_of_the_mail(s):
    s.alias(**{f"exit{code}": f'"|exit {code}"' for code in EXITS})
    s.send(to=[f"exit{code}@localhost" for code in EXITS])
    for code, (event, status, words) in EXITS.items():
        s.wait_log(rf"(?m) {event} id=\S+ to=exit{code}@localhost .*status={status} .*{words}")


def result(s, name, event, status, words):
    return s.wait_log(rf"(?m)^.* {event} id=\S+ to={name}@localhost .*status={re.escape(status)} .*{words}.*$")[0]


def test_output_is_told_and_may_name_the_status(s):
    s.alias(says_later='"|echo 4.7.1 come back later; exit 69"', says_never='"|echo 5.7.1 go away; exit 75"',
            says_more='"|echo to the first >&2; echo to the second; exit 65"',
             says_ansi='"|printf \'a\\\\033[31m\\\\001b\\\\nc\'; exit 65"',
            says_almost='"|echo 5.7 no; exit 75"', says_well='"|echo 5.7.1 all is well"', is_killed='"|kill -9 $$"')
    s.send(to=[f"{n}@localhost" for n in ("says-later", "says-never", "says-more", "says-ansi", "says-almost", "says-well", "is-killed")])
    result(s, "says-later", "deferred", "4.7.1", "come back later")
    result(s, "says-never", "failed", "5.7.1", "go away")
    result(s, "says-more", "failed", "5.6.0", "data format error. Command output: to the first to the second")
    result(s, "says-ansi", "failed", "5.6.0", r"a\?\[31m\?b c")
    result(s, "says-almost", "deferred", "4.3.0", "temporary failure. Command output: 5.7 no")
    result(s, "says-well", "delivered", "2.0.0", "delivered to command")
    result(s, "is-killed", "deferred", "4.3.0", "died with signal 9")


def test_output_is_limited(s):
    s.alias(floods='"|head -c 5000000 /dev/zero | tr \'\\\\0\' x; exit 65"')
    s.send(to="floods@localhost")
    assert len(result(s, "floods", "failed", "5.6.0", "xxxx")) < 1500


def test_a_command_need_not_read(s):
    done = s.script("deaf", f"exec <&-; {DONE}; echo > $OUT")
    s.alias(deaf=f'"|{done}"', mute="|true")
    s.send("Subject: large\r\n\r\n" + ("x" * 900 + "\r\n") * 4000, to=["deaf@localhost", "mute@localhost"])
    result(s, "deaf", "delivered", "2.0.0", "delivered to command")
    result(s, "mute", "delivered", "2.0.0", "delivered to command")


def test_a_large_message_arrives_whole(s):
    script = s.script("large", f"md5sum > $OUT; wc -c < /dev/null; {DONE}")
    tail = s.script("tail", f"tail -n 2 > $OUT; {DONE}")
    s.alias(large=f'"|{script}"', large_tail=f'"|{tail}"')
    s.send("Subject: large\r\n\r\n" + "".join(f"{i:06d}" + "x" * 500 + "\r\n" for i in range(5000)),
           to=["large@localhost", "large-tail@localhost"])
    assert s.output("tail").split("\n")[-2].startswith("004999x")
    assert len(s.output("large")) > 32


def test_the_environment_is_fixed(s):
    script = s.script("surroundings", f"env > $OUT; echo PWD=$(pwd) >> $OUT; {DONE}")
    s.alias(surroundings=f'"|{script}"')
    s.send(to="Surroundings@localhost", sender='"x y$(touch /tmp/pwned);`id`|"@b.example')
    env = dict(line.split("=", 1) for line in s.output("surroundings").splitlines())
    who = NOBODY.pw_name if s.is_split else None
    assert set(env) - {"_", "OLDPWD", "SHLVL"} == {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "SENDER", "RECIPIENT",
                                                   "ORIGINAL_RECIPIENT", "LOCAL", "DOMAIN", "EXTENSION", "CLIENT_HOSTNAME",
                                                   "CLIENT_ADDRESS", "CLIENT_HELO", "CLIENT_PROTOCOL", "SASL_USERNAME"}
    assert re.fullmatch(r"_x_y__touch_/tmp/pwned___id___@b\.example", env["SENDER"]), env["SENDER"]
    assert env["RECIPIENT"] == "Surroundings@localhost" and env["LOCAL"] == "Surroundings" and env["DOMAIN"] == "localhost"
    assert env["CLIENT_ADDRESS"] == "127.0.0.1" and env["CLIENT_HELO"] == "client.example" and env["CLIENT_PROTOCOL"] == "ESMTP"
    assert env["PATH"] == "/usr/bin:/bin" or env["PATH"] == "/bin:/usr/bin"
    assert env["PWD"] == (env["HOME"] if os.path.isdir(env["HOME"]) else "/")
    if who:
        assert env["USER"] == env["LOGNAME"] == who


def test_a_command_has_no_privilege_and_no_descriptor(s):
    script = s.script("powers", f"id -u > $OUT; id -G >> $OUT; grep -E 'NoNewPrivs|Cap(Prm|Eff|Bnd)|^Seccomp:' /proc/self/status >> $OUT;"
                      f"(exec ls /proc/self/fd > $OUT.fds); ps -o sid= -p $$ >> $OUT; echo $$ >> $OUT; {DONE}")
    s.alias(powers=f'"|{script}"')
    s.send(to="powers@localhost")
    lines = s.output("powers").splitlines()
    uid = NOBODY.pw_uid if s.is_split else os.stat(s.dir).st_uid
    assert int(lines[0]) == uid != 0 and 0 not in map(int, lines[1].split())
    values = dict(line.split(":\t") for line in lines[2:7])
    assert values["NoNewPrivs"] == "1" and values["Seccomp"] == "2"
    assert int(values["CapPrm"], 16) == int(values["CapEff"], 16) == 0
    with open(s.path("powers") + ".out.fds", encoding="utf-8") as f:
        assert f.read().split() == ["0", "1", "2", "3"]  # the last is the folder that ls looks at
    assert lines[-2].split() == [lines[-1]]  # leads a session of its own


def test_arguments_need_no_shell(s):
    script = s.script("words", f'printf "%s\\n" "$#" "$@" > $OUT; {DONE}')
    s.alias(words=f'"|{script} a  b=c\t-d @e,f"')
    s.send(to="words@localhost")
    assert s.output("words").splitlines() == ["4", "a", "b=c", "-d", "@e,f"]


def test_a_command_sends_mail(s):
    script = s.script("answers", f"""{SENDMAIL.format(s)} -f '' -- "$SENDER" 2>> $OUT <<END
Subject: I am away
To: $SENDER

until monday
END
echo exit $? >> $OUT; {DONE}""")
    s.alias(answers=f'"|{script}"')
    s.send(to="answers@localhost", sender="user2@example.test")
    assert s.output("answers") == "exit 0\n"
    assert any(b"until monday" in m and b"Return-Path: <>" in m for m in s.wait_messages(1, "user2"))


def test_local_programs_reach_commands(s):
    script = s.script("submitted", f"cat > $OUT; {DONE}")
    s.alias(submitted=f'"|{script}"')
    done = s.command("sendmail", "submitted@localhost", input="Subject: from here\n\nby sendmail\n")
    assert done.returncode == 0, done.stderr
    assert "by sendmail" in s.output("submitted")


def test_a_command_that_sends_to_its_own_alias_is_stopped(s):
    script = s.script("circles", f"echo again >> $OUT; {SENDMAIL.format(s)} -f user3@example.test circles@localhost; {DONE}")
    s.alias(circles=f'"|{script}"')
    s.send(to="circles@localhost", sender="user3@example.test")
    result(s, "circles", "failed", "5.4.6", "mail forwarding loop for circles@localhost")
    assert s.output("circles") == "again\n"


def test_the_owner_is_the_sender(s):
    script = s.script("owned", f'echo "$SENDER" >> $OUT; {DONE}')
    s.alias(owner_team="user2@example.test", team=f'"|{script}", user1@example.test')
    s.send(to="team@localhost", sender="someone@else.example")
    assert s.output("owned") == "owner-team@localhost\n"
    until(lambda: any(b"Return-Path: <owner-team@localhost>" in m for m in s.messages("user1")), "the owner in Return-Path")
    shown = s.explain("team@localhost").stdout
    assert "from <owner-team@localhost>" in shown and " by pipe #" in shown, shown


def test_no_stranger_names_a_command(s):
    """HOSTILE 10: addresses are data."""
    before = set(os.listdir(s.work))
    with s.raw() as c:
        c.reply()
        c.ask("EHLO x\r\n")
        c.ask("MAIL FROM:<a@b.example>\r\n")
        for rcpt in (f"|touch${{IFS}}{s.work}/pwned", f'"|touch {s.work}/pwned"', f"{s.work}/pwned", f":include:{s.config_dir}/aliases",
                     f'"|touch {s.work}/pwned"@localhost', f'"{s.work}/pwned"@localhost', f'":include:{s.config_dir}/aliases"@localhost',
                     '"#nobody |id"@localhost', "-oQ/tmp@localhost", "`id`@localhost", "$(id)@localhost", "%n@localhost"):
            assert c.ask(f"RCPT TO:<{rcpt}>\r\n")[0] in "45", rcpt
    assert set(os.listdir(s.work)) == before


def test_a_file_is_appended_to(s):
    path = s.path("mbox")
    s.alias(file=path)
    s.send("Subject: one\r\n\r\nFrom here\r\n", to="file@localhost")
    result(s, "file", "delivered", "2.0.0", "delivered to file: " + path)
    s.send("Subject: two\r\n\r\nbody\r\n", to="file@localhost")
    box = until(lambda: len(b := list(mailbox.mbox(path, create=False))) == 2 and b, "two messages")
    assert [m["Subject"] for m in box] == ["one", "two"] and box[0].get_payload() == ">From here\n"
    assert box[0]["Delivered-To"] == "file@localhost" and box[0]["Return-Path"] == "<a@b.example>"
    state = os.stat(path)
    assert state.st_uid == (NOBODY.pw_uid if s.is_split else os.stat(s.dir).st_uid) and state.st_mode & 0o777 == 0o600


def test_a_folder_is_a_maildir(s):
    path = s.path("folder") + "/"
    s.alias(folder=path, null="/dev/null")
    s.send("Subject: in a folder\r\n\r\nbody\r\n", to=["folder@localhost", "null@localhost"])
    result(s, "folder", "delivered", "2.0.0", "delivered to maildir")
    result(s, "null", "delivered", "2.0.0", "discarded")
    names = os.listdir(path + "new")
    assert len(names) == 1
    with open(os.path.join(path, "new", names[0]), "rb") as f:
        assert b"Subject: in a folder" in f.read()


def test_what_is_no_file_of_ones_own_is_refused(s):
    """HOSTILE 35."""
    target, hard = s.path("target"), s.path("hard")
    for path in (target, hard):
        with open(path, "w", encoding="utf-8"):
            pass
        os.chmod(path, 0o666)
        os.chown(path, *(NOBODY.pw_uid, NOBODY.pw_gid) if s.is_split else (os.stat(s.dir).st_uid, -1))
    os.symlink(target, s.path("link"))
    os.link(hard, s.path("harder"))
    os.mkfifo(s.path("fifo"), 0o666)
    os.mkdir(s.path("dir"))
    names = {"link": "link", "hard": "hard", "fifo": "fifo", "dir": "dir", "zero": "/dev/zero", "passwd": "/etc/passwd"}
    s.alias(**{f"un_{name}": os.path.join(s.work, path) for name, path in names.items()})
    s.send(to=[f"un-{name}@localhost" for name in names])
    for name in names:
        s.wait_log(rf"(?m) deferred id=\S+ to=un-{name}@localhost ")
    assert os.path.getsize(target) == 0 and os.path.getsize(hard) == 0


def test_a_locked_file_waits():
    with Programs(settings=["deliver_lock_attempts=2", "deliver_lock_delay=1", "minimal_backoff_time=1",
                            "maximal_backoff_time=1"]) as suite:
        path = suite.path("locked")
        with open(path, "w", encoding="utf-8") as held:
            os.chmod(path, 0o666)
            if IS_ROOT:
                os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
            fcntl.lockf(held, fcntl.LOCK_EX)
            suite.alias(locked=path)
            suite.send(to="locked@localhost")
            suite.wait_log(r"deferred id=\S+ to=locked@localhost .*locked by another program")
        suite.wait_log(r"delivered id=\S+ to=locked@localhost ")


def write_list(s, name, text):
    path = s.path(name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def test_a_list_is_read_with_its_lists(s):
    inner = write_list(s, "inner", f"user3@example.test\n:include:{s.path('outer')}\nuser2@example.test\n")
    outer = write_list(s, "outer", f"# a comment\nuser2@example.test, \"A B\" <user1@example.test>\n"
                                f":include:{inner}\n|touch {s.path('pwned')}\n/etc/x\nno address\n")
    s.alias(listed=f":include:{outer}", owner_listed="user1@example.test")
    text = "Subject: to the list\r\n\r\nbody\r\n"
    s.send(text, to="listed@localhost")
    for user in ("user1", "user2", "user3"):
        found = until(lambda u=user: [m for m in s.messages(u) if b"to the list" in m], f"the list at {user}")
        assert len(found) == 1 and b"Delivered-To: listed@localhost" in found[0] and b"Return-Path: <owner-listed@localhost>" in found[0]
    s.wait_log(r"list-member user=#\S+ list=\S+ member=\"\|touch")
    assert not os.path.exists(s.path("pwned"))


def test_lists_and_aliases_that_name_each_other_end(s):
    path = write_list(s, "loop", "loop@localhost\nuser2@example.test\n")
    s.alias(loop=f":include:{path}", loop_two=f":include:{write_list(s, 'loop2', 'loop-three@localhost')}",
            loop_three=f":include:{write_list(s, 'loop3', 'loop-two@localhost, loop-three@localhost')}")
    s.send("Subject: in circles\r\n\r\nbody\r\n", to=["loop@localhost", "loop-two@localhost"])
    result(s, "loop", "failed", "5.4.6", "mail forwarding loop for loop@localhost")
    result(s, "loop-two", "failed", "5.4.6", "mail forwarding loop for loop-two@localhost")
    result(s, "loop-three", "failed", "5.4.6", "mail forwarding loop for loop-three@localhost")
    assert len([m for m in s.wait_messages(1, "user2") if b"in circles" in m]) == 1


def test_a_list_that_is_no_file_waits(s):
    os.mkfifo(s.path("pipe-list"))
    wide = write_list(s, "wide", "user1@example.test\n")
    os.chmod(wide, 0o666)
    names = {"no_list": s.path("nothing"), "fifo_list": s.path("pipe-list"), "wide_list": wide, "zero_list": "/dev/zero",
             "empty_list": write_list(s, "empty", "# nobody\n")}
    if s.is_split:
        secret = write_list(s, "secret", "user1@example.test\n")
        os.chmod(secret, 0o600)
        names["secret_list"] = secret
    s.alias(**{name: f":include:{path}" for name, path in names.items()})
    s.send(to=[f"{name.replace('_', '-')}@localhost" for name in names])
    for name in names:
        s.wait_log(rf"(?m) deferred id=\S+ to={name.replace('_', '-')}@localhost ")


def test_ten_thousand_members(s):
    path = write_list(s, "many", "".join(f"user2+{i}@example.test\n" for i in range(10000)))
    over = write_list(s, "over", "".join(f"user2+{i}@example.test\n" for i in range(10001)))
    s.alias(many=f":include:{path}", over=f":include:{over}")
    s.send("Subject: many\r\n\r\nbody\r\n", to=["many@localhost", "over@localhost"])
    result(s, "over", "deferred", "4.4.6", "more than 10000 recipients")
    result(s, "many", "delivered", "2.0.0", "forwarded as")
    s.wait_log(r"queued id=\S+ .*recipients=10000")


def test_aliases_may_be_restricted():
    with Programs(settings=["allow_mail_to_commands=", "allow_mail_to_files=forward"]) as suite:
        with open(os.path.join(suite.config_dir, "aliases"), "a", encoding="utf-8") as f:
            f.write('cmd: "|true"\nfile: /tmp/x\ngood: user1@example.test\n')
        until(lambda: suite.explain("good@localhost").returncode == 0, "the aliases")
        for name, what in (("cmd", "commands"), ("file", "files")):
            shown = suite.explain(f"{name}@localhost")
            assert shown.returncode == 1 and f"mail to {what} is restricted" in shown.stdout, shown.stdout


def test_time_is_limited():
    with Programs(settings=["command_time_limit=1", "minimal_backoff_time=600"]) as suite:
        script = suite.script("sleeps", "sleep 100000 & echo $! $$ > $OUT; sleep 100000")
        suite.alias(sleeps=f'"|{script}"')
        suite.send(to="sleeps@localhost")
        suite.wait_log(r"deferred id=\S+ to=sleeps@localhost .*status=4\.3\.0 .*Command time limit exceeded")
        with open(suite.path("sleeps") + ".out", encoding="utf-8") as f:
            pids = f.read().split()
        until(lambda: not any(alive(pid) for pid in pids), "the end of all that the command started")
        suite.send(to="user1@example.test")  # the others are served
        suite.wait_messages(1)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_what_a_lost_process_ran_is_done_again():
    with Programs(settings=["restart_backoff_max=0"]) as suite:
        script = suite.script("twice", f'echo run >> $OUT; [ "$(wc -l < $OUT)" -gt 1 ] || sleep 1000; {DONE}')
        suite.alias(twice=f'"|{script}"')
        suite.send(to="twice@localhost")
        until(lambda: os.path.exists(suite.path("twice") + ".out"), "the first run")
        os.kill(suite.processes("pipe")[0], 9)
        assert suite.output("twice") == "run\nrun\n"
        suite.wait_queue_empty()


@pytest.fixture(name="account")
def an_account():
    """A user of the system, for the time of a test."""
    name = "pr-owner"
    changed("useradd", "--no-create-home", "--home-dir", "/nonexistent", name).check_returncode()
    try:
        yield pwd.getpwnam(name)
    finally:
        changed("userdel", name).check_returncode()


@pytest.mark.skipif(not IS_ROOT, reason="only root can act as somebody else")
def test_the_owner_of_the_table_acts_and_no_system_account(account):
    tables = {"root": (0, "nobody"), "daemon": (1, "nobody"), "user": (account.pw_uid, account.pw_name)}
    with Programs() as suite:
        for table, (uid, _) in tables.items():
            script = suite.script(f"of-{table}", f"id -un >> $OUT; {DONE}")
            path = os.path.join(suite.config_dir, f"aliases.{table}")
            with open(path, "w", encoding="utf-8") as f:
                f.write(f'of-{table}: "|{script}"\n')
            os.chown(path, uid, -1)
        maps = " ".join(f"texthash:{suite.config_dir}/aliases.{table}" for table in tables)
        done = suite.postrider("config", f"alias_maps=texthash:{suite.config_dir}/aliases {maps}")
        assert done.returncode == 0, done.stderr
        assert suite.postrider("reload").returncode == 0
        for table, (_, name) in tables.items():
            until(lambda: is_taken(suite, f"of-{table}@localhost"), "the new tables")
            suite.send(to=f"of-{table}@localhost")
            assert suite.output(f"of-{table}") == name + "\n"


@pytest.mark.skipif(not IS_ROOT, reason="only root can act as somebody else")
def test_a_user_acts_for_his_own_forward(account):
    """.forward's command, file and list, and mailbox_command, as the user himself."""
    home = "/tmp/pr-owner-home"
    shutil.rmtree(home, ignore_errors=True)
    os.mkdir(home, 0o700)
    changed("usermod", "--home", home, account.pw_name).check_returncode()
    with Programs(settings=["system_users=yes", "mydestination=localhost", "mailbox_command=/bin/sh -c 'cat > $HOME/boxed'"]) as suite:
        script = suite.script("own", f"id -un > $OUT; echo $HOME >> $OUT; {DONE}")
        with open(f"{home}/.forward", "w", encoding="utf-8") as f:
            f.write(f'"|{script}", {home}/mbox, :include:{home}/list\n')
        with open(f"{home}/list", "w", encoding="utf-8") as f:
            f.write("user2@example.test\n")
        for path in (home, f"{home}/.forward", f"{home}/list"):
            os.chown(path, account.pw_uid, account.pw_gid)
        os.chmod(f"{home}/.forward", 0o600)
        suite.send("Subject: mine\r\n\r\nbody\r\n", to=f"{account.pw_name}@localhost")
        assert suite.output("own") == f"{account.pw_name}\n{home}\n"
        until(lambda: os.path.exists(f"{home}/mbox") and len(mailbox.mbox(f"{home}/mbox")) == 1, "the file")
        assert os.stat(f"{home}/mbox").st_uid == account.pw_uid
        assert any(b"Subject: mine" in m for m in suite.wait_messages(1, "user2"))
        os.remove(f"{home}/.forward")
        suite.send("Subject: boxed\r\n\r\nbody\r\n", to=f"{account.pw_name}@localhost")
        until(lambda: os.path.exists(f"{home}/boxed") and "boxed" in open(f"{home}/boxed", encoding="utf-8").read(), "mailbox_command")
    shutil.rmtree(home)
