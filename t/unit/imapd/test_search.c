/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* SEARCH: keys that need no text, sets, charsets. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 SEARCH ALL\r\n", "a1 ", "* SEARCH 1 2\r\na1 OK Search completed\r\n" },
    { "a2 UID SEARCH 2:*\r\n", "a2 ", "* SEARCH 2\r\na2 OK Search completed\r\n" },
    { "a3 SEARCH UNSEEN NOT 1\r\n", "a3 ", "* SEARCH 2\r\na3 OK Search completed\r\n" },
    { "a4 SEARCH OR SEEN UID 1\r\n", "a4 ", "* SEARCH 1\r\na4 OK Search completed\r\n" },
    { "a5 SEARCH CHARSET KOI8-X ALL\r\n", "a5 ", "a5 NO [BADCHARSET (US-ASCII UTF-8)] Charset not known\r\n" },
    { "a6 SEARCH DELETED\r\n", "a6 ", "* SEARCH\r\na6 OK Search completed\r\n" },
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
