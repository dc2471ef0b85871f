/* SOURCES: pop3d/worker/server.c pop3d/worker/session.c pop3d/worker/verbs.c pop3d/worker/send.c  NEEDS: store worker */
/* Whole sessions: each dialogue runs whole, and byte by byte. */
#include "pop3d/worker/server.h"
#include "pop3d/worker/session.h"
#include "t/unit/imapd/dialog.h"

#define ONE "Subject: one\r\n\r\n.dot\r\n..\r\nend\r\n" /* 31 octets */
#define TWO "Subject: two\r\n\r\nno line end"           /* 27 octets */

static const exchange reads[] = {
    { "STAT\r\n", "+OK", "+OK 2 58\r\n" },
    { "LIST\r\n", ".", "+OK 2 messages\r\n1 31\r\n2 27\r\n.\r\n" },
    { "LIST 2\r\n", "+OK", "+OK 2 27\r\n" },
    { "LIST 3\r\n", "-ERR", "-ERR No such message\r\n" },
    { "LIST 0\r\n", "-ERR", "-ERR Invalid number\r\n" },
    { "LIST 99999999999\r\n", "-ERR", "-ERR Invalid number\r\n" },
    { "RETR 1\r\n", ".\r", "+OK 31 octets\r\nSubject: one\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n" },
    { "RETR 2\r\n", ".\r", "+OK 27 octets\r\nSubject: two\r\n\r\nno line end\r\n.\r\n" },
    { "TOP 1 1\r\n", ".\r", "+OK\r\nSubject: one\r\n\r\n..dot\r\n.\r\n" },
    { "TOP 1 0\r\n", ".\r", "+OK\r\nSubject: one\r\n\r\n.\r\n" },
    { "TOP 1\r\n", "-ERR", "-ERR Argument missing\r\n" },
    { "CAPA\r\n", ".\r",
      "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nIMPLEMENTATION Postrider\r\n.\r\n" },
    { "USER x\r\n", "-ERR", "-ERR Not possible after login\r\n" },
    { "XYZZY\r\n", "-ERR", "-ERR Unknown command\r\n" },
    { "NOOP\r\n", "+OK", "+OK\r\n" },
    { "QUIT\r\n", "+OK", "+OK Bye\r\n" },
};

static const exchange marks[] = {
    { "DELE 1\r\n", "+OK", "+OK Marked to be deleted\r\n" },
    { "DELE 1\r\n", "-ERR", "-ERR The message is deleted\r\n" },
    { "RETR 1\r\n", "-ERR", "-ERR The message is deleted\r\n" },
    { "STAT\r\n", "+OK", "+OK 1 27\r\n" },
    { "LIST\r\n", ".", "+OK 1 messages\r\n2 27\r\n.\r\n" },
    { "RSET\r\n", "+OK", "+OK\r\n" },
    { "STAT\r\n", "+OK", "+OK 2 58\r\n" },
    { "DELE 2\r\n", "+OK", "+OK Marked to be deleted\r\n" },
};

typedef struct fixture {
    dialog d;
    client c;
} fixture;

static void fixture_open(fixture *f)
{
    dialog_open(&f->d);
    dialog_deliver(&f->d, ONE);
    dialog_deliver(&f->d, TWO);
    client_open(&f->c, &f->d);
    assert_string_equal(client_read(&f->c, "+OK"), "+OK Logged in, 2 messages\r\n");
}

static uint32_t messages_left(dialog *d)
{
    mailbox_status status;
    OK(store_status(d->t.s, STR("INBOX"), &status));
    return status.messages;
}

static void fixture_close(fixture *f, uint32_t left)
{
    client_close(&f->c);
    assert_int_equal(messages_left(&f->d), left);
    dialog_close(&f->d);
}

static void reads_hold(void **state)
{
    (void)state;
    for (unsigned is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        fixture f;
        fixture_open(&f);
        client_run(&f.c, reads, COUNT_OF(reads), is_bytewise);
        fixture_close(&f, 2);
    }
}

