"""postrider config, check, explain, map, status, start, stop, reload: what an admin does."""
import json
import os
import re
import shutil
import smtplib
import subprocess

import pytest
from suite import Suite
from waiting import until

is_root = os.geteuid() == 0


@pytest.fixture
def s():
    with Suite() as suite:
        yield suite


def main_cf(s):
    return os.path.join(s.config_dir, "main.cf")


def append(path, text):
    with open(path, "a", encoding="utf-8") as f:
        f.write(text)


class Changed:
    """A configuration file that has its old content again afterwards."""

    def __init__(self, path, more):
        self.path, self.more = path, more

    def __enter__(self):
        shutil.copy2(self.path, self.path + ".kept")
        append(self.path, self.more)

    def __exit__(self, *_):
        os.rename(self.path + ".kept", self.path)


# ---- config ----

def test_parameters_are_shown(suite):
    done = suite.postrider("config", "myhostname", "smtpd_timeout")
    assert done.stdout == "myhostname = mail.example.test\nsmtpd_timeout = 300s\n"
    assert suite.postrider("config", "-h", "myhostname").stdout == "mail.example.test\n"
    assert suite.postrider("config", "-d", "smtpd_tls_key_file").stdout == "smtpd_tls_key_file = $smtpd_tls_cert_file\n"
    assert suite.postrider("config", "-x", "smtpd_tls_security_level").stdout == "smtpd_tls_security_level = may\n"
    own = suite.postrider("config", "-n").stdout
    assert "myhostname = mail.example.test\n" in own and "smtpd_timeout" not in own
    everything = suite.postrider("config").stdout.splitlines()
    assert everything == sorted(everything) and len(everything) > 80


def test_a_service_has_its_own_values(suite):
    key = f"127.0.0.1:{suite.submission_port}"
    assert "smtpd_sasl_auth_enable = yes" in suite.postrider("config", "--service", key).stdout
    assert suite.postrider("config", "--service", key, "smtpd_sasl_auth_enable").stdout == "smtpd_sasl_auth_enable = yes\n"
    assert suite.postrider("config", "smtpd_sasl_auth_enable").stdout == "smtpd_sasl_auth_enable = no\n"
    assert suite.postrider("config", "--service", "nothing").returncode == 1


def test_a_parameter_is_set_and_taken(s):
    before = open(main_cf(s), encoding="utf-8").read()
    assert s.postrider("config", "-e", "smtpd_banner=mail.example.test ESMTP hello you").returncode == 0
    assert open(main_cf(s), encoding="utf-8").read() == before + "smtpd_banner = mail.example.test ESMTP hello you\n"
    assert s.postrider("reload").returncode == 0
    until(lambda: banner(s) == "220 mail.example.test ESMTP hello you", "the new banner")
    for wrong in ("smtpd_timeout=soon", "smtpd_timout=5", "no equals sign"):
        assert s.postrider("config", "-e", wrong).returncode in (1, 64)
    assert "smtpd_timeout" in s.postrider("config", "smtpd_timout").stderr


def banner(s):
    with s.raw() as c:
        return c.reply()


# ---- check, reload, start, stop, status ----

MISTAKES = [
    ("smtpd_timout = 5\n", r"main\.cf:\d+: error: .*did you mean smtpd_timeout\?"),
    ("smtpd_timeout = soon\n", r"main\.cf:\d+: error: smtpd_timeout"),
    ("smtpd_relay_restrictions = permit\n", r"error: .*strangers could relay"),
    ("smtpd_client_restrictions = check_client_access nosuch:/x\n", r"error: .*nosuch"),
    ("this is no setting\n", r"main\.cf:\d+: error"),
    ("smtpd_sender_restrictions = reject_nothing_at_all\n", r"error: .*reject_nothing_at_all"),
]


@pytest.mark.parametrize("more, said", MISTAKES, ids=[str(n) for n in range(len(MISTAKES))])
def test_a_bad_configuration_is_told_and_never_taken(suite, more, said):
    with Changed(main_cf(suite), more):
        done = suite.postrider("check")
        assert done.returncode == 78 and re.search(said, done.stdout), done.stdout
        assert any(p["severity"] == "error" for p in json.loads(suite.postrider("check", "--json").stdout))
        done = suite.postrider("reload")
        assert done.returncode == 78 and re.search(said, done.stderr)
    assert banner(suite).startswith("220 ")
    assert suite.postrider("check").returncode == 0


