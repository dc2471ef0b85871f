/* SOURCES: local/worker/forward.c local/worker/letters.c local/worker/maildir.c local/worker/spool.c  NEEDS: store worker */
#include "world.h"

static int setup(void **state)
{
    (void)state;
    world_open(false);
    assert_false(is_fault(store_create(w->l.store, STR("Lists"))));
    assert_false(is_fault(store_create(w->l.store, STR("Lists/inner"))));
    return 0;
}

static unsigned count(const char *name)
{
    mailbox_status s;
    assert_false(is_fault(store_status(w->l.store, str_c(name), &s)));
    return s.messages;
}

static void what_comes_together_is_durable_together(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 70; i++) /* more than a batch */
        request(i, (deliver_request){ 0 }, "A: b\r\n\r\nmark\r\n");
    rounds();
    assert_int_equal(pool.n, 70);
    for (uint32_t i = 1; i <= 70; i++)
        is_told(i - 1, DELIVER_RESULT, i, FAULT_NONE, "delivered to maildir");
    assert_int_equal(count("INBOX"), 70);
    assert_int_equal(w->worker.busy, 0);
}

static void a_bad_one_leaves_nothing_behind(void **state)
{
    (void)state;
    request(1, (deliver_request){ 0 }, "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    request(2, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    assert_int_equal(pool.told[0].outcome + pool.told[1].outcome, FAULT_REFUSED);
    assert_int_equal(count("INBOX"), 1);
}

static const struct row {
    const char *extension, *folder;
} rows[] = {
    { "+Lists", "Lists" }, { "+lists", "Lists" },      { "+LISTS/INNER", "Lists/inner" }, { "+inbox", "INBOX" },
    { "+nowhere", "INBOX" }, { "+../../x", "INBOX" }, { "+", "INBOX" },                   { "", "INBOX" },
};

static void an_extension_is_a_folder_when_there_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned before = count(rows[i].folder);
        request(1, (deliver_request){ .extension = str_c(rows[i].extension) }, "\r\nmark\r\n");
        rounds();
        assert_int_equal(count(rows[i].folder), before + 1);
    }
    assert_false(store_exists(w->l.store, STR("nowhere")));
    rules_put(&(deliver_rules){ 0 });
    request(1, (deliver_request){ .extension = STR("+lists") }, "\r\nmark\r\n");
    rounds();
    assert_int_equal(count("Lists"), 2); /* as before */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_together_is_durable_together),
        TEST(a_bad_one_leaves_nothing_behind),
        TEST(an_extension_is_a_folder_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
