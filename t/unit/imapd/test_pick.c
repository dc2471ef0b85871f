/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Sequence sets and UID sets of a command as messages of the mailbox. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 FETCH 1:* UID\r\n", "a1 ", "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\na1 OK Fetch completed\r\n" },
    { "a2 FETCH *:2 UID\r\n", "a2 ", "* 2 FETCH (UID 2)\r\na2 OK Fetch completed\r\n" },
    { "a3 UID FETCH 2:1 UID\r\n", "a3 ", "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\na3 OK Fetch completed\r\n" },
    { "a4 UID FETCH 5:* UID\r\n", "a4 ", "* 2 FETCH (UID 2)\r\na4 OK Fetch completed\r\n" },
    { "a5 FETCH 1,3 UID\r\n", "a5 BAD", NULL },
    { "a6 UID FETCH 1,3,4294967295 UID\r\n", "a6 OK", NULL },
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
