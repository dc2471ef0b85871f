"""header_checks(5), mime_header_checks, nested_header_checks and body_checks: each action by SMTP, and REJECT for sendmail too."""
import os

import pytest

from smtp_steps import arrived, hello, marked, reload_all, send, set_all, write
from suite import Suite
from waiting import until

HEADER = r"""
/^Subject: bad (\w+)/ REJECT no $1 here
/^Subject: later/ REJECT 4.7.0 come again
/^Subject: other/ REJECT 5.6.1 not this way
/^Subject: gone/ DISCARD lost
/^Subject: wait/ HOLD look at it
/^Subject: moved/ REDIRECT user2@example.test
/^Subject: copied/ BCC user3@example.test
/^X-Hide: / IGNORE
/^X-Strip: / STRIP seen
/^X-Old: (.*)/ REPLACE X-New: $1
/^X-Front: / PREPEND X-Before: yes
/^X-Bad-Front: / PREPEND no field at all
/^X-Folded: (.*)$/ REPLACE X-Refolded: $1
/^X-Warn: / WARN look
/^X-Info: / INFO hear
/^X-Pass: / PASS trusted
/^X-Dunno: x/ DUNNO
/^X-Dunno: / REJECT dunno was not heard
/^Received: .*EHLO-of-hidden/ IGNORE
/^Received: from (hidden\S*)/ REPLACE Received: from nowhere
"""
MIME = r"/name=.?[^\n]*\.exe/ REJECT 5.7.1 no programs" + "\n/^Content-Note: / IGNORE\n"
NESTED = r"/^Subject: inner/ REJECT 5.7.1 nested" + "\n"
BODY = r"""
/forbidden words/ REJECT
/^cut$/ IGNORE
/^swap (\w+)$/ REPLACE swapped $1
/^front$/ PREPEND before
/^copy$/ BCC user3@example.test
"""


def path(suite, name):
    return f"{suite.dir}/tables/{name}.pcre"


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["smtpd_hard_error_limit=1000", "smtpd_error_sleep_time=0"]) as s:
        write(path(s, "header"), HEADER)
        write(path(s, "mime"), MIME)
        write(path(s, "nested"), NESTED)
        write(path(s, "body"), BODY)
        set_all(s, header_checks=f"pcre:{path(s, 'header')}", mime_header_checks=f"pcre:{path(s, 'mime')}",
                nested_header_checks=f"pcre:{path(s, 'nested')}", body_checks=f"pcre:{path(s, 'body')}")
        yield s


def reply_to(suite, mark, head, body="", **more):
    with hello(suite, name=more.pop("name", "client.example")) as c:
        return send(c, f"{body}{mark}", head=f"{head}\r\n", **more)


def passed(suite, mark, head, body="", user="user1", **more):
    reply = reply_to(suite, mark, head, body, **more)
    assert reply.startswith("250 2.0.0"), reply
    return arrived(suite, mark, user).replace(b"\r\n", b"\n").decode()


@pytest.mark.parametrize("subject,want", [
    ("bad taste", "550 5.7.1 no taste here"), ("later", "451 4.7.0 come again"), ("other", "550 5.6.1 not this way")])
def test_reject_in_the_header(suite, subject, want):
    reply = reply_to(suite, f"mark-reject-{subject}", f"Subject: {subject}")
    assert reply == want
    suite.wait_log(rf"content-check .*action=reject part=header line=\"?Subject: {subject}")
    assert not marked(suite, f"mark-reject-{subject}")


def test_reject_names_the_queue_id(suite):
    reply_to(suite, "mark-id", "Subject: bad thing")
    line = suite.wait_log(r"content-check id=(\w+) action=reject part=header line=\"Subject: bad thing\"")
    assert any(f"not-queued id={queue_id}" in suite.log() for queue_id in line)


