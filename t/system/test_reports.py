"""Reports to senders (RFC 3461 to 3464, 6522): failures, delays and successes as NOTIFY and RET ask, templates, copies for
postmasters, double bounces, return paths of lists; never one to nobody, never a loop."""
import os
import re
import smtplib

import pytest

import plants
from queue_file import Recipient, leave
from reports import MAILER, Report, aliases, gone, reports, submit, wait_reports
from smtp_steps import arrived, hello, reload_all, set_all, write
from suite import Suite
from waiting import until

SETTINGS = ("smtpd_error_sleep_time=0", "minimal_backoff_time=1s", "maximal_backoff_time=1s")
# An alias of nobody alone is refused at RCPT; one of several is taken, and those that do not exist fail later.
ALIASES = {"broken": "user3@example.test, nobody@example.test", "list": "user2@example.test, user3@example.test",
           "mixed": "user2@example.test, nobody@example.test"}


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=SETTINGS) as s:
        aliases(s, **ALIASES)
        yield s


class Blocked:
    """A user whose mail cannot be delivered for now."""

    def __init__(self, suite, user):
        self.path = os.path.join(suite.mail_dir, user, "Maildir")

    def __enter__(self):
        os.chmod(self.path, 0)

    def __exit__(self, *_):
        os.chmod(self.path, 0o700)


def report_of(suite, queue_id, user="user1"):
    [one] = wait_reports(suite, 1, user, queue_id)
    return one


# ---- failures ----

def test_a_recipient_of_an_alias_that_does_not_exist(suite):
    queue_id = submit(suite, "mixed@localhost")
    r = report_of(suite, queue_id)
    assert r.mail["From"].addresses[0].addr_spec == MAILER and r.to() == "user1@example.test"
    assert r.mail["Auto-Submitted"] == "auto-replied"
    assert r.mail["References"] == r.mail["In-Reply-To"] == "<original@client.example>"
    assert re.fullmatch(r"<\w+@mail\.example\.test>", r.mail["Message-ID"]) and r.mail["Date"].datetime
    assert r.content.startswith(b"Return-Path: <>")
    message, row = r.message(), r.recipient()
    assert message["reporting-mta"] == "dns; mail.example.test"
    assert message["x-postrider-sender"] == "rfc822; user1@example.test" and "arrival-date" in message
    assert "original-envelope-id" not in message
    assert row["final-recipient"] == "rfc822; nobody@example.test" and row["original-recipient"] == "rfc822; mixed@localhost"
    assert row["action"] == "failed" and row["status"] == "5.1.1" and "unknown" in row["diagnostic-code"]
    assert "<nobody@example.test>" in r.words and "mixed@localhost" in r.words
    # The whole message, as neither RET nor its size say otherwise.
    assert r.returned.get_content_type() == "message/rfc822"
    original = r.returned.get_payload()[0]
    assert original["Message-ID"] == "<original@client.example>" and original.get_content() == "body\n"
    gone(suite, queue_id)


def test_failures_of_a_message_come_in_one_report(suite):
    aliases(suite, **ALIASES, third="user3@example.test, nobody3@example.test")
    queue_id = submit(suite, ["mixed@localhost", "third@localhost", "broken@localhost"])
    r = report_of(suite, queue_id)
    assert [row["final-recipient"] for row in r.recipients()] == ["rfc822; nobody@example.test", "rfc822; nobody3@example.test"]
    gone(suite, queue_id)
    assert len(wait_reports(suite, 1, about=queue_id)) == 1


def test_an_unknown_recipient_of_a_local_program(suite):
    done = suite.command("sendmail", "-f", "user1@example.test", "-N", "failure", "-R", "hdrs", "-V", "env-1", "nobody@example.test",
                         input="Subject: of a program\n\nbody\n")
    assert done.returncode == 0, done.stderr
    r = until(lambda: [r for r in reports(suite) if r.message().get("original-envelope-id") == "env-1"], "its report")[0]
    assert r.recipient()["status"] == "5.1.1"
    assert r.returned.get_content_type() == "text/rfc822-headers"


