"""IMAP as a client sees it, through imaplib and raw sockets: reading, changing, sharing, searching; hostile clients and mail."""
import imaplib
import os
import re
import signal
import threading
import time

import pytest

from imap_wire import Imap, tokens
from waiting import until

HELLO = (b"From: Ada <ada@a.example>\r\nTo: user1@example.test\r\nSubject: Hello\r\n"
         b"Date: Tue, 3 Mar 2020 10:11:12 +0100\r\nMessage-ID: <1@a.example>\r\n\r\nFirst\r\n.second\r\n")


@pytest.fixture
def box(suite, request):
    """A raw session with an empty mailbox of its own selected."""
    with Imap(suite.imap_port, "user1") as c:
        name = re.sub(r"\W", "_", request.node.name)[:60]
        c.ask(f"DELETE {name}")
        c.ok(f"CREATE {name}")
        c.ok(f"SELECT {name}")
        c.name = name
        yield c


# ---- reading ----

def test_a_delivered_message_can_be_read(suite):
    suite.send(HELLO.decode(), to="user2@example.test")
    suite.wait_messages(1, "user2")
    c = suite.imap("user2")
    assert c.select("INBOX") == ("OK", [b"1"])
    _, data = c.fetch("1", "(RFC822.SIZE BODY[])")
    body = data[0][1]
    assert body.endswith(HELLO) and b"Delivered-To: user2@example.test" in body
    assert int(re.search(rb"RFC822.SIZE (\d+)", data[0][0]).group(1)) == len(body)
    assert c.fetch("1", "FLAGS")[1][0].count(rb"\Seen") == 1
    assert c.logout()[0] == "BYE"


def test_capabilities_after_login_are_those_that_work(suite):
    c = suite.imap()
    words = c.capability()[1][0].split()
    for word in (b"IMAP4rev1", b"IDLE", b"UIDPLUS", b"MOVE", b"UNSELECT", b"NAMESPACE", b"LITERAL+", b"ID", b"ENABLE"):
        assert word in words
    assert b"STARTTLS" not in words and b"LOGINDISABLED" not in words
    c.logout()


def test_imaplib_walks_through_everything(suite):
    c = suite.imap("user3")
    assert c.create("work")[0] == "OK"
    assert c.append("work", r"(\Flagged)", imaplib.Time2Internaldate(1000000000), HELLO)[0] == "OK"
    assert c.select("work") == ("OK", [b"1"])
    assert c.fetch("1", "INTERNALDATE")[1][0] == b'1 (INTERNALDATE " 9-Sep-2001 01:46:40 +0000")'
    assert c.store("1", "+FLAGS", r"(\Answered $Work)")[1] == [rb"1 (FLAGS (\Answered \Flagged \Recent $Work))"]
    assert c.search(None, "KEYWORD", "$Work") == ("OK", [b"1"])
    assert c.search(None, "FROM", "ada", "SUBJECT", "hello", "SENTON", "3-Mar-2020", "BODY", "second") == ("OK", [b"1"])
    assert c.search(None, "NOT", "FLAGGED") == ("OK", [b""])
    assert c.copy("1", "INBOX")[0] == "OK"
    assert c.uid("MOVE", "1", "INBOX")[0] == "OK"
    assert c.select("INBOX")[1] == [b"2"]
    assert c.status("work", "(MESSAGES UIDNEXT)")[1] == [b"work (MESSAGES 0 UIDNEXT 2)"]
    assert c.store("1:2", "FLAGS", r"\Deleted")[0] == "OK"
    assert c.expunge() == ("OK", [b"2", b"1"])
    assert c.rename("work", "play")[0] == "OK"
    assert c.subscribe("play")[0] == "OK"
    assert c.lsub() == ("OK", [b'() "/" play'])
    assert c.delete("play")[0] == "OK"
    assert c.namespace() == ("OK", [b'(("" "/")) NIL NIL'])
    assert c.close()[0] == "OK"
    c.logout()


