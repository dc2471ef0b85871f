/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* What needs no mailbox, and what is refused. */
#include "t/unit/imapd/imap.h"

static const exchange basics[] = {
    { "a1 NOOP\r\n", "a1 ", "a1 OK NOOP completed\r\n" },
    { "a2 CAPABILITY\r\n", "a2 ",
      "* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE\r\n"
      "a2 OK Capability completed\r\n" },
    { "a3 FETCH 1 FLAGS\r\n", "a3 ", "a3 BAD No mailbox selected\r\n" },
    { "a4 LOGIN a b\r\n", "a4 ", "a4 BAD Already logged in\r\n" },
    { "a5 XYZZY\r\n", "a5 ", "a5 BAD Unknown command\r\n" },
    { "a6 SELECT nowhere\r\n", "a6 ", "a6 NO [NONEXISTENT] no such mailbox\r\n" },
    { "a7 ID NIL\r\n", "a7 ", "* ID (\"name\" \"Postrider\")\r\na7 OK ID completed\r\n" },
    { "a8 NAMESPACE\r\n", "a8 ", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na8 OK Namespace completed\r\n" },
    { "a9 ENABLE CONDSTORE\r\n", "a9 ", "* ENABLED\r\na9 OK Enabled\r\n" },
    { "b1 LIST \"\" \"\"\r\n", "b1 ", "* LIST (\\Noselect) \"/\" \"\"\r\nb1 OK List completed\r\n" },
};

static void basics_hold(void **state)
{
    (void)state;
    dialogue(basics, COUNT_OF(basics));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basics_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