def test_what_notify_says_of_failures(suite):
    for notify, wanted in (("NEVER", 0), ("SUCCESS", 0), ("DELAY", 0), ("FAILURE", 1), ("SUCCESS,FAILURE,DELAY", 1)):
        queue_id = submit(suite, "broken@localhost", rcpt=[f"NOTIFY={notify}"])
        suite.wait_log(f"removed id={queue_id}")
        suite.wait_queue_empty()
        assert len([r for r in reports(suite) if r.message()["x-postrider-queue-id"] == queue_id and
                    "failed" in r.content.decode()]) == wanted, notify


def test_what_comes_back_of_the_message(suite):
    large = "x" * 76 + "\r\n"
    for mail, body, kind in ((["RET=FULL"], "body\r\n", "message/rfc822"), (["RET=HDRS"], "body\r\n", "text/rfc822-headers"),
                             ([], large * 700, "text/rfc822-headers"), (["RET=FULL"], large * 700, "text/rfc822-headers")):
        r = report_of(suite, submit(suite, "broken@localhost", mail=mail, body=body))
        assert r.returned.get_content_type() == kind
        shown = r.returned.as_bytes()
        assert b"<original@client.example>" in shown and (b"body" in shown) == (kind == "message/rfc822")
        assert b"xxxx" not in shown


def test_envelope_id_and_original_recipient_come_back_decoded(suite):
    queue_id = submit(suite, "broken@localhost", mail=["ENVID=QQ+2B3+3D4"], rcpt=["ORCPT=rfc822;Bro+2Bken@Client.example"])
    r = report_of(suite, queue_id)
    assert r.message()["original-envelope-id"] == "QQ+3=4"
    assert r.recipient()["original-recipient"] == "rfc822; Bro+ken@Client.example"
    shown = suite.log()
    assert f"reported id={queue_id}" in shown


def test_hostile_parameters_are_refused(suite):
    with hello(suite) as c:
        for bad in ("ENVID=a+0D+0Ab", "ENVID=a+0", "ENVID=", "RET=BODY", "RET=FULL RET=FULL", f"ENVID={'x' * 101}", "ENVID=a=b"):
            assert c.ask(f"MAIL FROM:<a@b.example> {bad}\r\n").startswith("501 5.5.4"), bad
        assert c.ask("MAIL FROM:<a@b.example>\r\n").startswith("250")
        for bad in ("NOTIFY=NEVER,SUCCESS", "NOTIFY=", "NOTIFY=ALWAYS", "ORCPT=rfc822;a+0Ab", "ORCPT=a@b", "ORCPT=rfc822;",
                    "NOTIFY=FAILURE NOTIFY=FAILURE", "ORCPT=rfc822;a+zz", "ORCPT=x y;a@b"):
            assert c.ask(f"RCPT TO:<user1@example.test> {bad}\r\n").startswith(("501 5.5.4", "555 5.5.4")), bad
        assert c.ask("RCPT TO:<user1@example.test> NOTIFY=never\r\n").startswith("250")


def test_what_is_not_offered_is_not_taken():
    with Suite(settings=[*SETTINGS, "smtpd_discard_ehlo_keywords=dsn, Size xverp"]) as s, s.smtp() as c:
        c.ehlo()
        assert not c.has_extn("dsn") and not c.has_extn("size") and not c.has_extn("xverp") and c.has_extn("8bitmime")
        assert c.mail("a@b.example", ["RET=HDRS"])[0] == 555
        assert c.mail("a@b.example")[0] == 250
        assert c.rcpt("user1@example.test", ["NOTIFY=NEVER"])[0] == 555


def test_a_hostile_message_stays_inside_its_part(suite):
    head = ("Subject: =?utf-8?q?x?=\r\n folded\r\nMessage-ID: <a\tb>\r\nX-Long: " + "y" * 1500 +
            "\r\nContent-Type: multipart/mixed; boundary=b\r\n").encode() + b"X-Raw: \xe9\xff\r\n"
    body = b"--b\r\nContent-Type: text/plain\r\n\r\n--\r\n----\r\n--b--\r\nReporting-MTA: dns; liar\r\n\r\nno end of line"
    for mail in ("RET=FULL", "RET=HDRS"):
        r = report_of_hostile(suite, mail, head + b"\r\n" + body)
        assert "References" not in r.mail and r.message()["reporting-mta"] == "dns; mail.example.test"
        assert len(r.recipients()) == 1
        assert r.returned["Content-Transfer-Encoding"] == r.mail["Content-Transfer-Encoding"] == "8bit"


