"""~/.forward of accounts of the system: its forms, what makes it unsafe, each destination once, loops. Needs root."""
import os
import re

import pytest
from accounts import accounts
from suite import Suite
from waiting import until

BODY = "Subject: {0}\r\n\r\n{0}\r\n"


@pytest.fixture(scope="module")
def people():
    with accounts("ann", "ben", "cat") as made:
        yield made


@pytest.fixture(scope="module")
def suite(people):
    with Suite(settings=["system_users=yes", "recipient_delimiter=+", "minimal_backoff_time=3600s"]) as s:
        yield s


@pytest.fixture(autouse=True)
def clean(people):
    yield
    for who in people:
        who.clear(".forward", ".forward+lists", ".forward+a")
        os.chmod(who.home, 0o755)


def send(suite, who, mark, extension="", domain="localhost"):
    suite.send(BODY.format(mark), to=f"{who.name}{extension}@{domain}", sender="from@sender.example")


def with_mark(who, mark, folder=""):
    return [m for m in who.maildir(folder) if f"\n{mark}\n".encode() in m]


def settled(suite):
    suite.wait_queue_empty()


def arrived(suite, who, mark, folder="", count=1):
    found = until(lambda: (f := with_mark(who, mark, folder)) and len(f) >= count and f, f"{mark} at {who.name}")
    settled(suite)
    assert len(with_mark(who, mark, folder)) == count
    return found


def test_to_another_user_with_the_sender_and_a_trace_of_where_it_was(suite, people):
    ann, ben, _ = people
    ann.write(".forward", f"{ben.name}\n")
    send(suite, ann, "mark-one")
    (m,) = arrived(suite, ben, "mark-one")
    assert with_mark(ann, "mark-one") == []
    assert b"Return-Path: <from@sender.example>\n" in m
    assert re.findall(rb"(?m)^Delivered-To: (.*)$", m) == [f"{w.name}@localhost".encode() for w in (ben, ann)]
    assert suite.wait_log(r"forwarded as [0-9A-Za-z]{11}")


def reports_about(who, queue_id):
    found = [m for m in who.maildir() if b"multipart/report" in m]
    return [m.decode() for m in found if re.search(rf"Original-Envelope-Id: {queue_id}\r?\n".encode(), m)]


@pytest.mark.parametrize("form, action, final", [("{ben}", "delivered", "{ben}"), ("{ben}, {cat}", "expanded", "{ann}")])
def test_a_sender_who_asked_hears_once_that_it_was_delivered(suite, people, form, action, final):
    """By who has it in the end, or, of several, by who passed it on (RFC 3461 5.2.7)."""
    ann, ben, cat = people
    ann.write(".forward", form.format(ben=ben.name, cat=cat.name))
    ident = f"env-{action}"
    with suite.smtp() as c:
        c.ehlo()
        c.mail(f"{cat.name}@localhost", [f"ENVID={ident}"])
        assert c.rcpt(f"{ann.name}@localhost", ["NOTIFY=SUCCESS"])[0] == 250
        assert c.data(BODY.format(f"mark-dsn-{action}"))[0] == 250
    arrived(suite, ben, f"mark-dsn-{action}")
    until(lambda: reports_about(cat, ident), "its report")
    settled(suite)
    (report,) = reports_about(cat, ident)
    assert f"Action: {action}\n" in report.replace("\r", "")
    name = final.format(ann=ann.name, ben=ben.name)
    assert f"Final-Recipient: rfc822; {name}@localhost\n" in report.replace("\r", "")


FORMS = [
    "{ben}, {cat}",
    "# a comment\n{ben}\n  # another\n{cat}\n",
    "{ben},\n\t{cat}",
    '"Ben of the house" <{ben}@localhost>, {cat}@localhost (Cat)',
    "{ben}\r\n\r\n{cat}\r\n",
    "{ben}, {ben}@localhost, {cat}, {BEN}, {cat}",
    '"{ben}", "{cat}"',
]


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_every_form_of_a_list_reaches_each_once(suite, people, form):
    ann, ben, cat = people
    ann.write(".forward", FORMS[form].format(ben=ben.name, cat=cat.name, BEN=ben.name.upper()))
    send(suite, ann, f"mark-form-{form}")
    arrived(suite, ben, f"mark-form-{form}")
    arrived(suite, cat, f"mark-form-{form}")
    assert with_mark(ann, f"mark-form-{form}") == []


@pytest.mark.parametrize("own", ["\\{0}", "{0}", "{0}@localhost", "{0}@mail.example.test", "\\{0}, {0}, {0}@mail.example.test"])
def test_naming_oneself_is_the_mailbox_once(suite, people, own):
    ann, ben, _ = people
    mark = f"mark-own-{abs(hash(own))}"
    ann.write(".forward", own.format(ann.name) + f", {ben.name}")
    send(suite, ann, mark)
    (m,) = arrived(suite, ann, mark)
    arrived(suite, ben, mark)
    assert len(re.findall(rb"(?m)^Delivered-To: ", m)) == 1


