/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* STORE, COPY, EXPUNGE, APPEND. */
#include "t/unit/imapd/imap.h"

static const exchange changes[] = {
    { "a0 SELECT INBOX\r\n", "a0 OK [READ-WRITE] Select completed\r\n", NULL },
    { "a1 STORE 1 +FLAGS (\\Flagged $Later)\r\n", "a1 ",
      "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)\r\n"
      "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\* $Later)] Limited\r\n"
      "* 1 FETCH (FLAGS (\\Flagged \\Recent $Later))\r\na1 OK Store completed\r\n" },
    { "a2 UID STORE 1 -FLAGS.SILENT $Later\r\n", "a2 ", "a2 OK Store completed\r\n" },
    { "a3 FETCH 1:2 BODY[]<0.4>\r\n", "a3 ",
      "* 1 FETCH (BODY[]<0> {4}\r\nFrom FLAGS (\\Flagged \\Seen \\Recent))\r\n"
      "* 2 FETCH (BODY[]<0> {4}\r\nFrom FLAGS (\\Seen \\Recent))\r\na3 OK Fetch completed\r\n" },
    { "a4 COPY 1 nowhere\r\n", "a4 ", "a4 NO [TRYCREATE] no such mailbox\r\n" },
    { "a5 CREATE there\r\n", "a5 ", "a5 OK Create completed\r\n" },
    { "a6 STORE 2 FLAGS (\\Deleted)\r\n", "a6 ",
      "* 2 FETCH (FLAGS (\\Deleted \\Recent))\r\na6 OK Store completed\r\n" },
    { "a7 UID EXPUNGE 1\r\n", "a7 ", "a7 OK Expunge completed\r\n" },
    { "a8 EXPUNGE\r\n", "a8 ", "* 2 EXPUNGE\r\na8 OK Expunge completed\r\n" },
    { "a9 EXPUNGE\r\n", "a9 ", "a9 OK Expunge completed\r\n" },
    { "b1 APPEND INBOX (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {15}\r\n", "+ ", "+ OK\r\n" },
    { "Subject: x\r\n\r\ny\r\n", "b1 ", NULL },
    { "b2 FETCH 2 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n", "b2 ",
      "* 2 FETCH (FLAGS (\\Draft) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE 15 BODY[] {15}\r\n"
      "Subject: x\r\n\r\ny)\r\nb2 OK Fetch completed\r\n" },
    { "b3 APPEND nowhere {3+}\r\nabc\r\n", "b3 ", "b3 NO [TRYCREATE] no such mailbox\r\n" },
    { "b4 APPEND there {0+}\r\n\r\n", "b4 ", "b4 NO [CANNOT] An empty message is none\r\n" },
    { "b5 APPEND there {3+}\r\nabc) x\r\n", "b5 ", "b5 BAD Something stands behind the message\r\n" },
    { "b6 STATUS there (MESSAGES)\r\n", "b6 ", "* STATUS there (MESSAGES 0)\r\nb6 OK Status completed\r\n" },
    { "b7 UNSELECT\r\n", "b7 ", "b7 OK Unselect completed\r\n" },
};

static void changes_hold(void **state)
{
    (void)state;
    dialogue(changes, COUNT_OF(changes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