def report_of_hostile(suite, mail, content):
    with suite.smtp() as c:
        c.ehlo()
        assert c.mail("user3@example.test", [mail, "BODY=8BITMIME"])[0] == 250
        assert c.rcpt("broken@localhost")[0] == 250
        queue_id = c.data(content)[1].split()[-1].decode()
    [found] = until(lambda: [m for m in suite.messages("user3") if f"X-Postrider-Queue-ID: {queue_id}".encode() in m], "the report")
    return HostileReport(found)


class HostileReport(Report):
    """What is returned whole may have any lines; the report around it may not."""

    def __init__(self, content):
        start = content.rindex(b"Content-Description:")
        cut = re.sub(rb"(?m)^([^\n]{900})[^\n]*", rb"\1", content[start:].replace(b"\0", b""))
        super().__init__(content[:start] + cut)


# ---- delay and success ----

def test_a_delay_is_told_once():
    with Suite(settings=[*SETTINGS, "delay_warning_time=1s", "notify_classes=delay"]) as suite:
        with Blocked(suite, "user2"):
            queue_id = submit(suite, "user2@example.test")
            quiet = submit(suite, "user2@example.test", rcpt=["NOTIFY=FAILURE"])
            r = [r for r in wait_reports(suite, 2, about=queue_id) if r.to() == "user1@example.test"][0]
            row = r.recipient()
            assert row["action"] == "delayed" and row["status"].startswith("4.") and "will-retry-until" in row
            assert r.returned.get_content_type() == "text/rfc822-headers"
            assert "5 days" in r.words
            tries = len(re.findall(f"deferred id={queue_id}", suite.log()))
            suite.wait_log(f"deferred id={queue_id}", tries + 3)
        arrived(suite, queue_id, "user2")
        suite.wait_queue_empty()
        of_it = [r for r in reports(suite) if r.message()["x-postrider-queue-id"] == queue_id]
        # user1 is the sender, and the postmaster who gets a copy.
        assert sorted(r.to() for r in of_it) == ["postmaster", "user1@example.test"]
        assert not [r for r in reports(suite) if r.message()["x-postrider-queue-id"] == quiet]


def test_success_is_told_when_asked_for(suite):
    quiet = submit(suite, "user2@example.test")
    queue_id = submit(suite, "user2@example.test", rcpt=["NOTIFY=SUCCESS"], mail=["RET=FULL"])
    r = report_of(suite, queue_id)
    row = r.recipient()
    assert row["action"] == "delivered" and row["status"] == "2.0.0" and row["final-recipient"] == "rfc822; user2@example.test"
    assert "original-recipient" not in row
    assert r.returned.get_content_type() == "text/rfc822-headers"
    gone(suite, queue_id)
    assert not [r for r in reports(suite) if r.message()["x-postrider-queue-id"] == quiet]


def test_what_was_relayed_is_told_as_such():
    """By a transport that hands mail on to a host which reports nothing."""
    relaying = Suite(build=plants.BUILD, settings=SETTINGS)
    relaying.options += ["--set", f"daemon_directory={plants.folder('mail-relayed', os.path.join(relaying.dir, 'libexec'))}"]
    with relaying as s:
        queue_id = submit(s, "user2@example.test", rcpt=["NOTIFY=SUCCESS", "ORCPT=rfc822;first@elsewhere.example"], mail=["ENVID=7"])
        r = report_of(s, queue_id)
        row = r.recipient()
        assert row["action"] == "relayed" and row["status"] == "2.0.0" and row["final-recipient"] == "rfc822; user2@example.test"
        assert row["original-recipient"] == "rfc822; first@elsewhere.example" and r.message()["original-envelope-id"] == "7"
        assert "sends no report of its own" in r.words.replace("\n", " ")
        quiet = submit(s, "user2@example.test", rcpt=["NOTIFY=FAILURE"])
        gone(s, quiet)
        assert len(reports(s)) == 1