def test_structure_and_sections(box):
    box.append(b"Subject: m\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
               b"Content-Type: application/pdf; name=x\r\nContent-Disposition: attachment; filename=x\r\n"
               b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n")
    row = box.fetch("FETCH 1 (BODYSTRUCTURE BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[2.MIME] BODY.PEEK[3])")[0]
    assert row["BODY[1]"] == b"one" and row["BODY[2]"] == b"AAAA" and row["BODY[3]"] is None
    assert row["BODY[2.MIME]"].startswith(b"Content-Type: application/pdf")
    first, second, kind = row["BODYSTRUCTURE"][:3]
    assert [first[0], first[1], second[0], second[1], kind] == [b"text", b"plain", b"application", b"pdf", b"mixed"]
    assert second[8] == [b"attachment", [b"filename", b"x"]]


def test_names_in_other_scripts(suite):
    with Imap(suite.imap_port, "user3") as c:
        name = "&U,BTFw-/&ZeVnLIqe-"
        c.ok(f'CREATE "{name}"')
        assert name in [tokens(r)[4] for r in c.ok('LIST "" *')]
        c.ok(f'DELETE "{name}"')


# ---- more than one session ----

def test_who_idles_hears_of_a_delivery(suite):
    with Imap(suite.imap_port, "user3") as c:
        c.ok("SELECT INBOX")
        c.say("i IDLE\r\n").until(b"+ ")
        suite.send("Subject: ping\r\n\r\nx\r\n", to="user3@example.test")
        assert c.until(b"* 1 EXISTS")
        c.say("DONE\r\n").until(b"i OK")
        c.ok("STORE 1 +FLAGS.SILENT \\Deleted")
        c.ok("EXPUNGE")


def test_sessions_share_one_truth(suite, box):
    box.append(HELLO)
    box.append(HELLO)
    with Imap(suite.imap_port, "user1") as other:
        other.ok(f"SELECT {box.name}")
        other.say("i IDLE\r\n").until(b"+ ")
        box.ok("STORE 1 +FLAGS.SILENT \\Flagged")
        other.until(b"* 1 FETCH (UID 1 FLAGS (\\Flagged")
        box.ok("STORE 2 +FLAGS.SILENT \\Deleted")
        box.ok("EXPUNGE")
        other.until(b"* 2 EXPUNGE")
        box.append(HELLO)
        other.until(b"* 2 EXISTS")
        other.say("DONE\r\n").until(b"i OK")


def workers(suite, role="imapd-worker"):
    """Pids of the workers of this suite's pools."""
    pools = {int(p) for p in suite.processes("imapd")}
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                name, fields = f.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == role[:15] and int(fields.split()[1]) in pools:
            found.append(int(pid))
    return found


def test_uids_outlive_a_killed_worker(suite):
    with Imap(suite.imap_port, "user2") as c:
        c.append(HELLO)
        before = [r for r in c.ok("SELECT INBOX") if b"UIDVALIDITY" in r], c.fetch("UID FETCH 1:* UID")
    assert workers(suite)
    for pid in workers(suite):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not workers(suite), "the end of the workers")
    with Imap(suite.imap_port, "user2") as c:
        assert before == ([r for r in c.ok("SELECT INBOX") if b"UIDVALIDITY" in r], c.fetch("UID FETCH 1:* UID"))


# ---- TLS ----

@pytest.mark.parametrize("way", ["imaps", "starttls"])
def test_a_large_message_through_tls(suite, way):
    body = b"Subject: large\r\n\r\n" + b"".join(b"line %09d\r\n" % i for i in range(200000))
    context = suite.tls_context()
    if way == "imaps":
        c = imaplib.IMAP4_SSL("localhost", suite.imaps_port, ssl_context=context)
    else:
        c = imaplib.IMAP4("localhost", suite.imap_port)
        c.starttls(context)
    c.login("user1@example.test", "secret")
    c.create("tls")
    assert c.append("tls", None, None, body)[0] == "OK"
    count = c.select("tls")[1][0].decode()
    assert c.fetch(count, "BODY.PEEK[]")[1][0][1] == body
    c.logout()


