"""Addresses of envelope and header in another form, blind copies, fields that are added and taken out: by SMTP and sendmail, as they
stand in the Maildir."""
import os
import re

import pytest

from smtp_steps import arrived, hello, marked, reload_all, send, set_all, write
from suite import Suite

MINE = "myorigin=example.test"
RESET = dict(canonical_maps="", sender_canonical_maps="", recipient_canonical_maps="", masquerade_domains="",
             masquerade_exceptions="", append_dot_mydomain="no", append_at_myorigin="yes", always_bcc="", sender_bcc_maps="",
             recipient_bcc_maps="", local_header_rewrite_clients="permit_inet_interfaces", remote_header_rewrite_domain="",
             always_add_missing_headers="no", undisclosed_recipients_header="", recipient_delimiter="",
             propagate_unmatched_extensions="canonical, virtual", virtual_alias_maps="", canonical_classes=
             "envelope_sender, envelope_recipient, header_sender, header_recipient",
             masquerade_classes="envelope_sender, header_sender, header_recipient",
             message_drop_headers="bcc, content-length, resent-bcc, return-path", header_address_token_limit="10240")


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=[MINE, "mydomain=example.test"]) as s:
        yield s


def configure(suite, **settings):
    set_all(suite, **{**RESET, **settings})


def delivered(suite, mark, head, user="user1", text=None, **envelope):
    """What stands in the Maildir for a message with this header, CRLF taken off."""
    with hello(suite) as c:
        reply = send(c, mark, head=text or f"{head}\r\n", **envelope)
        assert reply.startswith("250 2.0.0"), reply
    return arrived(suite, mark, user).replace(b"\r\n", b"\n").decode()


def header_of(message, name):
    found = re.findall(rf"(?mi)^{name}:[ ]?(.*(?:\n[ \t].*)*)", message.split("\n\n", 1)[0])
    return found[0] if found else None


def sender_of(message):
    return header_of(message, "Return-Path")


def test_canonical_maps_change_envelope_and_header(suite):
    configure(suite, canonical_maps="inline:{old@example.test=user1@example.test ext@far.example=new@near.example}")
    m = delivered(suite, "mark-canonical", "From: \"A, B\" <ext@far.example> (work)\r\nTo: friends: old@example.test,\r\n"
                  " =?utf-8?q?x?= <old@example.test>;\r\nSubject: old@example.test", to="old@example.test",
                  sender="ext@far.example")
    assert header_of(m, "From") == '"A, B" <new@near.example> (work)'
    assert header_of(m, "To") == "friends: user1@example.test,\n =?utf-8?q?x?= <user1@example.test>;"
    assert header_of(m, "Subject") == "old@example.test"
    assert sender_of(m) == "<new@near.example>"
    assert header_of(m, "Delivered-To") == "user1@example.test"


def test_sender_and_recipient_maps_come_first(suite):
    configure(suite, sender_canonical_maps="inline:{a@x.example=first@x.example}",
              recipient_canonical_maps="inline:{a@x.example=user1@example.test}",
              canonical_maps="inline:{first@x.example=second@x.example}")
    m = delivered(suite, "mark-order", "From: a@x.example\r\nTo: a@x.example", to="user1@example.test", sender="a@x.example")
    assert header_of(m, "From") == "second@x.example" and header_of(m, "To") == "user1@example.test"
    assert sender_of(m) == "<second@x.example>"


def test_classes_say_what_changes(suite):
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}", canonical_classes="header_sender")
    m = delivered(suite, "mark-classes", "From: a@x.example\r\nTo: a@x.example", sender="a@x.example")
    assert header_of(m, "From") == "b@x.example" and header_of(m, "To") == "a@x.example" and sender_of(m) == "<a@x.example>"


def test_extensions_go_on_where_they_should(suite):
    maps = "inline:{old@example.test=user1@example.test @dom.example=@new.example}"
    configure(suite, canonical_maps=maps, recipient_delimiter="+")
    m = delivered(suite, "mark-extension", "From: old+x@example.test\r\nTo: any+y@dom.example", to="old+x@example.test")
    assert header_of(m, "From") == "user1+x@example.test" and header_of(m, "To") == "any+y@new.example"
    assert header_of(m, "Delivered-To") == "user1+x@example.test"
    configure(suite, canonical_maps=maps, recipient_delimiter="+", propagate_unmatched_extensions="virtual")
    m = delivered(suite, "mark-no-extension", "From: old+x@example.test\r\nTo: x@y", to="old+x@example.test")
    assert header_of(m, "From") == "user1@example.test"


def test_masquerading_hides_hosts(suite):
    configure(suite, masquerade_domains="!keep.example.com example.com", masquerade_exceptions="root")
    m = delivered(suite, "mark-masquerade", "From: u@host.example.com\r\nTo: root@host.example.com, v@a.keep.example.com,\r\n"
                  " w@deep.host.example.com, x@notexample.com", sender="u@host.example.com")
    assert header_of(m, "From") == "u@example.com" and sender_of(m) == "<u@example.com>"
    assert header_of(m, "To") == "root@host.example.com, v@a.keep.example.com,\n w@example.com, x@notexample.com"


