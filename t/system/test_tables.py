"""Tables under a running suite: access maps of every type with each action, changed without a restart, damaged, missing
(HOSTILE 16); aliases and virtual aliases."""
import os

import pytest

from smtp_steps import arrived, envelope, hello, marked, reload_all, send, set_all, write
from suite import Suite
from waiting import until

ACTIONS = [
    ("ok", "OK", "250 2.1.5"), ("reject", "REJECT", "554 5.7.1"), ("text", "REJECT go away now", "554 5.7.1"),
    ("defer", "DEFER not now", "450 4.7.1"), ("four", "450 4.2.1 come later", "450 4.2.1"), ("five", "551 5.1.6 moved on", "551 5.1.6"),
    ("bare4", "421 busy", "421 4."), ("bare5", "577 no", "577 5."), ("dunno", "DUNNO", "250 2.1.5"), ("number", "1", "250 2.1.5"),
]


NAMING = ("warn_if_reject check_sender_access inline:{{warned@named.example = reject_unlisted_recipient, reject}} "
          "check_sender_access inline:{{refused@named.example = reject_unlisted_recipient, reject}} ")


def tables(suite):
    return os.path.join(suite.dir, "tables")


def build(suite, *specs):
    done = suite.postrider("map", "build", *specs)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000"]) as s:
        t = tables(s)
        senders = "".join(f"{name}@acts.example\t{action}\n" for name, action, _ in ACTIONS)
        senders += "hold@acts.example HOLD\ndiscard@acts.example DISCARD\n<> DUNNO\n"
        senders += "warn@acts.example WARN watch this\ninfo@acts.example INFO for the record\n"
        for kind in ("texthash", "hash", "btree", "lmdb"):
            write(f"{t}/{kind}-sender", senders.replace("acts.example", f"{kind}.example"))
            if kind != "texthash":
                build(s, f"{kind}:{t}/{kind}-sender")
        write(f"{t}/client.cidr", "127.0.0.7 REJECT seven\n127.0.1.0/24 450 4.7.0 slow\n!127.0.0.0/8 REJECT\n0.0.0.0/0 DUNNO\n")
        write(f"{t}/helo.pcre", "/^bad-(\\w+)\\.example$/ REJECT not $1\n/^dyn(amic)?[-.]/ 450 4.7.0 dynamic\n")
        write(f"{t}/rcpt", "user3@example.test REJECT closed\nlocalhost 450 4.2.1 later\nuser2+x@ REJECT tagged\n")
        set_all(s, smtpd_client_restrictions=f"check_client_access cidr:{t}/client.cidr",
                smtpd_helo_restrictions=f"check_helo_access pcre:{t}/helo.pcre",
                smtpd_sender_restrictions=NAMING + " ".join(f"check_sender_access {k}:{t}/{k}-sender"
                                                            for k in ("texthash", "hash", "btree", "lmdb")),
                smtpd_recipient_restrictions=f"check_recipient_access texthash:{t}/rcpt")
        yield s


@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "lmdb"])
def test_each_action_of_each_type(suite, kind):
    with hello(suite) as c:
        for name, _, want in ACTIONS:
            reply = envelope(c, sender=f"{name}@{kind}.example")
            assert reply.startswith(want), (name, reply)
            assert c.ask("RSET\r\n").startswith("250")
        assert "go away now" in envelope(c, sender=f"text@{kind}.example")


def test_hold_waits_until_it_is_released(suite):
    with hello(suite) as c:
        reply = send(c, "mark-hold", sender="hold@hash.example")
        assert reply.startswith("250 2.0.0")
    queue_id = reply.split()[-1]
    until(lambda: any(queue_id in f for f in suite.queue_files("hold")), "the file in hold")
    assert not marked(suite, "mark-hold")
    assert queue_id in suite.postrider("queue", "list").stdout
    assert suite.postrider("queue", "release", queue_id).returncode == 0
    arrived(suite, "mark-hold")
    suite.wait_queue_empty()
    assert not suite.queue_files("hold")


def test_discard_is_accepted_and_gone(suite):
    with hello(suite) as c:
        assert send(c, "mark-discard", sender="discard@lmdb.example").startswith("250 2.0.0")
    suite.wait_log("discarded .*DISCARD")
    suite.wait_queue_empty()
    assert not marked(suite, "mark-discard") and not suite.queue_files("hold")


def test_warnings_are_logged_and_let_pass(suite):
    with hello(suite) as c:
        assert envelope(c, sender="warn@hash.example").startswith("250")
        assert c.ask("RSET\r\n").startswith("250")
        assert envelope(c, sender="info@lmdb.example").startswith("250")
    for event, sender, text in (("access-warning", "warn@hash", "watch this"), ("access-info", "info@lmdb", "for the record")):
        suite.wait_log(rf'policy.* {event} session=\S+ client=127\.0\.0\.1 .*from={sender}\.example to=\S+ .*text="{text}"')
    done = suite.postrider("explain", "--client", "127.0.0.1", "--sender", "warn@hash.example", "--rcpt", "user1@example.test")
    assert "WARN watch this" in done.stdout, done.stdout


