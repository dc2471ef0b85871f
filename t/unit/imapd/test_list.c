/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* LIST and LSUB: patterns, folders without a mailbox, subscriptions. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "a1 CREATE a/b\r\n", "a1 OK", NULL },
    { "a2 CREATE c\r\n", "a2 OK", NULL },
    { "a3 LIST \"\" \"c\"\r\n", "a3 ", "* LIST (\\HasNoChildren) \"/\" c\r\na3 OK List completed\r\n" },
    { "a4 LIST \"a/\" \"%\"\r\n", "a4 ", "* LIST (\\HasNoChildren) \"/\" a/b\r\na4 OK List completed\r\n" },
    { "a5 LIST \"\" \"x*\"\r\n", "a5 ", "a5 OK List completed\r\n" },
    { "a6 SUBSCRIBE c\r\n", "a6 OK", NULL },
    { "a7 LSUB \"\" \"*\"\r\n", "a7 ", NULL },
    { "a8 UNSUBSCRIBE c\r\n", "a8 OK", NULL },
    { "a9 LSUB \"\" \"c\"\r\n", "a9 ", NULL },
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