def test_an_alias_is_told_of_as_one_recipient(suite):
    queue_id = submit(suite, "list@localhost", rcpt=["NOTIFY=SUCCESS"])
    row = report_of(suite, queue_id).recipient()
    assert row["action"] == "expanded" and row["final-recipient"] == "rfc822; list@localhost"
    gone(suite, queue_id)


def test_an_alias_is_told_of_once_though_a_member_waits(suite):
    with Blocked(suite, "user3"):
        queue_id = submit(suite, "list@localhost", rcpt=["NOTIFY=SUCCESS"])
        report_of(suite, queue_id)
    gone(suite, queue_id)
    arrived(suite, queue_id, "user3")
    assert len(wait_reports(suite, 1, about=queue_id)) == 1


def test_what_waited_too_long_has_failed():
    with Suite(settings=[*SETTINGS, "maximal_queue_lifetime=2s"]) as suite, Blocked(suite, "user2"):
        queue_id = submit(suite, "user2@example.test")
        row = wait_reports(suite, 1, about=queue_id)[0].recipient()
        assert row["action"] == "failed" and row["status"].startswith("4.")
        gone(suite, queue_id)


def test_a_user_who_is_deleted_while_mail_waits():
    with Suite(settings=[*SETTINGS, "minimal_backoff_time=1000s", "maximal_backoff_time=1000s"]) as suite:
        with Blocked(suite, "user2"):
            queue_id = submit(suite, "user2@example.test")
            suite.wait_log(f"deferred id={queue_id}")
        assert suite.postrider("user", "delete", "user2@example.test").returncode == 0
        suite.wait_log("users-loaded .*users=2")
        suite.postrider("queue", "flush", queue_id)
        assert wait_reports(suite, 1, about=queue_id)[0].recipient()["action"] == "failed"
        gone(suite, queue_id)


# ---- to nobody, and never again ----

def test_the_null_sender_gets_no_report(suite):
    queue_id = submit(suite, "broken@localhost", sender="")
    suite.wait_log(f"double-bounce-dropped id={queue_id}")
    gone(suite, queue_id)
    assert not [r for r in reports(suite) if r.message()["x-postrider-queue-id"] == queue_id]


def test_a_report_that_cannot_be_delivered_ends(suite):
    """Mail for elsewhere is not carried: the report itself fails."""
    queue_id = submit(suite, "broken@localhost", sender="someone@elsewhere.example")
    report = suite.wait_log(f"reported id={queue_id} report=([0-9A-Z]+)")[0]
    suite.wait_log(f"double-bounce-dropped id={report}")
    gone(suite, queue_id)
    gone(suite, report)
    assert len(re.findall(f"reported id={queue_id}", suite.log())) == 1
    assert not re.search(f"reported id={report}", suite.log())


def test_copies_for_postmasters():
    settings = [*SETTINGS, "notify_classes=bounce,2bounce", "bounce_notice_recipient=user2@example.test",
                "2bounce_notice_recipient=user3@example.test"]
    with Suite(settings=settings) as suite:
        aliases(suite, **ALIASES)
        queue_id = submit(suite, "broken@localhost", body="secret body\r\n")
        report_of(suite, queue_id)
        copy = report_of(suite, queue_id, "user2")
        assert copy.content.startswith(b"Return-Path: <double-bounce@mail.example.test>")
        assert "Postmaster copy" in copy.mail["Subject"] and copy.to() == "user2@example.test"
        assert copy.returned.get_content_type() == "text/rfc822-headers" and b"secret" not in copy.content
        # A double bounce.
        queue_id = submit(suite, "broken@localhost", sender="someone@elsewhere.example")
        report = suite.wait_log(f"reported id={queue_id} report=([0-9A-Z]+)")[0]
        double = report_of(suite, report, "user3")
        assert double.recipient()["final-recipient"] == "rfc822; someone@elsewhere.example"
        assert double.content.startswith(b"Return-Path: <double-bounce@mail.example.test>")
        suite.wait_queue_empty()


