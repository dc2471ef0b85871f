"""Local delivery as users and other mail programs see it: Maildir files, who owns them, readers at once; all of it also as one
ordinary user."""
import mailbox
import os
import re
import stat

import pytest

from smtp_steps import arrived, hello, send
from suite import Suite
from waiting import until


@pytest.fixture(scope="module")
def suite():
    with Suite() as s:
        yield s


def files(suite, user="user1"):
    found = []
    for sub in ("new", "cur"):
        folder = os.path.join(suite.mail_dir, user, "Maildir", sub)
        found += [os.path.join(folder, name) for name in os.listdir(folder)]
    return found


def test_files_belong_to_the_user_and_to_nobody_else(suite):
    with hello(suite) as c:
        assert send(c, "mark-owner").startswith("250")
    arrived(suite, "mark-owner")
    owner = os.stat(os.path.join(suite.mail_dir, "user1"))
    for path in files(suite):
        st = os.stat(path)
        assert (st.st_uid, st.st_gid) == (owner.st_uid, owner.st_gid)
        assert st.st_uid != 0 or os.geteuid() != 0
        assert stat.S_IMODE(st.st_mode) & 0o077 == 0 and stat.S_ISREG(st.st_mode) and st.st_nlink == 1
    assert os.listdir(os.path.join(suite.mail_dir, "user1", "Maildir", "tmp")) == []


def test_other_programs_can_read_the_folder(suite):
    with hello(suite) as c:
        send(c, "mark-python", to="user2@example.test", head="Subject: to be read\r\nFrom: x@y.example\r\n")
    arrived(suite, "mark-python", "user2")
    found = [m for m in mailbox.Maildir(os.path.join(suite.mail_dir, "user2", "Maildir"), create=False) if m["Subject"] == "to be read"]
    assert len(found) == 1 and found[0]["Delivered-To"] == "user2@example.test" and found[0].get_payload().strip() == "mark-python"


def test_names_are_unique_and_say_their_size(suite):
    with hello(suite) as c:
        for n in range(30):
            assert send(c, f"mark-name-{n}.", to="user3@example.test").startswith("250")
    suite.wait_queue_empty()
    names = [os.path.basename(f) for f in files(suite, "user3")]
    assert len(names) == len(set(names)) >= 30
    for path in files(suite, "user3"):
        assert re.match(r"^\d+\.[^/:]+,S=(\d+)", os.path.basename(path)), path
        assert int(re.search(r",S=(\d+)", path).group(1)) == os.path.getsize(path)


def test_an_address_with_an_extension(suite):
    with hello(suite) as c:
        reply = send(c, "mark-extension", to="user1+folder@example.test")
    assert reply.startswith("250") or reply.startswith("550 5.1.1")
    if reply.startswith("250"):
        assert b"Delivered-To: user1+folder@example.test" in arrived(suite, "mark-extension")


def test_readers_see_it_at_once(suite):
    with hello(suite) as c:
        assert send(c, "mark-reader").startswith("250")
    arrived(suite, "mark-reader")
    imap = suite.imap()
    imap.select()
    found = until(lambda: imap.search(None, "BODY", "mark-reader")[1][0].split(), "the message in IMAP")
    assert len(found) == 1
    imap.logout()
    pop3 = suite.pop3()
    count = pop3.stat()[0]
    assert any(b"mark-reader" in line for n in range(1, count + 1) for line in pop3.retr(n)[1])
    pop3.quit()


def test_a_link_in_place_of_new_is_not_followed(suite):
    """HOSTILE 35: what the user's folder is must not lead outside of it."""
    maildir = os.path.join(suite.mail_dir, "user2", "Maildir")
    outside = os.path.join(suite.dir, "outside")
    os.makedirs(outside)
    os.chmod(outside, 0o777)
    os.rename(os.path.join(maildir, "new"), os.path.join(maildir, "new.away"))
    os.symlink(outside, os.path.join(maildir, "new"))
    with hello(suite) as c:
        queue_id = send(c, "mark-link", to="user2@example.test").split()[-1]
    suite.wait_log(f"(deferred|failed|delivered) id={queue_id}")
    assert os.listdir(outside) == []
    os.unlink(os.path.join(maildir, "new"))
    os.rename(os.path.join(maildir, "new.away"), os.path.join(maildir, "new"))
    suite.postrider("queue", "flush", "ALL")
    suite.postrider("queue", "release", "ALL")
    arrived(suite, "mark-link", "user2")


def test_large_messages(suite):
    for size in (65535, 1_000_000, 9_000_000):
        line = b"z" * 998 + b"\r\n"
        body = b"Subject: large\r\n\r\nmark-large-%d.\r\n" % size + line * (size // 1000)
        with suite.smtp() as c:
            c.sendmail("a@b.example", "user1@example.test", body)
        got = arrived(suite, b"mark-large-%d." % size)
        assert got.replace(b"\r\n", b"\n").endswith(body.split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n"))


def test_as_an_ordinary_user():
    with Suite(unprivileged=True) as suite:
        with hello(suite) as c:
            for n in (1, 2, 3):
                assert send(c, f"mark-plain-{n}", to=f"user{n}@example.test").startswith("250")
            assert send(c, "x", to="nobody@example.test").startswith("550 5.1.1")
        for n in (1, 2, 3):
            arrived(suite, f"mark-plain-{n}", f"user{n}")
        with suite.smtp(suite.submission_port) as c:
            c.starttls(context=suite.tls_context())
            c.login("user1@example.test", "secret")
            c.sendmail("user1@example.test", "user2@example.test", b"Subject: x\r\n\r\nmark-submitted\r\n")
        arrived(suite, "mark-submitted", "user2")
        imap = suite.imap("user2")
        assert int(imap.select()[1][0]) == 2
        imap.logout()
        suite.wait_queue_empty()
