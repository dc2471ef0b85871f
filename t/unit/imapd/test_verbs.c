/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Each verb has a handler, and those that may not tell of an EXPUNGE do not. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "a1 NOOP\r\n", "a1 OK", NULL },
    { "a2 CAPABILITY\r\n", "a2 OK", NULL },
    { "a3 NAMESPACE\r\n", "a3 OK", NULL },
    { "a4 ID NIL\r\n", "a4 OK", NULL },
    { "a5 ENABLE X\r\n", "a5 OK", NULL },
    { "a6 CREATE x\r\n", "a6 OK", NULL },
    { "a7 RENAME x y\r\n", "a7 OK", NULL },
    { "a8 SUBSCRIBE y\r\n", "a8 OK", NULL },
    { "a9 LSUB \"\" *\r\n", "a9 OK", NULL },
    { "b1 LIST \"\" *\r\n", "b1 OK", NULL },
    { "b2 UNSUBSCRIBE y\r\n", "b2 OK", NULL },
    { "b3 STATUS y (MESSAGES)\r\n", "b3 OK", NULL },
    { "b4 DELETE y\r\n", "b4 OK", NULL },
    { "b5 EXAMINE INBOX\r\n", "b5 OK", NULL },
    { "b6 SELECT INBOX\r\n", "b6 OK", NULL },
    { "b7 CHECK\r\n", "b7 OK", NULL },
    { "b8 FETCH 1 UID\r\n", "b8 OK", NULL },
    { "b9 SEARCH ALL\r\n", "b9 OK", NULL },
    { "c1 STORE 1 FLAGS ()\r\n", "c1 OK", NULL },
    { "c2 COPY 1 INBOX\r\n", "c2 OK", NULL },
    { "c3 EXPUNGE\r\n", "c3 OK", NULL },
    { "c4 UNSELECT\r\n", "c4 OK", NULL },
    { "c5 SELECT INBOX\r\n", "c5 OK", NULL },
    { "c6 CLOSE\r\n", "c6 OK", NULL },
};

static void the_dialogue_holds(void **state)
{
    (void)state;
    dialogue(rows, COUNT_OF(rows));
}

static void an_expunge_is_told_when_it_may(void **state)
{
    fixture f;
    client other;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a SELECT INBOX\r\n", "a OK");
    client_open(&other, &f.d);
    client_read(&other, "t0 ");
    ask(&other, "b SELECT INBOX\r\n", "b OK");
    ask(&other, "b1 STORE 1 +FLAGS.SILENT (\\Deleted)\r\n", "b1 OK");
    ask(&other, "b2 EXPUNGE\r\n", "b2 OK");
    assert_null(strstr(ask(&f.c, "a1 SEARCH ALL\r\n", "a1 "), "EXPUNGE\r\n"));
    assert_null(strstr(ask(&f.c, "a2 STORE 2 +FLAGS.SILENT (\\Seen)\r\n", "a2 "), "EXPUNGE\r\n"));
    assert_non_null(strstr(ask(&f.c, "a3 UID FETCH 2 UID\r\n", "a3 "), "* 1 EXPUNGE\r\n"));
    client_close(&other);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialogue_holds),
        cmocka_unit_test(an_expunge_is_told_when_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