def test_a_copy_that_cannot_be_delivered_is_dropped():
    settings = [*SETTINGS, "notify_classes=bounce", "bounce_notice_recipient=nobody@example.test"]
    with Suite(settings=settings) as suite:
        aliases(suite, **ALIASES)
        queue_id = submit(suite, "broken@localhost")
        report_of(suite, queue_id)
        copy = suite.wait_log(f"postmaster-copy id={queue_id} report=([0-9A-Z]+)")[0]
        suite.wait_log(f"double-bounce-dropped id={copy} to=nobody@example.test")
        suite.wait_queue_empty()
        assert suite.queue_files() == [] and len(re.findall("info reported ", suite.log())) == 1


# ---- lists ----

def return_path(content):
    return re.match(rb"Return-Path: <(.*)>", content).group(1).decode()


def test_each_recipient_of_a_list_has_a_return_path(suite):
    aliases(suite, **ALIASES, **{"owner-x+broken=localhost": "user1@example.test"})
    set_all(suite, recipient_delimiter="+")
    try:
        queue_id = submit(suite, ["user2@example.test", "user3@example.test", "broken@localhost"],
                          sender="owner-x@mail.example.test", mail=["XVERP"])
        for user in ("user2", "user3"):
            found = arrived(suite, queue_id, user)
            assert return_path(found) == f"owner-x+{user}=example.test@mail.example.test"
        r = report_of(suite, queue_id)
        assert r.to() == "owner-x+broken=localhost@mail.example.test"
        assert r.message()["x-postrider-sender"] == "rfc822; owner-x@mail.example.test"
        queue_id = submit(suite, "user2@example.test", sender="owner-x@mail.example.test", mail=["XVERP=-="])
        assert return_path(arrived(suite, queue_id, "user2")) == "owner-x-user2=example.test@mail.example.test"
    finally:
        set_all(suite, recipient_delimiter="")


def test_return_paths_are_for_those_who_may(suite):
    with hello(suite) as c:
        assert c.ask("MAIL FROM:<> XVERP\r\n").startswith("501")
        assert c.ask("MAIL FROM:<a@b.example> XVERP=+\r\n").startswith("501")
        assert c.ask("MAIL FROM:<a@b.example> XVERP=ab\r\n").startswith("501")
    with Suite(settings=[*SETTINGS, "smtpd_authorized_verp_clients=192.0.2.0/24"]) as s, s.smtp() as c:
        c.ehlo()
        assert not c.has_extn("xverp") and c.mail("a@b.example", ["XVERP"])[0] == 555


def test_return_paths_by_sendmail(suite):
    for option, path in (("-XV", "user1+user2=example.test@example.test"), ("-XV-=", "user1-user2=example.test@example.test")):
        done = suite.command("sendmail", option, "-f", "user1@example.test", "user2@example.test", input=f"Subject: {path}\n\nx\n")
        assert done.returncode == 0, done.stderr
        assert return_path(arrived(suite, f"Subject: {path}", "user2")) == path
    assert suite.command("sendmail", "-XVab", "-f", "user1@example.test", "user2@example.test", input="x\n").returncode == 64


def test_the_owner_of_a_list_hears_of_its_members():
    """The recipient's own sender, as an alias with an owner gives it: in the queue file, as it stands there."""
    with Suite(settings=SETTINGS) as suite:
        suite.stop()
        queue_id = leave(suite, sender="user1@example.test", recipients=[
            Recipient("nobody@example.test", transport="error", nexthop="5.1.1 of the list", sender="user2@example.test"),
            Recipient("nobody3@example.test", transport="error", nexthop="5.1.2 of the sender"),
            Recipient("user3@example.test", nexthop="user3@example.test", sender="user2@example.test")])
        suite.start()
        owner, sender = report_of(suite, queue_id, "user2"), report_of(suite, queue_id)
        assert owner.to() == "user2@example.test" and owner.recipient()["final-recipient"] == "rfc822; nobody@example.test"
        assert sender.recipient()["final-recipient"] == "rfc822; nobody3@example.test"
        assert return_path(arrived(suite, "mark-left", "user3")) == "user2@example.test"
        gone(suite, queue_id)