static void marks_hold(void **state)
{
    (void)state;
    for (unsigned is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        fixture f;
        fixture_open(&f);
        client_run(&f.c, marks, COUNT_OF(marks), is_bytewise);
        client_write(&f.c, STR("QUIT\r\n"));
        assert_string_equal(client_read(&f.c, "+OK"), "+OK Bye\r\n");
        fixture_close(&f, 1);
    }
}

static void a_disconnect_deletes_nothing(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    client_run(&f.c, marks, COUNT_OF(marks), false);
    fixture_close(&f, 2);
}

static void a_maildrop_has_one_session(void **state)
{
    fixture f;
    client second;
    (void)state;
    fixture_open(&f);
    client_open(&second, &f.d);
    assert_string_equal(client_read(&second, "-ERR"), "-ERR [IN-USE] Another session has this maildrop\r\n");
    client_close(&second);
    client_write(&f.c, STR("QUIT\r\n"));
    client_read(&f.c, "+OK");
    client_open(&second, &f.d);
    assert_string_equal(client_read(&second, "+OK"), "+OK Logged in, 2 messages\r\n");
    client_close(&second);
    fixture_close(&f, 2);
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    client_write(&f.c, STR("NOOP\r\nLIST 1\r\nDELE 1\r\nRETR 2\r\nQUIT\r\nNOOP\r\n"));
    assert_string_equal(
        client_read(&f.c, "+OK Bye"),
        "+OK\r\n+OK 1 31\r\n+OK Marked to be deleted\r\n+OK 27 octets\r\nSubject: two\r\n\r\nno line end\r\n.\r\n"
        "+OK Bye\r\n");
    fixture_close(&f, 1);
}

static void what_was_read_is_seen_after_quit(void **state)
{
    fixture f;
    mailbox_status status;
    (void)state;
    fixture_open(&f);
    client_write(&f.c, STR("RETR 2\r\nQUIT\r\n"));
    client_read(&f.c, "+OK Bye");
    OK(store_status(f.d.t.s, STR("INBOX"), &status));
    assert_int_equal(status.unseen, 1);
    fixture_close(&f, 2);
}

static void a_large_message_waits_for_its_reader(void **state)
{
    enum { LINES = 100000 };
    fixture f;
    char *text = malloc(LINES * 12 + 64), *at = text + snprintf(text, 32, "Subject: large\r\n\r\n");
    (void)state;
    for (unsigned i = 0; i < LINES; i++)
        at += snprintf(at, 32, ".%09u\r\n", i);
    dialog_open(&f.d);
    dialog_deliver(&f.d, text);
    client_open(&f.c, &f.d);
    client_read(&f.c, "+OK");
    client_write(&f.c, STR("RETR 1\r\nNOOP\r\n"));
    for (unsigned i = 0; i < 50; i++)
        dialog_turn(&f.d);
    assert_true(stream_unsent(&f.d.v.sessions->stream) < 256 * 1024);
    const char *got = client_read(&f.c, "+OK\r");
    assert_int_equal(strlen(got), strlen("+OK 1200018 octets\r\n") + strlen(text) + LINES + strlen(".\r\n+OK\r\n"));
    free(text);
    fixture_close(&f, 1);
}

static void too_many_errors_end_a_session(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    for (unsigned i = 0; i < 25; i++)
        client_write(&f.c, STR("GET / HTTP/1.0\r\n"));
    client_read(&f.c, "none");
    assert_true(f.c.is_at_end);
    fixture_close(&f, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hold),
        cmocka_unit_test(marks_hold),
        cmocka_unit_test(a_disconnect_deletes_nothing),
        cmocka_unit_test(a_maildrop_has_one_session),
        cmocka_unit_test(pipelined_commands_are_answered_in_order),
        cmocka_unit_test(what_was_read_is_seen_after_quit),
        cmocka_unit_test(a_large_message_waits_for_its_reader),
        cmocka_unit_test(too_many_errors_end_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
