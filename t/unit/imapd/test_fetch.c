/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* FETCH: which messages, and what of them changes by it. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 FETCH 1:2 (UID RFC822.SIZE)\r\n", "a1 ", NULL },
    { "a2 FETCH 3 UID\r\n", "a2 BAD", NULL },
    { "a3 UID FETCH 77 FLAGS\r\n", "a3 ", "a3 OK Fetch completed\r\n" },
    { "a4 UID FETCH 2 FLAGS\r\n", "a4 ", "* 2 FETCH (UID 2 FLAGS (\\Recent))\r\na4 OK Fetch completed\r\n" },
    { "a5 FETCH 2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n", "a5 ",
      "* 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: Parts\r\n\r\n)\r\na5 OK Fetch completed\r\n" },
    { "a6 FETCH 2 FLAGS\r\n", "a6 ", "* 2 FETCH (FLAGS (\\Recent))\r\na6 OK Fetch completed\r\n" },
    { "a7 FETCH 1 BODY[]<0.4>\r\n", "a7 ",
      "* 1 FETCH (BODY[]<0> {4}\r\nFrom FLAGS (\\Seen \\Recent))\r\na7 OK Fetch completed\r\n" },
    { "a8 FETCH 1 BODY[]<0.4>\r\n", "a8 ", "* 1 FETCH (BODY[]<0> {4}\r\nFrom)\r\na8 OK Fetch completed\r\n" },
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
