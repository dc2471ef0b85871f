"""A recipient that could not be resolved when its message came is looked up again at each later try."""
import os

from reports import aliases, submit
from smtp_steps import set_all
from waiting import until


def test_a_user_that_was_made_meanwhile_gets_the_message_after_release(suite):
    aliases(suite, held="user2@example.test, later@example.test")
    set_all(suite, smtpd_recipient_restrictions="check_recipient_access inline:{held@localhost=HOLD}")
    queue_id = submit(suite, "held@localhost", head="Subject: early\r\n")
    until(lambda: suite.queue_files("hold"), "a held message")
    set_all(suite, smtpd_recipient_restrictions="")
    users = os.path.join(suite.config_dir, "users")
    with open(users, encoding="utf-8") as f:
        line = next(x for x in f if x.startswith("user3@"))
    with open(users, "a", encoding="utf-8") as f:
        f.write(line.replace("user3@", "later@", 1))
    assert suite.postrider("queue", "release", queue_id).returncode == 0
    assert b"Subject: early" in suite.wait_messages(1, "user3")[0]
    until(lambda: not suite.queue_files(), "an empty queue")


def replace(path, text):
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def test_a_damaged_table_defers_and_a_flush_delivers(suite):
    aliases = os.path.join(suite.config_dir, "aliases")
    with open(aliases, encoding="utf-8") as f:
        good = f.read()
    replace(aliases, "this is no alias\n")
    try:
        def submitted():
            done = suite.command("sendmail", "postmaster@mail.example.test", input="Subject: table\n\nbody\n")
            assert done.returncode == 0, done.stderr
            return suite.queue_files("deferred")
        until(submitted, "a deferred message")  # the table is looked at again once a second
    finally:
        replace(aliases, good)
    until(lambda: suite.postrider("queue", "flush", "ALL").returncode == 0 and not suite.queue_files("deferred", "active"),
          "delivery after the table is whole again")
    assert any(b"Subject: table" in m for m in suite.wait_messages(1, "user1"))
