/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* What is read of a message: headers, parts, pieces of them, decoded by nobody. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 FETCH 2 BODY.PEEK[1]\r\n", "a1 ",
      "* 2 FETCH (BODY[1] {20}\r\ncaf=E9 open=\r\nsesame)\r\na1 OK Fetch completed\r\n" },
    { "a2 FETCH 2 BODY.PEEK[2.TEXT]\r\n", "a2 ", NULL },
    { "a3 FETCH 2 BODY.PEEK[2.HEADER]\r\n", "a3 ", NULL },
    { "a4 FETCH 1 BODY.PEEK[TEXT]<11.6>\r\n", "a4 ",
      "* 1 FETCH (BODY[TEXT]<11> {6}\r\n\nSecon)\r\na4 OK Fetch completed\r\n" },
    { "a5 FETCH 1 BODY.PEEK[TEXT]<500.6>\r\n", "a5 ",
      "* 1 FETCH (BODY[TEXT]<500> {0}\r\n)\r\na5 OK Fetch completed\r\n" },
    { "a6 FETCH 1 BODY.PEEK[7]\r\n", "a6 OK", NULL },
};

static void the_dialogue_holds(void **state)
{
    (void)state;
    dialogue(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialogue_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
