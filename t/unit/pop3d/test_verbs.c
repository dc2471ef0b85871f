/* SOURCES: pop3d/worker/server.c pop3d/worker/session.c pop3d/worker/verbs.c pop3d/worker/send.c  NEEDS: store worker */
/* Each verb of a session, whole, and byte by byte. */
#include "t/unit/pop3d/pop3.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hold),
        cmocka_unit_test(marks_hold),
        cmocka_unit_test(what_was_read_is_seen_after_quit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
