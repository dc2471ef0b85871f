/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* What the sessions of a user share: turns, sleep when nobody asks, the end of all. */
#include "t/unit/imapd/imap.h"

static const exchange rows[] = {
    { "a1 NOOP\r\n", "a1 ", "a1 OK NOOP completed\r\n" },
};

static void the_dialogue_holds(void **state)
{
    (void)state;
    dialogue(rows, COUNT_OF(rows));
}

static void it_sleeps_and_wakes(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a SELECT INBOX\r\n", "a OK");
    while (!f.d.v.is_asleep)
        dialog_turn(&f.d);
    assert_string_equal(ask(&f.c, "a1 FETCH 1 UID\r\n", "a1 OK"), "* 1 FETCH (UID 1)\r\na1 OK Fetch completed\r\n");
    assert_false(f.d.v.is_asleep);
    fixture_close(&f);
}

static void all_sessions_hear_the_end(void **state)
{
    fixture f;
    client other;
    (void)state;
    fixture_open(&f);
    client_open(&other, &f.d);
    client_read(&other, "t0 ");
    server_bye(&f.d.v, "Going down");
    assert_string_equal(client_read(&other, "* BYE"), "* BYE Going down\r\n");
    assert_string_equal(client_read(&f.c, "* BYE"), "* BYE Going down\r\n");
    client_close(&other);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialogue_holds),
        cmocka_unit_test(it_sleeps_and_wakes),
        cmocka_unit_test(all_sessions_hear_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