def test_the_owner_of_an_alias_hears_of_its_members(suite):
    aliases(suite, **ALIASES, **{"team": "user3@example.test, nobody@example.test", "owner-team": "user2@example.test"})
    queue_id = submit(suite, "team@localhost")
    r = report_of(suite, queue_id, "user2")
    assert r.to() == "owner-team@localhost" and r.recipient()["final-recipient"] == "rfc822; nobody@example.test"
    assert r.message()["x-postrider-sender"] == "rfc822; user1@example.test"
    assert return_path(arrived(suite, queue_id, "user3")) == "owner-team@localhost"
    gone(suite, queue_id)
    assert not [r for r in reports(suite) if r.message()["x-postrider-queue-id"] == queue_id]


# ---- beyond ASCII ----

def test_an_address_that_is_not_ascii(suite):
    """RFC 6533: fields and types of their own."""
    done = suite.command("sendmail", "-f", "user1@example.test", "-V", "utf8", "j\u00f6rg@example.test",
                         input="Subject: \u00e4\n\nbody \u00fc\n")
    assert done.returncode == 0, done.stderr
    r = until(lambda: [r for r in reports(suite) if r.message().get("original-envelope-id") == "utf8"], "its report")[0]
    assert r.status.get_content_type() == "message/global-delivery-status"
    assert r.recipient()["final-recipient"] == "utf-8; j\u00f6rg@example.test"
    assert r.returned.get_content_type() == "message/global" and "body \u00fc".encode() in r.content
    assert "<j\u00f6rg@example.test>" in r.words


# ---- templates ----

TEMPLATE = """\
# ours
failure_template = <<END
Charset: utf-8
From: Postamt <post@example.test>
Subject: Nicht zugestellt
Postmaster-Subject: Kopie

Ihre Nachricht an $mydomain f\u00fcr $${5} kam nach $maximal_queue_lifetime_hours Stunden nicht an.
END
"""


def test_templates(suite):
    path = os.path.join(suite.dir, "etc", "bounce.cf")
    write(path, TEMPLATE)
    try:
        set_all(suite, bounce_template_file=path)
        r = report_of(suite, submit(suite, "broken@localhost"))
        assert r.mail["Subject"] == "Nicht zugestellt" and r.mail["From"] == "Postamt <post@example.test>"
        assert "Ihre Nachricht an example.test f\u00fcr ${5} kam nach 120 Stunden nicht an." in r.words
        # Others are as they were.
        r = report_of(suite, submit(suite, "user2@example.test", rcpt=["NOTIFY=SUCCESS"]))
        assert r.mail["Subject"] == "Your mail was delivered"
        # One with a mistake is told of by `check`, and the built-in ones are used.
        write(path, TEMPLATE.replace("Subject: Nicht", "Sbject: Nicht"))
        checked = suite.postrider("check")
        assert checked.returncode == 78 and "bounce.cf:5: error: no such field of a template" in checked.stdout
        reload_all(suite)
        assert report_of(suite, submit(suite, "broken@localhost")).mail["Subject"] == "Your mail could not be delivered"
        write(path, TEMPLATE.replace("$mydomain", "$mydomian"))
        assert "$mydomian is not a parameter" in suite.postrider("check").stdout
    finally:
        set_all(suite, bounce_template_file="")


# ---- as others see it ----

def test_reports_of_a_suite_without_root():
    with Suite(settings=SETTINGS, unprivileged=True) as suite:
        aliases(suite, **ALIASES)
        queue_id = submit(suite, "broken@localhost")
        assert report_of(suite, queue_id).recipient()["action"] == "failed"
        gone(suite, queue_id)


def test_smtplib_asks_for_reports_in_one_step(suite):
    with suite.smtp() as c:
        c.sendmail("user1@example.test", ["user2@example.test"], "Subject: plain\r\n\r\nmark-plain\r\n", ["RET=FULL"], ["NOTIFY=NEVER"])
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            c.sendmail("user1@example.test", ["nobody@example.test"], "x")
    arrived(suite, "mark-plain", "user2")
