#include "temp_store.h"

static void fill(temp *t, unsigned n)
{
    char text[32];
    for (unsigned i = 1; i <= n; i++) {
        snprintf(text, sizeof text, "message %u\r\n", i);
        temp_append(t, "INBOX", text, 0);
    }
}

static void sequences_and_uids_answer_each_other(void **state)
{
    temp t = temp_open();
    (void)state;
    fill(&t, 10);
    mailbox *m = temp_select(&t, "INBOX");
    uid_set gone = { 0 };
    uid_set_add(&gone, 2, 2);
    uid_set_add(&gone, 5, 7);
    OK(mailbox_expunge(m, &gone, false, NULL));
    temp_poll(m);
    static const uint32_t left[] = { 1, 3, 4, 8, 9, 10 };
    assert_int_equal(mailbox_count(m), COUNT_OF(left));
    for (uint32_t i = 0; i < COUNT_OF(left); i++) {
        assert_int_equal(mailbox_uid(m, i + 1), left[i]);
        assert_int_equal(mailbox_sequence(m, left[i]), i + 1);
    }
    assert_int_equal(mailbox_uid(m, 0), 0);
    assert_int_equal(mailbox_uid(m, 7), 0);
    assert_int_equal(mailbox_sequence(m, 5), 0);
    assert_int_equal(mailbox_sequence(m, 11), 0);
    uid_set seqs = { 0 }, out = { 0 };
    uid_set_add(&seqs, 2, 4);
    assert_true(mailbox_pick_sequences(m, &seqs, &out));
    assert_int_equal(uid_set_count(&out), 3);
    assert_true(uid_set_has(&out, 8));
    uid_set_add(&seqs, 7, 7);
    assert_false(mailbox_pick_sequences(m, &seqs, &out));
    seqs.n = 0;
    uid_set_add(&seqs, 1, UINT32_MAX);
    mailbox_pick_uids(m, &seqs, &out);
    assert_int_equal(uid_set_count(&out), 6);
    uid_set_free(&seqs);
    uid_set_free(&out);
    uid_set_free(&gone);
    mailbox_close(m);
    temp_close(&t);
}

static void a_second_view_is_told_what_the_first_did(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    fill(&t, 4);
    mailbox *a = temp_select(&t, "INBOX"), *b = temp_select(&t, "INBOX");
    temp_flag(a, 2, 2, FLAGS_ADD, MESSAGE_SEEN);
    uid_set gone = { 0 };
    uid_set_add(&gone, 3, 3);
    OK(mailbox_expunge(a, &gone, false, NULL));
    fill(&t, 1);
    OK(mailbox_poll(b, false, &c));
    assert_true(uid_set_has(&c.flags, 2));
    assert_int_equal(uid_set_count(&c.flags), 1);
    assert_int_equal(c.expunged.n, 1);
    assert_int_equal(c.expunged.p[0], 3);
    assert_true(c.has_more);
    assert_int_equal(c.messages, 4);
    mailbox_changes_free(&c);
    OK(mailbox_poll(a, false, &c)); /* not its own flags again */
    assert_int_equal(uid_set_count(&c.flags), 0);
    assert_int_equal(c.expunged.n, 1);
    assert_true(c.has_more);
    mailbox_changes_free(&c);
    OK(mailbox_poll(a, false, &c));
    assert_false(c.has_more);
    assert_int_equal(c.expunged.n, 0);
    mailbox_changes_free(&c);
    uid_set_free(&gone);
    mailbox_close(a);
    mailbox_close(b);
    temp_close(&t);
}

static void expunges_can_be_held_back(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    fill(&t, 3);
    mailbox *a = temp_select(&t, "INBOX"), *b = temp_select(&t, "INBOX");
    uid_set gone = { 0 };
    uid_set_add(&gone, 1, 1);
    OK(mailbox_expunge(a, &gone, false, NULL));
    OK(mailbox_poll(b, true, &c));
    assert_int_equal(c.expunged.n, 0);
    assert_int_equal(c.messages, 3);
    mailbox_changes_free(&c);
    assert_true(temp_info(b, 1).is_expunged);
    assert_int_equal(mailbox_sequence(b, 2), 2);
    temp_flag(a, 2, 2, FLAGS_ADD, MESSAGE_SEEN);
    fill(&t, 1);
    OK(mailbox_poll(b, true, &c));
    assert_int_equal(c.messages, 4);
    assert_true(uid_set_has(&c.flags, 2));
    mailbox_changes_free(&c);
    OK(mailbox_poll(b, false, &c));
    assert_int_equal(c.expunged.n, 1);
    assert_int_equal(c.expunged.p[0], 1);
    assert_int_equal(c.messages, 3);
    assert_int_equal(uid_set_count(&c.flags), 0);
    mailbox_changes_free(&c);
    uid_set_free(&gone);
    mailbox_close(a);
    mailbox_close(b);
    temp_close(&t);
}

static void a_view_older_than_the_log_compares_everything(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    fill(&t, 5);
    mailbox *a = temp_select(&t, "INBOX"), *b = temp_select(&t, "INBOX");
    uid_set gone = { 0 }, one = { 0 };
    uid_set_add(&gone, 4, 4);
    uid_set_add(&one, 2, 2);
    OK(mailbox_expunge(a, &gone, false, NULL));
    flag_change changes[2] = { { .uids = &one, .action = FLAGS_ADD, .flags = MESSAGE_SEEN },
                               { .uids = &one, .action = FLAGS_REMOVE, .flags = MESSAGE_SEEN } };
    for (unsigned i = 0; i < 1100; i++)
        OK(mailbox_change_flags(a, &changes[i % 2], 1, NULL));
    fill(&t, 1);
    OK(mailbox_poll(b, false, &c));
    assert_int_equal(c.expunged.n, 1);
    assert_int_equal(c.expunged.p[0], 4);
    assert_int_equal(uid_set_count(&c.flags), 1);
    assert_true(uid_set_has(&c.flags, 2));
    assert_true(c.has_more);
    assert_int_equal(c.messages, 5);
    mailbox_changes_free(&c);
    uid_set_free(&gone);
    uid_set_free(&one);
    mailbox_close(a);
    mailbox_close(b);
    temp_close(&t);
}

static void a_deleted_mailbox_is_told(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    OK(store_create(t.s, STR("a")));
    mailbox *m = temp_select(&t, "a");
    OK(store_delete(t.s, STR("a")));
    REFUSED(mailbox_sync(m));
    REFUSED(mailbox_poll(m, false, &c));
    mailbox_changes_free(&c);
    mailbox_close(m);
    REFUSED(mailbox_open(t.s, STR("a"), false, &m));
    REFUSED(mailbox_open(t.s, STR("../a//b"), false, &m));
    temp_close(&t);
}

static void a_renamed_mailbox_stays_selected(void **state)
{
    temp t = temp_open();
    (void)state;
    OK(store_create(t.s, STR("a")));
    temp_append(&t, "a", "x\r\n", 0);
    mailbox *m = temp_select(&t, "a");
    OK(store_rename(t.s, STR("a"), STR("b")));
    temp_sync(m);
    temp_content(m, 1, "x\r\n");
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_and_uids_answer_each_other),
        cmocka_unit_test(a_second_view_is_told_what_the_first_did),
        cmocka_unit_test(expunges_can_be_held_back),
        cmocka_unit_test(a_view_older_than_the_log_compares_everything),
        cmocka_unit_test(a_deleted_mailbox_is_told),
        cmocka_unit_test(a_renamed_mailbox_stays_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