def test_only_the_own_mailbox_needs_no_copy(suite, people):
    ann = people[0]
    ann.write(".forward", f"\\{ann.name}\n")
    send(suite, ann, "mark-only-own")
    (m,) = arrived(suite, ann, "mark-only-own")
    assert len(re.findall(rb"(?m)^Received: ", m)) == 1


def test_an_empty_one_forwards_nothing(suite, people):
    ann = people[0]
    ann.write(".forward", "# nobody\n\n")
    send(suite, ann, "mark-empty")
    arrived(suite, ann, "mark-empty")


def test_an_extension_has_its_own(suite, people):
    ann, ben, cat = people
    ann.write(".forward+lists", ben.name)
    ann.write(".forward", cat.name)
    send(suite, ann, "mark-ext", "+Lists")
    arrived(suite, ben, "mark-ext")
    send(suite, ann, "mark-other-ext", "+other")
    arrived(suite, cat, "mark-other-ext")
    send(suite, ann, "mark-path-ext", "+../../etc")
    arrived(suite, cat, "mark-path-ext")
    assert with_mark(ann, "mark-ext") == with_mark(ann, "mark-other-ext") == []


def by_link(ann, ben):
    ann.write("elsewhere", ben.name)
    os.symlink(ann.path("elsewhere"), ann.path(".forward"))


def by_home(ann, ben):
    ann.write(".forward", ben.name)
    os.chmod(ann.home, 0o777)


UNSAFE = {
    "group": lambda ann, ben: ann.write(".forward", ben.name, 0o664),
    "world": lambda ann, ben: ann.write(".forward", ben.name, 0o646),
    "owner": lambda ann, ben: ann.write(".forward", ben.name, 0o644, ben.uid),
    "link": by_link,
    "fifo": lambda ann, ben: (os.mkfifo(ann.path(".forward")), os.chown(ann.path(".forward"), ann.uid, ann.gid)),
    "folder": lambda ann, ben: os.mkdir(ann.path(".forward")),
    "home": by_home,
    "unreadable": lambda ann, ben: ann.write(".forward", ben.name, 0),
    "large": lambda ann, ben: ann.write(".forward", f"{ben.name}\n" + "#" * 70000),
}


@pytest.mark.parametrize("how", UNSAFE)
def test_an_unsafe_one_is_ignored_with_a_word_in_the_log(suite, people, how):
    ann, ben, _ = people
    before = len(re.findall("forward-not-heeded", suite.log()))
    UNSAFE[how](ann, ben)
    send(suite, ann, f"mark-unsafe-{how}")
    arrived(suite, ann, f"mark-unsafe-{how}")
    assert with_mark(ben, f"mark-unsafe-{how}") == []
    suite.wait_log("forward-not-heeded", before + 1)
    ann.clear("elsewhere")


def test_what_is_no_address_goes_to_the_mailbox(suite, people):
    ann, ben, _ = people
    ann.write(".forward", f"{ben.name}, not an address, <>, \\")
    send(suite, ann, "mark-bad-member")
    arrived(suite, ann, "mark-bad-member")
    arrived(suite, ben, "mark-bad-member")


def test_circles_of_users_end_in_their_mailboxes(suite, people):
    ann, ben, _ = people
    ann.write(".forward", ben.name)
    ben.write(".forward", f"{ann.name}, \\{ben.name}")
    send(suite, ann, "mark-circle")
    arrived(suite, ann, "mark-circle")
    arrived(suite, ben, "mark-circle")


def test_a_message_that_was_here_before_is_a_loop(suite, people):
    ann = people[0]
    suite.send(f"delivered-to:  {ann.name.upper()}@LOCALHOST \r\nSubject: x\r\n\r\nmark-loop\r\n", to=f"{ann.name}@localhost")
    suite.wait_log(rf"(?s)5\.4\.6.*mail forwarding loop for {ann.name}@localhost")
    assert with_mark(ann, "mark-loop") == []
    text = f"Subject: x\r\nX: y\r\n\r\nDelivered-To: {ann.name}@localhost\r\nmark-no-loop\r\n"
    suite.send(text, to=f"{ann.name}@localhost")
    arrived(suite, ann, "mark-no-loop")


def test_a_virtual_user_has_it_in_his_mail_folder(suite, people):
    ann = people[0]
    folder = os.path.join(suite.mail_dir, "user3", "Maildir")
    owner = os.stat(folder)
    path = os.path.join(folder, ".forward")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{ann.name}@localhost, |/bin/true")
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, 0o600)
    suite.send(BODY.format("mark-virtual"), to="user3@example.test")
    arrived(suite, ann, "mark-virtual")
    suite.wait_messages(1, "user3")  # in the place of the command, which nobody could be
    os.unlink(path)
