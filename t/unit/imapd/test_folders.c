/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Mailboxes by name: create, rename, delete, subscribe, list. */
#include "t/unit/imapd/imap.h"

static const exchange folders[] = {
    { "a1 CREATE one/two\r\n", "a1 ", "a1 OK Create completed\r\n" },
    { "a2 CREATE inbox\r\n", "a2 ", "a2 NO [ALREADYEXISTS] the mailbox exists already\r\n" },
    { "a3 LIST \"\" *\r\n", "a3 ",
      "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect \\HasChildren) \"/\" one\r\n"
      "* LIST (\\HasNoChildren) \"/\" one/two\r\na3 OK List completed\r\n" },
    { "a4 LIST one/ %\r\n", "a4 ", "* LIST (\\HasNoChildren) \"/\" one/two\r\na4 OK List completed\r\n" },
    { "a5 SUBSCRIBE one/two\r\n", "a5 ", "a5 OK Subscribe completed\r\n" },
    { "a6 LSUB \"\" %\r\n", "a6 ", "* LSUB (\\Noselect) \"/\" one\r\na6 OK Lsub completed\r\n" },
    { "a7 LSUB \"\" *\r\n", "a7 ", "* LSUB () \"/\" one/two\r\na7 OK Lsub completed\r\n" },
    { "a8 RENAME one/two {5+}\r\nthree\r\n", "a8 ", "a8 OK Rename completed\r\n" },
    { "a9 RENAME one/two four\r\n", "a9 ", "a9 NO [NONEXISTENT] no such mailbox\r\n" },
    { "b1 STATUS INBOX (MESSAGES UNSEEN RECENT UIDNEXT)\r\n", "b1 ",
      "* STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 2)\r\nb1 OK Status completed\r\n" },
    { "b2 DELETE three\r\n", "b2 ", "b2 OK Delete completed\r\n" },
    { "b3 DELETE three\r\n", "b3 ", "b3 NO [NONEXISTENT] no such mailbox\r\n" },
    { "b4 CREATE up//down\r\n", "b4 ", "b4 NO [CANNOT] not a mailbox name\r\n" },
    { "b5 CREATE \"&AOT\"\r\n", "b5 ", "b5 NO [CANNOT] Not the name of a mailbox\r\n" },
    { "b6 CREATE \"T&AOQ-st\"\r\n", "b6 ", "b6 OK Create completed\r\n" },
    { "b7 LIST \"\" T*\r\n", "b7 ", "* LIST (\\HasNoChildren) \"/\" T&AOQ-st\r\nb7 OK List completed\r\n" },
};

static void folders_hold(void **state)
{
    (void)state;
    dialogue(folders, COUNT_OF(folders));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
