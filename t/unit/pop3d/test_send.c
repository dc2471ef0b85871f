/* SOURCES: pop3d/worker/server.c pop3d/worker/session.c pop3d/worker/verbs.c pop3d/worker/send.c  NEEDS: store worker */
/* A message on its way to a client that may be slow. */
#include "t/unit/pop3d/pop3.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_message_waits_for_its_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