def test_sendmail_hears_of_a_reject(suite):
    done = suite.command("sendmail", "user1@example.test", input="Subject: bad manners\n\nmark-by-hand\n")
    assert done.returncode == 69 and "no manners here" in done.stderr
    assert not marked(suite, "mark-by-hand")


def test_discard_says_yes(suite):
    assert reply_to(suite, "mark-discard", "Subject: gone").startswith("250 2.0.0")
    suite.wait_log("discarded id=.*DISCARD")
    suite.wait_queue_empty()
    assert not marked(suite, "mark-discard") and not suite.queue_files("hold", "active")


def test_hold_waits(suite):
    queue_id = reply_to(suite, "mark-hold", "Subject: wait").split()[-1]
    until(lambda: any(queue_id in f for f in suite.queue_files("hold")), "the file in hold")
    assert suite.postrider("queue", "release", queue_id).returncode == 0
    arrived(suite, "mark-hold")


def test_redirect_and_bcc(suite):
    assert reply_to(suite, "mark-redirect", "Subject: moved").startswith("250")
    arrived(suite, "mark-redirect", "user2")
    suite.wait_queue_empty()
    assert not marked(suite, "mark-redirect")
    m = passed(suite, "mark-copied", "Subject: copied", "copy\r\ncopy\r\n")
    arrived(suite, "mark-copied", "user3")
    suite.wait_queue_empty()
    assert len(marked(suite, "mark-copied", "user3")) == 1 and "user3" not in m


def test_fields_change(suite):
    m = passed(suite, "mark-fields", "X-Hide: a\r\n b\r\nX-Strip: c\r\nX-Old: kept\r\nX-Front: d\r\nX-Folded: one\r\n two\r\n\tthree\r\n"
               "X-Bad-Front: e\r\nSubject: fine\r\n and folded")
    assert "X-Hide" not in m and "X-Strip" not in m and " b\n" not in m
    assert "\nX-New: kept\nX-Before: yes\nX-Front: d\nX-Refolded: one\n two\n\tthree\nX-Bad-Front: e\nSubject: fine\n and folded\n\n" in m
    assert "no field at all" not in m.split("\n\n")[0]
    suite.wait_log("action=not-done part=header line=\"X-Bad-Front: e\"")
    suite.wait_log("action=strip part=header")


def test_addresses_in_a_replacement_are_rewritten_too(suite):
    write(path(suite, "from"), "/^From: .*/ REPLACE From: Us <us>\n")
    set_all(suite, header_checks=f"pcre:{path(suite, 'from')}", myorigin="example.test")
    assert "\nFrom: Us <us@example.test>\n" in passed(suite, "mark-us", "From: me")
    set_all(suite, header_checks=f"pcre:{path(suite, 'header')}")


def test_words_for_the_log(suite):
    m = passed(suite, "mark-log", "X-Warn: a\r\nX-Info: b\r\nX-Dunno: x\r\nSubject: fine")
    assert "X-Warn: a\nX-Info: b\nX-Dunno: x\nSubject: fine\n\n" in m
    suite.wait_log("action=warning part=header line=\"X-Warn: a\" text=look")
    suite.wait_log("action=info part=header line=\"X-Info: b\" text=hear")
    assert reply_to(suite, "mark-dunno", "X-Dunno: y").startswith("550 5.7.1 dunno")


def test_pass_ends_all_checks(suite):
    passed(suite, "mark-pass", "X-Pass: yes\r\nSubject: bad taste", "forbidden words\r\n")


def test_the_trace_field_is_checked_too(suite):
    m = passed(suite, "mark-trace", "Subject: t", name="hidden.example")
    assert "Received: from nowhere\n" in m and "hidden.example" not in m


def test_the_body(suite):
    m = passed(suite, "mark-body", "Subject: b", "one\r\ncut\r\nswap that\r\nfront\r\n\r\ntwo\r\n")
    assert m.endswith("\n\none\nswapped that\nbefore\nfront\n\ntwo\nmark-body\n")
    assert reply_to(suite, "mark-words", "Subject: b", "some forbidden words here\r\n") == "550 5.7.1 message content rejected"