def test_what_lies_around_is_checked(s):
    def told(*patterns):
        done = s.postrider("check")
        assert all(re.search(p, done.stdout) for p in patterns), done.stdout
        return done.returncode
    os.chmod(main_cf(s), 0o666)
    os.chmod(os.path.join(s.config_dir, "users"), 0o644)
    os.chmod(os.path.join(s.config_dir, "key.pem"), 0o644)
    assert told(r"main\.cf: error: everybody may write", r"users: warning: everybody may read",
                r"key\.pem: warning: everybody may read") == 78
    os.chmod(main_cf(s), 0o644)
    append(os.path.join(s.config_dir, "users"), "broken line\nuser9@example.test:x:1:1:/home/x:\n")
    assert told(r"users:4: ", r"users:5: warning: user9@example\.test has no mail") in (0, 78)
    key = os.path.join(s.config_dir, "key.pem")
    os.rename(key, key + ".kept")
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    assert told(r"cert\.pem: error: ") == 78
    os.rename(key + ".kept", key)
    with open(os.path.join(s.config_dir, "aliases"), "w", encoding="utf-8") as f:
        f.write("someone: user1@example.test\n")
    told(r"mail for root goes nowhere", r"mail for postmaster goes nowhere")
    spool = os.path.join(s.dir, "spool-of-mail")
    append(main_cf(s), f"\nsystem_users = yes\nhome_mailbox =\nmail_spool_directory = {spool}\n")
    told(r"home_mailbox: .*which IMAP and POP3 do not read", r"spool-of-mail: warning: new mailboxes cannot be made: No such file")
    os.mkdir(spool, 0o755)
    told(r"spool-of-mail: warning: .*only its owner may write there")
    os.chown(spool, -1, 54321) if os.geteuid() == 0 else None
    os.chmod(spool, 0o2775)
    told(r"spool-of-mail: warning: .*mail_gids does not have its group, \d+")
    os.chmod(spool, 0o1777)
    assert "spool-of-mail" not in s.postrider("check").stdout
    with open(main_cf(s), encoding="utf-8") as f:
        text = f.read()
    with open(main_cf(s), "w", encoding="utf-8") as f:
        f.write(text.partition("\nsystem_users = yes")[0] + "\n")


def test_stop_and_start(s):
    assert s.postrider("status").returncode == 0
    assert s.postrider("start").returncode == 0  # it runs already
    assert s.postrider("stop").returncode == 0
    assert not os.path.exists(f"/proc/{s.master_pid}/exe")
    done = s.postrider("status")
    assert done.returncode == 3 and done.stdout == "not running\n"
    assert json.loads(s.postrider("status", "--json").stdout)["running"] is False
    assert s.postrider("reload").returncode == 3
    assert s.postrider("stop").returncode == 0
    with Changed(main_cf(s), "daemon_directory = /nowhere\n"):
        assert s.postrider("start").returncode != 0
    with Changed(main_cf(s), "smtpd_timeout = soon\n"):
        assert s.postrider("start").returncode == 78
    with Changed(main_cf(s), "queue_directory = /proc/nowhere\n"):
        done = s.postrider("start")
        assert done.returncode == 1 and "/proc/nowhere" in done.stderr
    s.start()