def test_addresses_without_a_domain_are_completed(suite):
    configure(suite, append_dot_mydomain="yes")
    m = delivered(suite, "mark-complete", "From: Me <me>\r\nTo: you@host, \"odd name\", ok@a.example", sender="me")
    assert header_of(m, "From") == "Me <me@example.test>"
    assert header_of(m, "To") == "you@host.example.test, \"odd name\"@example.test, ok@a.example"
    assert sender_of(m) == "<me@example.test>"
    configure(suite, append_at_myorigin="no")
    m = delivered(suite, "mark-incomplete", "From: Me <me>\r\nTo: you@host", sender="me")
    assert header_of(m, "From") == "Me <me>" and header_of(m, "To") == "you@host" and sender_of(m) == "<me>"


def test_headers_of_other_clients_stay(suite):
    head = "From: me\r\nTo: a@x.example"
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}", local_header_rewrite_clients="")
    m = delivered(suite, "mark-remote", head, sender="a@x.example")
    assert header_of(m, "From") == "me" and header_of(m, "To") == "a@x.example" and sender_of(m) == "<b@x.example>"
    assert header_of(m, "Date") is None and header_of(m, "Message-ID") is None
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}", local_header_rewrite_clients="",
              remote_header_rewrite_domain="domain.invalid")
    m = delivered(suite, "mark-invalid", head)
    assert header_of(m, "From") == "me@domain.invalid" and header_of(m, "To") == "b@x.example"
    configure(suite, local_header_rewrite_clients="", always_add_missing_headers="yes")
    m = delivered(suite, "mark-missing", "To: a@x.example")
    assert header_of(m, "Date") and header_of(m, "Message-ID") and header_of(m, "From") == "<a@b.example>"


def test_clients_can_be_listed(suite):
    table = f"{suite.dir}/tables/clients"
    write(table, "127.0.0.1 OK\n")
    for kind in ("hash", "lmdb"):
        assert suite.postrider("map", "build", f"{kind}:{table}").returncode == 0
    for n, clients in enumerate(("permit_mynetworks", f"check_address_map texthash:{table}", f"hash:{table}", f"lmdb:{table}",
                                 "static:yes", "permit_sasl_authenticated, permit_inet_interfaces")):
        configure(suite, local_header_rewrite_clients=clients)
        m = delivered(suite, f"mark-client-{n}.", "From: me\r\nTo: a@x.example")
        assert header_of(m, "From") == "me@example.test", clients
    configure(suite, local_header_rewrite_clients="inline:{192.0.2.1=yes}")
    assert header_of(delivered(suite, "mark-client-none", "From: me"), "From") == "me"


def test_what_is_to_be_dropped_is_gone(suite):
    configure(suite)
    head = ("From: a@x.example\r\nBcc: secret@x.example,\r\n more@x.example\r\n"
            "Return-Path: <forged@x.example>\r\nSubject: s\r\nContent-Length: 3")
    m = delivered(suite, "mark-drop", head)
    assert "secret" not in m and "more@x" not in m and "forged" not in m and "Content-Length" not in m
    assert header_of(m, "Subject") == "s" and m.endswith("mark-drop\n")
    configure(suite, message_drop_headers="x-own")
    m = delivered(suite, "mark-keep", head + "\r\nX-Own: gone")
    assert "secret" in m and "Content-Length" in m and "X-Own" not in m


def test_undisclosed_recipients(suite):
    configure(suite, undisclosed_recipients_header="To: undisclosed-recipients:;")
    assert header_of(delivered(suite, "mark-hidden", "From: a@x.example"), "To") == "undisclosed-recipients:;"
    m = delivered(suite, "mark-shown", "From: a@x.example\r\nCc: b@x.example")
    assert header_of(m, "To") is None


def test_a_changed_message_is_whole(suite):
    """Its body is in another place of the queue file; what comes out of the queue is the same."""
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}")
    body = "".join(f"line {k} {'x' * (k % 900)}\r\n" for k in range(2000))
    with hello(suite) as c:
        reply = send(c, f"{body}mark-whole", head="From: a@x.example\r\nSubject: big\r\n")
        assert reply.startswith("250 2.0.0"), reply
    m = arrived(suite, "mark-whole")
    assert m.replace(b"\r\n", b"\n").endswith(f"\n\n{body}mark-whole\r\n".replace("\r\n", "\n").encode())
    assert b"\nFrom: b@x.example" in m.replace(b"\r\n", b"\n")


def test_a_header_of_megabytes(suite):
    """HOSTILE 21: many addresses and long fields; what is over the limit of addresses stays as it is."""
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}", header_address_token_limit="100")
    many = ",\r\n ".join(f"u{k}@host.example" for k in range(60000))
    with hello(suite) as c:
        reply = send(c, "mark-megabytes", head=f"From: a@x.example\r\nTo: {many}\r\nX-Long: {'y' * 900000}\r\nCc: a@x.example\r\n")
        assert reply.startswith("250 2.0.0"), reply
    m = arrived(suite, "mark-megabytes").replace(b"\r\n", b"\n")
    assert b"\nFrom: b@x.example\n" in m and b"u59999@host.example" in m and b"y" * 900000 in m


