/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* APPEND: the message goes in whole, or not at all. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "a1 APPEND INBOX (\\Seen $x) {3+}\r\nabc\r\n", "a1 OK [APPENDUID ", NULL },
    { "a2 APPEND INBOX {0+}\r\n\r\n", "a2 ", "a2 NO [CANNOT] An empty message is none\r\n" },
    { "a3 APPEND nowhere {3+}\r\nabc\r\n", "a3 ", "a3 NO [TRYCREATE] no such mailbox\r\n" },
    { "a4 APPEND INBOX {3}\r\n", "+ ", "+ OK\r\n" },
    { "xyz\r\n", "a4 OK", NULL },
    { "a5 APPEND INBOX {3+}\r\nabc x\r\n", "a5 ", "a5 BAD Something stands behind the message\r\n" },
    { "a6 STATUS INBOX (MESSAGES)\r\n", "a6 ", "* STATUS INBOX (MESSAGES 4)\r\na6 OK Status completed\r\n" },
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a7 FETCH 3 (FLAGS BODY.PEEK[])\r\n", "a7 ",
      "* 3 FETCH (FLAGS (\\Seen \\Recent $x) BODY[] {3}\r\nabc)\r\na7 OK Fetch completed\r\n" },
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
