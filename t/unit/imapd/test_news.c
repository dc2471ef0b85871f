/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* What others changed is told with the next command: new messages, flags, removals. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "s SELECT INBOX\r\n", "s OK", NULL },
    { "a1 APPEND INBOX {3+}\r\nabc\r\n", "a1 ", NULL },
    { "a2 NOOP\r\n", "a2 ", "a2 OK NOOP completed\r\n" },
};

static void the_dialogue_holds(void **state)
{
    (void)state;
    dialogue(rows, COUNT_OF(rows));
}

static void others_changes_are_told_once(void **state)
{
    fixture f;
    client other;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a SELECT INBOX\r\n", "a OK");
    client_open(&other, &f.d);
    client_read(&other, "t0 ");
    ask(&other, "b SELECT INBOX\r\n", "b OK");
    ask(&other, "b1 STORE 2 +FLAGS.SILENT (\\Flagged)\r\n", "b1 OK");
    assert_non_null(strstr(ask(&f.c, "a1 NOOP\r\n", "a1 "), "* 2 FETCH (UID 2 FLAGS (\\Flagged"));
    assert_string_equal(ask(&f.c, "a2 NOOP\r\n", "a2 OK"), "a2 OK NOOP completed\r\n");
    dialog_deliver(&f.d, "Subject: x\r\n\r\ny\r\n");
    assert_non_null(strstr(ask(&f.c, "a3 NOOP\r\n", "a3 "), "* 3 EXISTS\r\n"));
    client_close(&other);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialogue_holds),
        cmocka_unit_test(others_changes_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