def test_what_an_entry_names_only_warns_behind_warn_if_reject(suite):
    with hello(suite) as c:
        for sender, want in (("warned@named.example", "250"), ("refused@named.example", "554 5.7.1")):
            assert envelope(c, sender=sender).startswith(want)
            assert c.ask("RSET\r\n").startswith("250")
    found = suite.wait_log(r"policy.* would-refuse session=\S+ .*from=(\S+) .*restriction=(\S+)")
    assert found == [("warned@named.example", "reject")], found


def test_clients_by_address(suite):
    with hello(suite, source="127.0.0.7") as c:
        reply = envelope(c)
        assert reply.startswith("554 5.7.1") and "seven" in reply
    with hello(suite, source="127.0.1.9") as c:
        assert envelope(c).startswith("450 4.7.0")
    with hello(suite, source="127.0.0.8") as c:
        assert envelope(c).startswith("250")


@pytest.mark.parametrize("name,want", [
    ("bad-robot.example", "554 5.7.1"), ("BAD-robot.EXAMPLE", "554 5.7.1"), ("dyn-1.example", "450 4.7.0"),
                                       ("good.example", "250"), ("bad-robot.example.org", "250")])
def test_helo_by_pattern(suite, name, want):
    with hello(suite, name=name) as c:
        reply = envelope(c)
        assert reply.startswith(want)
        assert "robot" in reply.lower() or want != "554 5.7.1"


def test_recipients(suite):
    with hello(suite) as c:
        assert envelope(c, to="user3@example.test").startswith("554 5.7.1")
        for to, want in (("postmaster@localhost", "450 4.2.1"), ("user2@example.test", "250"), ("user1@example.test", "250")):
            assert c.ask(f"RCPT TO:<{to}>\r\n").startswith(want), to


@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "lmdb"])
def test_a_changed_table_takes_effect_without_a_restart(suite, kind):
    path = f"{tables(suite)}/{kind}-sender"
    with open(path, encoding="utf-8") as f:
        before = f.read()
    pids = suite.processes("policy")
    with hello(suite) as c:
        assert envelope(c, sender=f"fresh@{kind}.example").startswith("250")
        c.ask("RSET\r\n")
        write(path, before + f"fresh@{kind}.example REJECT fresh words\n")
        if kind != "texthash":
            assert envelope(c, sender=f"fresh@{kind}.example").startswith("250")  # not rebuilt yet
            c.ask("RSET\r\n")
            build(suite, f"{kind}:{path}")

        def is_refused():
            reply = envelope(c, sender=f"fresh@{kind}.example")
            c.ask("RSET\r\n")
            return "fresh words" in reply
        until(is_refused, "the new row")
    assert suite.processes("policy") == pids


def test_a_stale_table_is_named_by_check(suite):
    path = f"{tables(suite)}/hash-sender"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    os.utime(path + ".db", (1, 1))
    done = suite.postrider("check")
    assert "hash-sender" in done.stdout + done.stderr
    write(path, text)
    build(suite, f"hash:{path}")
    assert "hash-sender" not in (lambda d: d.stdout + d.stderr)(suite.postrider("check"))