MULTIPART = ("Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1",
             "--b1\r\nContent-Type: text/plain\r\nContent-Note: gone\r\n\r\n{text}\r\n"
             "--b1\r\nContent-Type: {type}\r\n\r\n{part}\r\n--b1--\r\n")


def test_headers_of_parts(suite):
    head, body = MULTIPART
    m = passed(suite, "mark-parts", head, body.format(text="cut\r\nswap a", type="text/x", part="swap b"))
    assert "Content-Note" not in m
    assert "--b1\nContent-Type: text/plain\n\nswapped a\n--b1\nContent-Type: text/x\n\nswapped b\n--b1--\n" in m
    reply = reply_to(suite, "mark-exe", head, body.format(text="x", type="application/x;\r\n name=\"evil.exe\"", part="y"))
    assert reply == "550 5.7.1 no programs"
    suite.wait_log("part=mime-header")
    assert reply_to(suite, "mark-own-exe", "Content-Type: application/x; name=evil.exe").startswith("550 5.7.1 no programs")


def test_headers_of_attached_messages(suite):
    head, body = MULTIPART
    reply = reply_to(suite, "mark-nested", head, body.format(text="x", type="message/rfc822", part="Subject: inner\r\n\r\nbody"))
    assert reply == "550 5.7.1 nested"
    suite.wait_log("part=nested-header")
    passed(suite, "mark-not-nested", head, body.format(text="Subject: inner", type="text/plain", part="Subject: inner"))


@pytest.mark.parametrize("size,end", [(100000, "250 2.0.0"), (0, "550 5.7.1")], ids=["large", "small"])
def test_edited_checks_take_effect_at_a_reload(suite, size, end):
    """Without losing what is on its way: a large one has its file, and cleanup, from the beginning, and ends under the old checks; a
    small one meets those of the moment when it is whole."""
    write(path(suite, "header"), HEADER + "/^Subject: new rule/ REJECT\n")
    assert reply_to(suite, "mark-before", "Subject: new rule").startswith("250")
    with hello(suite) as open_one:
        assert open_one.ask(f"MAIL FROM:<a@b.example> SIZE={size}\r\n").startswith("250")
        assert open_one.ask("RCPT TO:<user1@example.test>\r\n").startswith("250")
        assert open_one.ask("DATA\r\n").startswith("354")
        open_one.say("Subject: new rule\r\n\r\nmark-on-its-way\r\n")
        done = suite.postrider("reload")
        assert done.returncode == 0, done.stderr
        until(lambda: reply_to(suite, "mark-after", "Subject: new rule").startswith("550 5.7.1"), "the new rule")
        assert open_one.ask(".\r\n").startswith(end)
    if size:
        arrived(suite, "mark-on-its-way")
    until(lambda: len(suite.processes("cleanup")) == 8, "the new cleanups alone")
    write(path(suite, "header"), HEADER)
    reload_all(suite)  # the rule is gone


def test_reloads_under_load_refuse_nobody(suite):
    for k in range(3):
        assert suite.postrider("reload").returncode == 0
        for n in range(20):
            assert reply_to(suite, f"mark-load-{k}-{n}.", "Subject: load").startswith("250 2.0.0")
    for k in range(3):
        for n in range(20):
            arrived(suite, f"mark-load-{k}-{n}.")
    reload_all(suite)


@pytest.mark.parametrize("rules,word", [
    ("/x/ FILTER smtp:[127.0.0.1]\n", "FILTER is not supported yet"), ("/x/ NONSENSE\n", "NONSENSE"), ("/x/ PREPEND\n", "PREPEND"),
    ("/(/ REJECT\n", "wrong.pcre:1"), (None, "nofile")], ids=str)
