/* SOURCES: pop3d/worker/server.c pop3d/worker/session.c pop3d/worker/verbs.c pop3d/worker/send.c  NEEDS: store worker */
/* Who has the maildrop, and the end of all. */
#include "t/unit/pop3d/pop3.h"

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

static void the_end_deletes_nothing(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    client_write(&f.c, STR("DELE 1\r\n"));
    client_read(&f.c, "+OK");
    server_bye(&f.d.v);
    client_read(&f.c, "never");
    assert_true(f.c.is_at_end);
    fixture_close(&f, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_maildrop_has_one_session),
        cmocka_unit_test(the_end_deletes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