@pytest.mark.skipif(not is_root, reason="the instance of an ordinary user is started by another way")
def test_the_command_starts_it(s):
    s.stop()
    # The processes' walls do not let a leak checker in.
    done = s.postrider("start", env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    try:
        assert done.returncode == 0, done.stderr
        s.send()
        assert s.wait_messages(1)
        rows = json.loads(s.postrider("status", "--json").stdout)
        assert rows["running"] and all(p["state"] == "up" for p in rows["processes"])
    finally:
        assert s.postrider("stop").returncode == 0
    s.start()


def test_status_names_every_process(suite):
    text = suite.postrider("status").stdout
    for role in ("smtpd", "cleanup", "qmgr", "policy", "local", "auth", "auth-worker", "login", "imapd", "pop3d", "meter", "pickup",
                 "bounce"):
        assert re.search(rf"(?m)^{role} +\d+ +up ", text), role
    rows = json.loads(suite.postrider("status", "--json", "--sandbox").stdout)["processes"]
    assert len(rows) == len(text.split("\n\n")[0].splitlines()) - 1
    for row in rows:
        assert row["no_new_privs"] == 1 and row["seccomp"] == 2 and row["proved"] == 1, row


def test_mistakes_on_the_command_line(suite):
    done = suite.postrider("statsu")
    assert done.returncode == 64 and 'did you mean "status"?' in done.stderr
    assert suite.postrider().returncode == 64
    assert suite.postrider("status", "--nothing").returncode == 64
    assert suite.postrider("status", "operand").returncode == 64
    assert suite.postrider("help").returncode == 0
    assert "queue" in suite.postrider("help").stdout
    assert suite.postrider("help", "explain").stdout.startswith("usage: postrider explain ")
    done = subprocess.run([os.path.join(suite.bin_dir, "postrider"), "status", "-C", "/nowhere"], capture_output=True, text=True)
    assert done.returncode == 78 and "/nowhere/main.cf" in done.stderr


# ---- explain says what the server does ----

ADDRESSES = ["user1@example.test", "USER1@EXAMPLE.TEST", "nobody@example.test", "postmaster", "postmaster@mail.example.test",
             "root@mail.example.test", "root@localhost", "nobody@localhost", "x@elsewhere.example", "x%elsewhere.example@example.test",
             "user1@[127.0.0.1]", "\"user1\"@example.test"]


def explain(s, *args):
    done = s.postrider("explain", "--json", *args)
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["accepted"] else 1)
    return answer


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("has_login", [False, True])
def test_explain_and_the_server_agree(suite, address, has_login):
    with suite.smtp() as c:
        c.ehlo("client.example")
        if has_login:
            c.login("user1@example.test", "secret")
        c.mail("a@b.example")
        code, reply = c.docmd(f"RCPT TO:<{address}>")
    answer = explain(suite, "--client", "127.0.0.1", "--helo", "client.example", "--sender", "a@b.example", "--rcpt", address,
                     "--service", f"127.0.0.1:{suite.smtp_port}", *(["--login", "user1@example.test"] if has_login else []))
    assert answer["code"] == code, (answer, reply)
    if code >= 400:
        last = answer["stages"][-1]
        assert f"{last['status']} {last['reply']}".encode() in reply


def test_explain_shows_chain_and_route(s):
    access = os.path.join(s.config_dir, "access")
    with open(access, "w", encoding="utf-8") as f:
        f.write("# who may not\n192.0.2.7 REJECT not you\n")
    assert s.postrider("config", "-e", f"smtpd_client_restrictions=check_client_access texthash:{access}").returncode == 0
    answer = explain(s, "--client", "192.0.2.7", "--rcpt", "user1@example.test")
    step = [x for stage in answer["stages"] for x in stage["steps"] if x["key"]][0]
    assert step["table"] == f"texthash:{access}" and step["key"] == "192.0.2.7" and step["line"] == 2
    assert answer["code"] == 554 and not answer["accepted"]
    answer = explain(s, "--client", "mail.example.org[192.0.2.8]", "--sender", "<>", "--rcpt", "<user1@example.test>")
    assert answer["stages"][-1]["routes"] == [{"address": "user1@example.test", "transport": "local",
                                               "nexthop": "user1@example.test", "sender": ""}]
    text = s.postrider("explain", "--client", "192.0.2.7", "--rcpt", "user1@example.test")
    assert text.returncode == 1 and "check_client_access" in text.stdout and "not you" in text.stdout
    assert s.postrider("explain").returncode == 64
    assert s.postrider("explain", "--rcpt", "a@b", "--service", "nothing").returncode == 1


# ---- tables ----

def types(s):
    known = ["lmdb"]
    if s.postrider("config", "-h", "default_database_type").stdout.strip() == "hash":
        known += ["hash", "btree"]
    return known


