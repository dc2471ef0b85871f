/* SOURCES: pop3d/worker/server.c pop3d/worker/session.c pop3d/worker/verbs.c pop3d/worker/send.c  NEEDS: store worker */
/* Sessions: their end, pipelining, errors. */
#include "t/unit/pop3d/pop3.h"

static void a_disconnect_deletes_nothing(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    client_write(&f.c, STR("DELE 1\r\nDELE 2\r\n"));
    client_read(&f.c, "+OK Marked");
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
        cmocka_unit_test(a_disconnect_deletes_nothing),
        cmocka_unit_test(pipelined_commands_are_answered_in_order),
        cmocka_unit_test(too_many_errors_end_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