def damage(path):
    """The file with its beginning overwritten, put in its place as a new one."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[:4096] = bytes(i * 37 % 256 for i in range(min(4096, len(data))))
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


BROKEN = [(kind, suffix, how) for kind, suffix in (("hash", ".db"), ("btree", ".db"), ("lmdb", ".lmdb"))
          for how in ("damaged", "empty", "cut", "gone")] + [("texthash", "", "gone")]


@pytest.mark.parametrize("kind,suffix,how", BROKEN)
def test_a_table_that_is_broken_gives_4xx(suite, kind, suffix, how):
    path = f"{tables(suite)}/{kind}-sender{suffix}"
    keep = path + ".keep"
    with open(path, "rb") as f, open(keep, "wb") as k:
        k.write(f.read())
    if how == "damaged":
        damage(path)
    elif how == "gone":
        os.unlink(path)
    else:
        with open(path + ".cut", "wb") as f, open(keep, "rb") as k:
            f.write(b"" if how == "empty" else k.read()[:5000])
        os.chmod(path + ".cut", 0o644)
        os.rename(path + ".cut", path)

    def reply():
        with hello(suite) as c:
            return envelope(c, sender=f"reject@{kind}.example")
    pids = suite.processes("policy")
    got = until(lambda: not (r := reply()).startswith("554") and r, "a reply under the broken table")
    assert got[0] == "4", got
    os.chmod(keep, 0o644)
    os.rename(keep, path)
    until(lambda: reply().startswith("554"), "the table to work again")
    assert suite.processes("policy") == pids


# ---- aliases ----

ALIASES = """\
postmaster: user1@example.test
root: postmaster
team: user1@example.test, user2@example.test, USER1@example.test
nested: team, user3@example.test
loop-a: loop-b
loop-b: loop-a
self: self, user2@example.test
wide: nested, team, root
gone: nobody-at-all@example.test
"""
VIRTUAL = """\
sales@example.test user1@example.test, user2@example.test
all@example.test sales@example.test, user3@example.test, user1@example.test
circle1@example.test circle2@example.test
circle2@example.test circle1@example.test
outside@example.test x@elsewhere.example
user4@example.test user4@example.test, user3@example.test
"""


@pytest.fixture(scope="module")
def aliased():
    with Suite(users=4, settings=["smtpd_error_sleep_time=0", "smtpd_hard_error_limit=100000"]) as s:
        write(f"{s.config_dir}/aliases", ALIASES)
        write(f"{tables(s)}/virtual", VIRTUAL)
        set_all(s, virtual_alias_maps=f"texthash:{tables(s)}/virtual")
        yield s


def got(suite, mark):
    suite.wait_queue_empty()
    return tuple(len(marked(suite, mark, f"user{n}")) for n in (1, 2, 3))


@pytest.mark.parametrize("to,want", [
    ("postmaster", (1, 0, 0)), ("postmaster@localhost", (1, 0, 0)), ("root@mail.example.test", (1, 0, 0)), ("TEAM@localhost", (1, 1, 0)),
    ("nested@localhost", (1, 1, 1)), ("wide@localhost", (1, 1, 1)), ("user4@example.test", (0, 0, 1)),
    ("sales@example.test", (1, 1, 0)), ("all@example.test", (1, 1, 1)), ("Sales@Example.Test", (1, 1, 0)),
])
def test_aliases_expand_once_each(aliased, to, want):
    mark = f"mark-{to}-{want}."
    with hello(aliased) as c:
        assert send(c, mark, to=to).startswith("250 2.0.0")
    assert until(lambda: got(aliased, mark) == want or (got(aliased, mark) > want and "more"), "deliveries") is True


@pytest.mark.parametrize("to", ["loop-a@localhost", "self@localhost", "circle1@example.test", "gone@localhost"])
def test_circles_and_dead_ends_are_refused_or_kept(aliased, to):
    """Never delivered, never lost: a refusal, or a message in the queue."""
    with hello(aliased) as c:
        reply = send(c, f"mark-{to}", to=to)
    assert reply[0] in "45" or aliased.queue_files("deferred", "hold", "active")
    with hello(aliased) as c:
        assert send(c, "mark-alive").startswith("250")


def test_an_alias_to_elsewhere_is_refused_with_a_clear_text(aliased):
    with hello(aliased) as c:
        assert envelope(c, to="outside@example.test")[0] == "5"


def test_two_recipients_with_common_members_get_one_each(aliased):
    with hello(aliased) as c:
        c.ask("MAIL FROM:<a@b.example>\r\n")
        for to in ("sales@example.test", "all@example.test", "user1@example.test", "team@localhost"):
            assert c.ask(f"RCPT TO:<{to}>\r\n").startswith("250"), to
        c.ask("DATA\r\n")
        assert c.ask("Subject: x\r\n\r\nmark-common\r\n.\r\n").startswith("250")
    until(lambda: got(aliased, "mark-common") == (1, 1, 1), "one each")


def test_changed_aliases_take_effect(aliased):
    with hello(aliased) as c:
        assert envelope(c, to="new-alias@localhost").startswith("550 5.1.1")
        write(f"{aliased.config_dir}/aliases", ALIASES + "new-alias: user2@example.test\n")

        def is_taken():
            return c.ask("RCPT TO:<new-alias@localhost>\r\n").startswith("250")
        until(is_taken, "the new alias")
    reload_all(aliased)


def test_trusted_networks_by_table_and_by_file():
    with Suite(settings=["smtpd_error_sleep_time=0", "smtpd_recipient_restrictions=permit_mynetworks, reject"]) as s:
        t = tables(s)
        write(f"{t}/nets.cidr", "127.0.2.0/24 OK\n")
        write(f"{t}/nets", "# ours\n!127.0.3.9\n127.0.3.0/24\n")
        set_all(s, mynetworks=f"!inline:{{127.0.2.7=x}} cidr:{t}/nets.cidr {t}/nets")
        for source, want in (("127.0.2.1", "250"), ("127.0.2.7", "554"), ("127.0.3.1", "250"), ("127.0.3.9", "554"), ("127.0.4.1", "554")):
            with hello(s, source=source) as c:
                assert envelope(c).startswith(want), source
        write(f"{t}/nets", "127.0.3.0/24\n127.0.3.9/24\n")
        done = s.postrider("check")
        assert done.returncode != 0 and f"{t}/nets:2: error: " in done.stdout + done.stderr
