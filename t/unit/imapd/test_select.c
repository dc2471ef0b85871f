/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* SELECT, EXAMINE, CLOSE, UNSELECT, EXPUNGE. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "a0 SELECT \"../x\"\r\n", "a0 NO", NULL },
    { "a1 EXAMINE INBOX\r\n", "a1 OK [READ-ONLY] Examine completed\r\n", NULL },
    { "a2 EXPUNGE\r\n", "a2 ", "a2 NO [READ-ONLY] The mailbox was opened with EXAMINE\r\n" },
    { "a3 SELECT nowhere\r\n", "a3 ", "a3 NO [NONEXISTENT] no such mailbox\r\n" },
    { "a4 FETCH 1 UID\r\n", "a4 ", "a4 BAD No mailbox selected\r\n" },
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a5 STORE 1 +FLAGS.SILENT (\\Deleted)\r\n", "a5 OK", NULL },
    { "a6 UNSELECT\r\n", "a6 ", "a6 OK Unselect completed\r\n" },
    { "a7 STATUS INBOX (MESSAGES)\r\n", "a7 ", "* STATUS INBOX (MESSAGES 2)\r\na7 OK Status completed\r\n" },
    { "b0 SELECT INBOX\r\n", "b0 OK", NULL },
    { "b1 CLOSE\r\n", "b1 ", "b1 OK Close completed\r\n" },
    { "b2 STATUS INBOX (MESSAGES)\r\n", "b2 ", "* STATUS INBOX (MESSAGES 1)\r\nb2 OK Status completed\r\n" },
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