def test_check_refuses_what_is_wrong(suite, rules, word):
    name = "wrong" if rules else "nofile"
    if rules:
        write(path(suite, name), rules)
    before = f"pcre:{path(suite, 'header')}"
    assert suite.postrider("config", "-e", f"header_checks=pcre:{path(suite, name)}").returncode == 0
    done = suite.postrider("check")
    assert done.returncode == 78 and word in done.stdout and "header_checks" in done.stdout
    done = suite.postrider("reload")
    assert done.returncode != 0
    assert suite.postrider("config", "-e", f"header_checks={before}").returncode == 0
    assert suite.postrider("check").returncode == 0


def test_only_tables_in_memory(suite):
    before = f"pcre:{path(suite, 'header')}"
    assert suite.postrider("config", "-e", "header_checks=lmdb:/etc/x").returncode == 0
    assert "only pcre" in suite.postrider("check").stdout
    assert suite.postrider("config", "-e", f"header_checks={before}").returncode == 0


def test_a_pattern_that_takes_too_long_defers(suite):
    """HOSTILE 38."""
    write(path(suite, "slow"), "/^X-Slow: (a+)+$/ REJECT\n/b.*z!/ REJECT\n")
    set_all(suite, header_checks=f"pcre:{path(suite, 'slow')}")
    assert reply_to(suite, "mark-slow", f"X-Slow: {'a' * 900}!").startswith("451 4.3.0")
    assert reply_to(suite, "mark-slower", "X-Slow: " + f"{'b' * 900}\r\n " * 100 + "!").startswith("451 4.3.0")
    passed(suite, "mark-fast", "Subject: x")
    set_all(suite, header_checks=f"pcre:{path(suite, 'header')}")


def test_body_checks_end_at_their_limit(suite):
    set_all(suite, body_checks_size_limit="1000")
    passed(suite, "mark-beyond", "Subject: b", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 20 + "forbidden words\r\n")
    head, body = MULTIPART
    reply = reply_to(suite, "mark-each", head, body.format(text=("y" * 70 + "\r\n") * 20, type="text/x", part="forbidden words"))
    assert reply.startswith("550")  # of each part
    set_all(suite, body_checks_size_limit="51200")


def test_a_long_field_is_cut_where_it_is_checked(suite):
    set_all(suite, header_size_limit="2000")
    m = passed(suite, "mark-cut", f"X-Long: {'z' * 900}\r\n {'z' * 900}\r\n {'z' * 900}\r\nSubject: behind")
    assert len(m.split("X-Long: ")[1].split("\nSubject: behind")[0]) <= 2000
    set_all(suite, header_size_limit="102400")


def test_reports_of_ours_are_neither_checked_nor_copied(suite):
    """A failure after acceptance: the sender hears of it, by a message that no check and no blind copy is for."""
    write(path(suite, "all"), "/^Subject: (?!mine)/ REJECT\n")
    set_all(suite, header_checks=f"pcre:{path(suite, 'all')}", body_checks="", always_bcc="user2@example.test",
            local_recipient_maps="", myorigin="example.test")
    reply = reply_to(suite, "mark-fails", "Subject: mine", to="nobody@mail.example.test", sender="user1@example.test")
    assert reply.startswith("250 2.0.0"), reply
    report = until(lambda: [m for m in suite.messages("user1") if b"multipart/report" in m], "the report")
    assert len(report) == 1
    arrived(suite, "mark-fails", "user2")
    suite.wait_queue_empty()
    assert not [m for m in suite.messages("user2") if b"multipart/report" in m]
    set_all(suite, header_checks=f"pcre:{path(suite, 'header')}", body_checks=f"pcre:{path(suite, 'body')}", always_bcc="",
            local_recipient_maps="$alias_maps")


def test_nothing_is_left_behind(suite):
    suite.wait_queue_empty()
    assert not os.listdir(os.path.join(suite.spool_dir, "queue", "corrupt"))