def test_tables_are_built_queried_listed_and_converted(suite, tmp_path):
    for kind in types(suite):
        source = tmp_path / kind
        source.write_text("# comment\nKey.One  value one\nkey.two\tvalue\n  goes on\n")
        spec = f"{kind}:{source}"
        assert suite.postrider("map", "build", spec).returncode == 0
        assert suite.postrider("map", "query", spec, "key.one").stdout == "value one\n"
        assert suite.postrider("map", "query", spec, "KEY.TWO").stdout.split() == ["value", "goes", "on"]
        assert suite.postrider("map", "query", spec, "key.three").returncode == 1
        assert suite.postrider("map", "-q", "key.one", spec).stdout == "value one\n"
        assert suite.postrider("map", "query", spec, "-", input="key.one\nnothing\n").stdout == "key.one\tvalue one\n"
        assert suite.postrider("map", "dump", spec).stdout.splitlines()[0] == "key.one\tvalue one"
    if "hash" in types(suite):
        dumped = subprocess.run(["db_dump", "-p", f"{tmp_path}/hash.db"], capture_output=True, text=True)
        assert dumped.returncode == 0 and "key.one" in dumped.stdout
        assert suite.postrider("map", "convert", f"hash:{tmp_path}/hash", f"lmdb:{tmp_path}/other").returncode == 0
        assert suite.postrider("map", "query", f"lmdb:{tmp_path}/other", "key.one").stdout == "value one\n"
    source = tmp_path / "lmdb"
    source.write_text("only-a-key\n")
    done = suite.postrider("map", "build", f"lmdb:{source}")
    assert done.returncode == 1 and f"{source}:1: " in done.stderr
    assert suite.postrider("map", "query", f"lmdb:{source}", "key.one").stdout == "value one\n"
    assert suite.postrider("map", "build", "nosuch:/x").returncode == 1
    assert suite.postrider("map", "build", f"lmdb:{tmp_path}/absent").returncode in (1, 75)


def test_an_edited_table_takes_effect_without_a_restart(s):
    virtual = os.path.join(s.config_dir, "virtual")
    with open(virtual, "w", encoding="utf-8") as f:
        f.write("first@example.test user1@example.test\n")
    kind = types(s)[-1]
    assert s.postrider("map", "build", f"{kind}:{virtual}").returncode == 0
    assert s.postrider("config", "-e", f"virtual_alias_maps={kind}:{virtual}").returncode == 0
    assert s.postrider("reload").returncode == 0
    until(lambda: accepts(s, "first@example.test"), "the table in use")
    assert not accepts(s, "second@example.test")
    pids = s.processes("policy")
    append(virtual, "second@example.test user2@example.test\n")
    now = os.stat(virtual).st_mtime_ns + 2_000_000_000
    os.utime(virtual, ns=(now, now))
    assert "postrider map build" in s.postrider("check").stdout
    assert s.postrider("map", "build", f"{kind}:{virtual}").returncode == 0
    until(lambda: accepts(s, "second@example.test"), "the new entry")
    assert s.processes("policy") == pids


def accepts(s, address):
    with s.smtp() as c:
        c.ehlo()
        c.mail("a@b.example")
        try:
            return c.rcpt(address)[0] == 250
        except smtplib.SMTPServerDisconnected:
            return False


def test_newaliases(s):
    kind = types(s)[-1]
    aliases = os.path.join(s.config_dir, "more")
    with open(aliases, "w", encoding="utf-8") as f:
        f.write("team: user1@example.test,\n  user2@example.test\n")
    assert s.postrider("config", "-e", f"alias_database={kind}:{aliases}", f"alias_maps={kind}:{aliases}").returncode == 0
    assert s.command("newaliases").returncode == 0
    assert s.postrider("map", "query", f"{kind}:{aliases}", "team").stdout.split() == ["user1@example.test,",
                                                                                      "user2@example.test"]
    assert s.postrider("reload").returncode == 0
    until(lambda: accepts(s, "team@localhost"), "the alias")
    s.send("Subject: to the team\r\n\r\nx\r\n", to="team@localhost")
    assert s.wait_messages(1, "user1") and s.wait_messages(1, "user2")
    append(aliases, "no colon here\n")
    assert s.command("newaliases").returncode == 65
    assert s.command("newaliases", "-Z").returncode == 64
