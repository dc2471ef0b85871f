/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* COPY and MOVE between mailboxes, and what they say of UIDs. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 COPY 1 nowhere\r\n", "a1 ", "a1 NO [TRYCREATE] no such mailbox\r\n" },
    { "a2 CREATE there\r\n", "a2 OK", NULL },
    { "a3 COPY 1:2 there\r\n", "a3 OK [COPYUID ", NULL },
    { "a4 UID COPY 99 there\r\n", "a4 ", "a4 OK Copy completed\r\n" },
    { "a5 STATUS there (MESSAGES)\r\n", "a5 ", "* STATUS there (MESSAGES 2)\r\na5 OK Status completed\r\n" },
    { "a6 UID MOVE 99 there\r\n", "a6 ", "a6 OK Move completed\r\n" },
    { "a7 MOVE 2 there\r\n", "a7 OK", NULL },
    { "a8 STATUS there (MESSAGES)\r\n", "a8 ", "* STATUS there (MESSAGES 3)\r\na8 OK Status completed\r\n" },
    { "a9 FETCH 1:* UID\r\n", "a9 ", "* 1 FETCH (UID 1)\r\na9 OK Fetch completed\r\n" },
    { "b1 COPY 7 there\r\n", "b1 BAD", NULL },
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