def test_blind_copies(suite):
    configure(suite, always_bcc="user2@example.test", sender_bcc_maps="inline:{boss@x.example=user3@example.test}",
              recipient_bcc_maps="inline:{user1@example.test=user3@example.test}")
    m = delivered(suite, "mark-bcc", "From: a@x.example", sender="boss@x.example")
    for user in ("user2", "user3"):
        copy = arrived(suite, "mark-bcc", user)
        assert b"user2" not in copy.split(b"\n\n")[0].replace(b"Delivered-To: user2@", b"") or user == "user2"
    assert "user2" not in m and "user3" not in m
    suite.wait_queue_empty()
    assert len(marked(suite, "mark-bcc", "user3")) == 1  # named by both maps, delivered once


def test_a_blind_copy_by_the_extension_and_the_domain(suite):
    configure(suite, recipient_delimiter="+", recipient_bcc_maps="inline:{@example.test=user2@example.test}",
              sender_bcc_maps="inline:{boss@x.example=user3@example.test}")
    delivered(suite, "mark-bcc-domain", "From: a@x.example", sender="boss+x@x.example", to="user1+y@example.test")
    arrived(suite, "mark-bcc-domain", "user2")
    arrived(suite, "mark-bcc-domain", "user3")


def test_an_unknown_blind_copy_keeps_nobody_from_the_message(suite):
    configure(suite, always_bcc="nobody@example.test")
    delivered(suite, "mark-bcc-unknown", "From: a@x.example")


def test_sendmail_is_local(suite):
    configure(suite, canonical_maps="inline:{old@example.test=user1@example.test}", always_bcc="user2@example.test")
    text = "From: me\nTo: old\nBcc: user3@example.test\nSubject: by hand\n\nmark-by-hand\n"
    assert suite.command("sendmail", "-f", "me", "-t", input=text).returncode == 0
    m = arrived(suite, "mark-by-hand").replace(b"\r\n", b"\n").decode()
    assert header_of(m, "From") == "me@example.test" and header_of(m, "To") == "user1@example.test"
    assert sender_of(m) == "<me@example.test>" and "user3" not in m and "user2" not in m
    arrived(suite, "mark-by-hand", "user2")
    arrived(suite, "mark-by-hand", "user3")


def test_what_is_checked_is_what_is_delivered(suite):
    configure(suite, recipient_canonical_maps="inline:{gone@example.test=nobody@example.test}")
    with hello(suite) as c:
        assert send(c, "never", to="gone@example.test").startswith("550 5.1.1")


@pytest.mark.parametrize("settings", [
    dict(canonical_maps="inline:{a@x.example=b@x.example b@x.example=a@x.example}"),
    dict(canonical_maps="texthash:/nowhere/at/all"), dict(sender_bcc_maps="texthash:/nowhere/at/all")], ids=str)
def test_what_cannot_be_looked_up_is_deferred(suite, settings):
    configure(suite, **settings)
    with hello(suite) as c:
        assert send(c, "mark-later", sender="a@x.example").startswith("451 4.3.0")
    assert not marked(suite, "mark-later")


@pytest.mark.parametrize("setting,word", [("canonical_classes=nonsense", "nonsense"), ("canonical_maps=none:x", "none")])
def test_check_names_what_is_wrong(suite, setting, word):
    configure(suite)
    assert suite.postrider("config", "-e", setting).returncode == 0
    done = suite.postrider("check")
    assert done.returncode == 78 and word in done.stdout
    configure(suite)


def test_explain_says_what_an_address_becomes(suite):
    configure(suite, canonical_maps="inline:{old@example.test=user1@example.test}",
              recipient_bcc_maps="inline:{user1@example.test=user3@example.test}")
    done = suite.postrider("explain", "--rewrite", "old@example.test")
    assert done.returncode == 0, done.stderr
    assert "canonical_maps" in done.stdout and "= user1@example.test" in done.stdout
    assert "blind copy to user3@example.test" in done.stdout


def test_queue_cat_prints_the_changed_content(suite):
    configure(suite, canonical_maps="inline:{a@x.example=b@x.example}")
    write(f"{suite.dir}/tables/hold", "holder@x.example HOLD\n")
    set_all(suite, smtpd_sender_restrictions=f"check_sender_access texthash:{suite.dir}/tables/hold")
    with hello(suite) as c:
        reply = send(c, "mark-cat", sender="holder@x.example", head="From: a@x.example\r\n")
    queue_id = reply.split()[-1]
    done = suite.postrider("queue", "cat", queue_id)
    assert "From: b@x.example" in done.stdout and "a@x.example" not in done.stdout and "mark-cat" in done.stdout
    assert os.path.getsize(next(f for f in suite.queue_files("hold") if queue_id in f)) > 8192
    assert suite.postrider("queue", "delete", queue_id, "--yes").returncode == 0
    set_all(suite, smtpd_sender_restrictions="")
    reload_all(suite)
