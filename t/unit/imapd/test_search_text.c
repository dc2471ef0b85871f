/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* SEARCH BODY and TEXT: parts are decoded, headers belong to TEXT. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 SEARCH BODY \"opensesame\"\r\n", "a1 ", "* SEARCH 2\r\na1 OK Search completed\r\n" },
    { "a2 SEARCH CHARSET UTF-8 BODY \"caf\xc3\xa9\"\r\n", "a2 ", NULL },
    { "a3 SEARCH BODY \"Parts\"\r\n", "a3 ", "* SEARCH\r\na3 OK Search completed\r\n" },
    { "a4 SEARCH TEXT \"Parts\"\r\n", "a4 ", "* SEARCH 2\r\na4 OK Search completed\r\n" },
    { "a5 SEARCH BODY \"Inner\"\r\n", "a5 ", "* SEARCH 2\r\na5 OK Search completed\r\n" },
    { "a6 SEARCH BODY \"second LINE\"\r\n", "a6 ", "* SEARCH 1\r\na6 OK Search completed\r\n" },
    { "a7 SEARCH BODY \"--bb\"\r\n", "a7 ", "* SEARCH\r\na7 OK Search completed\r\n" },
    { "a8 SEARCH TEXT \"\"\r\n", "a8 ", "* SEARCH 1 2\r\na8 OK Search completed\r\n" },
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
