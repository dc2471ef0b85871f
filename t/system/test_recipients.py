"""Which recipients there are: local_recipient_maps, luser_relay, relocated_maps, virtual_mailbox_maps, virtual_alias_maps; each by a
message that arrives or a refusal that says why."""
import pytest
from reports import reports
from smtp_steps import arrived, envelope, hello, send, set_all
from suite import Suite
from waiting import until

SETTINGS = {"local_recipient_maps": "$alias_maps", "luser_relay": "", "relocated_maps": "", "virtual_mailbox_maps": "",
            "virtual_alias_maps": "", "virtual_mailbox_domains": "example.test"}


@pytest.fixture(name="settings", scope="module")
def settings_of_a_suite():
    with Suite(settings=["smtpd_error_sleep_time=0", "recipient_delimiter=+"]) as suite:
        def become(**settings):
            set_all(suite, **{**SETTINGS, **settings})
            return suite
        yield become


def refusal(suite, to):
    with hello(suite) as c:
        return envelope(c, to=to)


def delivered(suite, to, user):
    """The message as the user has it."""
    mark = f"mark-{to}-{len(suite.messages(user))}"
    with hello(suite) as c:
        reply = send(c, mark, to=to)
    assert reply.startswith("250 2.0.0"), reply
    return arrived(suite, mark, user)


def test_names_that_stand_nowhere_are_refused(settings):
    suite = settings(local_recipient_maps="$alias_maps inline:{listed=x}")
    assert refusal(suite, "nobody-here@localhost").startswith("550 5.1.1")
    assert "local recipient table" in refusal(suite, "nobody-here@localhost")
    delivered(suite, "postmaster@localhost", "user1")
    # One that is listed and yet is nobody is a mistake of the tables, which somebody may mend.
    reply = refusal(suite, "listed@localhost")
    assert reply.startswith("451 4.3.5"), reply


def test_unknown_names_go_to_the_luser_relay(settings):
    suite = settings(local_recipient_maps="", luser_relay="user2@example.test")
    assert b"Delivered-To: user2@example.test" in delivered(suite, "whoever@localhost", "user2")
    delivered(suite, "postmaster@localhost", "user1")  # whom there is stays as he is
    suite = settings(local_recipient_maps="inline:{listed=x}", luser_relay="user2@example.test")
    delivered(suite, "listed@localhost", "user2")
    assert refusal(suite, "whoever@localhost").startswith("550 5.1.1")


def test_the_luser_relay_is_made_of_the_address(settings):
    suite = settings(local_recipient_maps="", luser_relay="user3+$local.at.$domain@example.test")
    assert b"Delivered-To: user3+whoever.at.localhost@example.test" in delivered(suite, "whoever@localhost", "user3")


def test_without_a_luser_relay_what_was_accepted_is_reported(settings):
    suite = settings(local_recipient_maps="")
    with hello(suite) as c:
        assert send(c, "x", to="whoever@localhost", sender="user1@example.test").startswith("250 2.0.0")
    report = until(lambda: reports(suite), "a report")[-1]
    assert report.recipient()["status"] == "5.1.1"
    suite.wait_queue_empty()


def test_who_has_moved_is_told_of(settings):
    suite = settings(relocated_maps="inline:{user2@example.test=new@elsewhere.example former=a@b.example @gone.test=gone.example}",
                     virtual_mailbox_domains="example.test gone.test")
    assert refusal(suite, "user2@example.test") == "550 5.1.6 <user2@example.test>: Recipient address rejected: " \
                                                   "User has moved to new@elsewhere.example"
    assert refusal(suite, "former@localhost").endswith("User has moved to a@b.example")
    assert refusal(suite, "anyone@gone.test").endswith("User has moved to gone.example")
    delivered(suite, "user3@example.test", "user3")


def test_virtual_mailboxes_have_other_names(settings):
    suite = settings(virtual_mailbox_maps="inline:{info@example.test=user2@example.test @all.test=user3@example.test "
                                          "user1@example.test=example.test/user1/ ghost@example.test=ghost}",
                     virtual_mailbox_domains="example.test all.test")
    assert b"Delivered-To: info@example.test" in delivered(suite, "info@example.test", "user2")
    delivered(suite, "info+ext@example.test", "user2")
    delivered(suite, "anyone@all.test", "user3")
    delivered(suite, "user1@example.test", "user1")  # a path, as other systems have it
    assert refusal(suite, "ghost@example.test").startswith("451 4.3.5")
    assert refusal(suite, "nobody@example.test").startswith("550 5.1.1")


def test_virtual_aliases_come_before_mailboxes(settings):
    suite = settings(virtual_alias_maps="inline:{user1@example.test=user2@example.test aliases.test=anything "
                                        "@aliases.test=user3@example.test}")
    assert b"Delivered-To: user2@example.test" in delivered(suite, "user1@example.test", "user2")
    delivered(suite, "anyone@aliases.test", "user3")  # a domain that stands there is one of virtual_alias_domains