# ---- hostile mail: HOSTILE 21, 22 ----

BROKEN = [
    b"", b"\r\n", b"no header at all", b"From\r\n\r\n", b": empty\r\n\r\n", b"From: <<<>>>,,;\r\nTo: \"open\r\nCc: (((\r\n\r\n",
    b"Subject: \xff\xfe\x80 8bit\r\nFrom: \xe4@\xf6\r\n\r\n", b"Subject: =?utf-8?b?////?= =?x?q?\r\n\r\n",
    b"Subject: " + b"a" * 100000 + b"\r\n\r\n", b"Subject: tab\tand \"quotes\" \\ and {5}\r\n\r\n",
    b"To: group: a@b, c@d;, =?utf-8?q?=22?= <x@y>\r\nSender: nobody\r\n\r\n", b"Date: \"31\\\" Foo\r\nMessage-ID: <\"\r\n\r\n",
    b"Content-Type: multipart/mixed\r\n\r\nx", b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\nx",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\nnever", b"Content-Type: text; charset=\"\\\"\"\r\n\r\nx",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nx",
    b"Content-Type: /;;;=\r\nContent-Disposition: ;;\r\nContent-Language: ,,\r\nContent-MD5: (\r\n\r\nx",
    b"Content-Type: a/b; c*0=\"x; c*1*=%zz; d=\xff\r\n\r\nx", b"Content-ID: \"\\\r\nContent-Description: \x01\x02\r\n\r\nx",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 300,
    b"From: " + b"a@b, " * 2000 + b"\r\n\r\n", b"A" * 500 + b"\r\n" * 500, b"Subject: bare\rcr\nlf\r\n\r\nx\ny\rz",
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_broken_mail_is_answered_in_correct_syntax(box, number):
    text = BROKEN[number] or b"\n"
    box.append(text)
    row = box.fetch("FETCH 1 (ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1] "
                    "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)] BODY.PEEK[HEADER.FIELDS.NOT (TO)] BODY.PEEK[1.1.MIME])")[0]
    assert len(row["ENVELOPE"]) == 10
    assert len(row["BODYSTRUCTURE"]) >= 2
    whole = box.fetch("FETCH 1 (RFC822.SIZE BODY.PEEK[])")[0]
    assert int(whole["RFC822.SIZE"]) == len(whole["BODY[]"])
    assert row["BODY[HEADER]"] + row["BODY[TEXT]"] == whole["BODY[]"]
    for key in ("SUBJECT x", "FROM x", "TEXT zzz", "BODY zzz", "SENTBEFORE 1-Jan-2020", "HEADER X-None \"\""):
        box.ok(f"SEARCH {key}")


def test_nul_and_bare_line_ends_in_an_append(box):
    box.append(b"Subject: n\r\n\r\na\0b\nc\r\n")
    body = box.fetch("FETCH 1 BODY.PEEK[]")[0]["BODY[]"]
    assert body == b"Subject: n\r\n\r\na\x80b\r\nc\r\n"


# ---- hostile clients: HOSTILE 24 to 29 ----

NAMES = ["..", "../x", "a/../b", "/etc", "~root", "a//b", "a/", ".", "&AC8-", "&AGEA-", "&", "&-", "x" * 300, "postrider",
         "a/" * 300 + "a", "*", "%", "a\\\\b", "cur", "new", "tmp"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_in_the_folder(suite, name):
    with Imap(suite.imap_port, "user3") as c:
        for verb in ("CREATE", "SELECT", "SUBSCRIBE", "UNSUBSCRIBE", "DELETE"):
            c.ask(f'{verb} "{name}"')
        c.ask("CREATE plain")
        c.ask(f'RENAME plain "{name}"')
        c.ask(f'DELETE "{name}"')
        c.ask("DELETE plain")
        for line in c.ok('LIST "" *'):
            assert len(tokens(line)) == 5
        c.ok("SELECT INBOX")


COMMANDS = [
    b"SEARCH " + b"(" * 60000, b"SEARCH " + b"NOT " * 9000 + b"ALL", b"SEARCH " + b"OR ALL " * 9000 + b"ALL",
    b"FETCH 1:4294967295 FLAGS", b"FETCH " + b"1:*," * 10000 + b"1 FLAGS", b"UID FETCH 4294967295:1 FLAGS",
    b"LIST \"\" " + b"*%" * 200, b"LIST \"\" " + b"*a" * 200, b"FETCH 1 BODY[" + b"1." * 300 + b"1]",
    b"FETCH 1 (" + b"BODY[] " * 600 + b")", b"STORE 1 FLAGS (" + b"a " * 300 + b")", b"SELECT {99999999999+}",
    b"APPEND INBOX {9999999999999+}", b"x" * 70000, b"FETCH 1 BODY[HEADER.FIELDS (" + b"x " * 3000 + b")]",
    b"SEARCH HEADER " + b"a" * 60000 + b" b", b"STATUS INBOX (" + b"MESSAGES " * 5000 + b"UNSEEN)", b"\xff\xfe", b"", b" ", b"a\rb",
    b"FETCH 1 BODY[]<0.0>", b"FETCH 1 BODY[]<4294967296.1>", b"SEARCH BODY x " * 60,
]


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_hostile_commands_cost_nobody_else_anything(suite, number):
    with Imap(suite.imap_port, "user1") as c, Imap(suite.imap_port, "user1") as good:
        c.ok("SELECT INBOX")
        c.say(b"h " + COMMANDS[number] + b"\r\nz LOGOUT\r\n")
        start = time.monotonic()
        good.ok("NOOP")
        assert time.monotonic() - start < 1
        try:
            while not c.response().startswith((b"z ", b"* BYE")):
                pass
        except (EOFError, ConnectionResetError):
            pass
        good.ok("NOOP")


def test_keys_of_text_are_limited(suite):
    with Imap(suite.imap_port, "user1") as c:
        c.ok("SELECT INBOX")
        assert b"[LIMIT]" in c.refused("SEARCH " + "BODY x " * 60)


def test_ten_thousand_pipelined_commands(suite):
    with Imap(suite.imap_port, "user1") as c:
        c.ok("SELECT INBOX")
        sender = threading.Thread(target=lambda: c.socket.sendall(b"".join(b"p%d NOOP\r\n" % i for i in range(10000))))
        sender.start()
        for i in range(10000):
            assert c.response() == b"p%d OK NOOP completed" % i
        sender.join()


def test_a_client_that_never_reads_is_bounded(suite, box):
    box.append(b"Subject: big\r\n\r\n" + b"x" * 76 * 50000 + b"\r\n")
    with Imap(suite.imap_port, "user1") as deaf, Imap(suite.imap_port, "user1") as good:
        deaf.ok(f"SELECT {box.name}")
        deaf.say(b"".join(b"f%d FETCH 1 BODY.PEEK[]\r\n" % i for i in range(300)))
        for _ in range(20):
            start = time.monotonic()
            good.ok("NOOP")
            assert time.monotonic() - start < 1


def test_a_cut_off_append_changes_nothing(suite, box):
    with Imap(suite.imap_port, "user1") as c:
        c.say(b"a APPEND %s {1000000}\r\n" % box.name.encode()).until(b"+ ")
        c.say(b"Subject: half\r\n\r\n" + b"y" * 5000)
    until(lambda: not any(b"Subject: half" in m for m in suite.messages("user1", f".{box.name}")), "nothing of it")
    assert box.fetch("FETCH 1:* UID") == []


def test_many_bad_commands_end_the_session(suite):
    with Imap(suite.imap_port, "user1") as c:
        c.say(b"x y\r\n" * 100)
        with pytest.raises((EOFError, ConnectionResetError)):
            while True:
                c.response()


def test_a_deleted_mailbox_says_bye_to_its_readers(suite, box):
    with Imap(suite.imap_port, "user1") as other:
        other.ok(f"SELECT {box.name}")
        box.ok(f"DELETE {box.name}")
        assert other.say("n NOOP\r\n").response().startswith(b"* BYE")
