/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Sessions of one user see each other's changes; IDLE. */
#include "t/unit/imapd/imap.h"

/* Two sessions that have INBOX selected. */
typedef struct pair {
    fixture f;
    client other;
} pair;

static void pair_open(pair *p)
{
    fixture_open(&p->f);
    ask(&p->f.c, "a SELECT INBOX\r\n", "a ");
    client_open(&p->other, &p->f.d);
    client_read(&p->other, "t0 ");
    ask(&p->other, "b SELECT INBOX\r\n", "b ");
}

static void pair_close(pair *p)
{
    client_close(&p->other);
    fixture_close(&p->f);
}

static void changes_are_told_with_the_next_command(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    ask(&p.f.c, "a1 STORE 2 +FLAGS.SILENT (\\Deleted)\r\n", "a1 ");
    assert_string_equal(ask(&p.other, "b1 NOOP\r\n", "b1 "),
                        "* 2 FETCH (UID 2 FLAGS (\\Deleted))\r\nb1 OK NOOP completed\r\n");
    assert_string_equal(ask(&p.f.c, "a2 EXPUNGE\r\n", "a2 "), "* 2 EXPUNGE\r\na2 OK Expunge completed\r\n");
    assert_string_equal(ask(&p.other, "b2 STORE 1 +FLAGS.SILENT (\\Flagged)\r\n", "b2 "), "b2 OK Store completed\r\n");
    assert_string_equal(ask(&p.other, "b3 FETCH 2 FLAGS\r\n", "b3 "),
                        "b3 NO [EXPUNGEISSUED] Some of the messages are gone\r\n");
    assert_string_equal(ask(&p.other, "b4 UID FETCH 1 UID\r\n", "b4 "),
                        "* 1 FETCH (UID 1)\r\n* 2 EXPUNGE\r\nb4 OK Fetch completed\r\n");
    pair_close(&p);
}

static void who_waits_in_idle_is_told_at_once(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    ask(&p.other, "b1 IDLE\r\n", "+ idling");
    ask(&p.f.c, "a1 STORE 1 FLAGS (\\Answered)\r\n", "a1 ");
    client_read(&p.other, "* 1 FETCH (UID 1 FLAGS (\\Answered))");
    ask(&p.f.c, "a2 APPEND INBOX {3+}\r\nabc\r\n", "a2 OK [APPENDUID ");
    client_read(&p.other, "* 3 EXISTS");
    ask(&p.f.c, "a3 UID STORE 3 +FLAGS.SILENT \\Deleted\r\n", "a3 ");
    ask(&p.f.c, "a4 UID EXPUNGE 3\r\n", "a4 ");
    client_read(&p.other, "* 3 EXPUNGE");
    assert_string_equal(ask(&p.other, "DONE\r\n", "b1 "), "b1 OK Idle completed\r\n");
    assert_string_equal(ask(&p.other, "b2 NOOP\r\n", "b2 "), "b2 OK NOOP completed\r\n");
    pair_close(&p);
}

static void mail_that_others_deliver_is_noticed(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a SELECT INBOX\r\n", "a ");
    ask(&f.c, "a1 IDLE\r\n", "+ idling");
    temp_write(&f.d.t, "new/1700000000.other.host", "Subject: x\n\ny\n");
    client_read(&f.c, "* 3 EXISTS");
    ask(&f.c, "DONE\r\n", "a1 OK");
    fixture_close(&f);
}

static void whatever_is_said_ends_idle(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    assert_string_equal(ask(&f.c, "a1 IDLE\r\n", "+ idling"), "+ idling\r\n");
    assert_string_equal(ask(&f.c, "a2 NOOP\r\n", "a1 "), "a1 BAD Expected DONE\r\n");
    assert_string_equal(ask(&f.c, "a3 NOOP\r\n", "a3 "), "a3 OK NOOP completed\r\n");
    fixture_close(&f);
}

static void a_deleted_mailbox_ends_other_sessions(void **state)
{
    fixture f;
    client other;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a1 CREATE x\r\n", "a1 OK");
    ask(&f.c, "a2 SELECT x\r\n", "a2 OK");
    client_open(&other, &f.d);
    client_read(&other, "t0 ");
    ask(&other, "b1 SELECT x\r\n", "b1 OK");
    ask(&other, "b APPEND x {3+}\r\nabc\r\n", "b OK");
    assert_string_equal(ask(&f.c, "a DELETE y\r\n", "a "), "* 1 EXISTS\r\n* 0 RECENT\r\na NO [NONEXISTENT] no such mailbox\r\n");
    assert_string_equal(ask(&f.c, "a3 DELETE x\r\n", "a3 "), "a3 OK Delete completed\r\n");
    assert_string_equal(ask(&f.c, "a4 FETCH 1 UID\r\n", "a4 "), "a4 BAD No mailbox selected\r\n");
    assert_string_equal(ask(&other, "b2 NOOP\r\n", "b2 "), "* BYE The selected mailbox was deleted\r\n");
    client_close(&other);
    fixture_close(&f);
}

static void move_tells_in_the_order_of_rfc_6851(void **state)
{
    fixture f;
    mailbox_status status;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a0 CREATE x\r\n", "a0 OK");
    ask(&f.c, "a1 SELECT INBOX\r\n", "a1 OK");
    const char *got = ask(&f.c, "a2 MOVE 1 x\r\n", "a2 ");
    assert_non_null(strstr(got, "* OK [COPYUID "));
    assert_non_null(strstr(got, " 1 1] Moved\r\n* 1 EXPUNGE\r\na2 OK Move completed\r\n"));
    OK(store_status(f.d.t.s, STR("x"), &status));
    assert_int_equal(status.messages, 1);
    got = ask(&f.c, "a3 UID COPY 2 x\r\n", "a3 ");
    assert_non_null(strstr(got, " 2 2] Copy completed\r\n"));
    assert_string_equal(ask(&f.c, "a4 UID COPY 77 x\r\n", "a4 "), "a4 OK Copy completed\r\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_told_with_the_next_command), cmocka_unit_test(who_waits_in_idle_is_told_at_once),
        cmocka_unit_test(mail_that_others_deliver_is_noticed),    cmocka_unit_test(whatever_is_said_ends_idle),
        cmocka_unit_test(a_deleted_mailbox_ends_other_sessions),  cmocka_unit_test(move_tells_in_the_order_of_rfc_6851),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
