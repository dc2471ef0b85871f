"""Accounts of the system: delivered to by passwd, logged in by PAM, each as itself. Needs root, and makes an account meanwhile."""
import imaplib
import os
import re
import shutil

import pytest
from accounts import changed
from suite import Suite
from waiting import until

NAME, PASSWORD = "postrider-test-account", "correct horse"


@pytest.fixture(scope="module")
def account():
    changed("useradd", "--create-home", "--shell", "/usr/sbin/nologin", NAME).check_returncode()
    try:
        changed("chpasswd", input=f"{NAME}:{PASSWORD}\n").check_returncode()
        yield NAME
    finally:
        home = os.path.expanduser(f"~{NAME}")
        changed("userdel", NAME).check_returncode()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def system_suite(account):
    with Suite(settings=["system_users=yes", "auth_failure_delay=0"]) as s:
        yield s


def test_mail_reaches_the_account_as_its_own(system_suite, account):
    system_suite.send("Subject: system\r\n\r\nbody\r\n", to=f"{account}@localhost")
    new = os.path.join(os.path.expanduser(f"~{account}"), "Maildir", "new")
    (name,) = until(lambda: os.path.isdir(new) and os.listdir(new), "the message")
    at = os.stat(os.path.join(new, name))
    assert at.st_uid == os.stat(os.path.expanduser(f"~{account}")).st_uid != 0


def test_the_password_of_the_system_opens_imap(system_suite, account):
    with imaplib.IMAP4("127.0.0.1", system_suite.imap_port) as c:
        assert c.login(account, PASSWORD)[0] == "OK"
        assert c.select("INBOX")[0] == "OK"


@pytest.mark.parametrize("name,password", [(NAME, "wrong"), (NAME, ""), ("no-such-account", PASSWORD), ("root", "x")])
def test_nothing_else_does(system_suite, name, password):
    with imaplib.IMAP4("127.0.0.1", system_suite.imap_port) as c:
        with pytest.raises(imaplib.IMAP4.error):
            c.login(name, f'"{password}"' if not password else password)
        assert c.state == "NONAUTH"


def test_accounts_of_the_system_itself_wait_for_an_alias(system_suite):
    with system_suite.raw() as c:
        c.reply()
        c.ask("EHLO x\r\n")
        c.ask("MAIL FROM:<a@b.example>\r\n")
        assert c.ask("RCPT TO:<daemon@localhost>\r\n").startswith("451 4.3.5")
    assert system_suite.command("sendmail", "daemon@localhost", input="Subject: x\n\nx\n").returncode == 0
    system_suite.wait_log(r"4\.3\.5.*daemon has no mailbox: add an alias for daemon to ")


def test_roots_mail_is_kept_with_a_hint_until_there_is_an_alias(account):
    with Suite(settings=["system_users=yes", "minimal_backoff_time=1s", "alias_maps=texthash:$config_directory/aliases"]) as s:
        with open(os.path.join(s.config_dir, "aliases"), "w", encoding="utf-8") as f:
            f.write("postmaster: user1\n")
        s.postrider("reload")
        hint = "root has no mailbox: add an alias for root to \\S+/aliases, then run newaliases"
        assert re.search(hint, s.postrider("check").stderr + s.postrider("check").stdout)
        assert s.command("sendmail", "root", input="Subject: cron\n\nmark-root\n").returncode == 0
        s.wait_log("4\\.3\\.5.*" + hint)
        assert s.queue_files("active", "deferred")
        with open(os.path.join(s.config_dir, "aliases"), "w", encoding="utf-8") as f:
            f.write("postmaster: user1\nroot: user1@example.test\n")
        s.postrider("reload")
        assert any(b"mark-root" in m for m in s.wait_messages(1))
