#include "temp_store.h"

static void the_three_actions(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", MESSAGE_DRAFT);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_DRAFT);
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_DRAFT | MESSAGE_SEEN);
    temp_flag(m, 1, 1, FLAGS_REMOVE, MESSAGE_DRAFT);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN);
    temp_flag(m, 1, 1, FLAGS_REPLACE, MESSAGE_FLAGGED);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_FLAGGED);
    mailbox_close(m);
    temp_reopen(&t); /* durable, though the file has its old name */
    m = temp_select(&t, "INBOX");
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_FLAGGED);
    temp_work(t.s);
    char name[512];
    temp_count(&t, "cur", name);
    assert_non_null(strstr(name, ":2,F"));
    mailbox_close(m);
    temp_close(&t);
}

static void a_read_only_view_changes_nothing(void **state)
{
    temp t = temp_open();
    mailbox *m;
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", MESSAGE_DELETED);
    OK(mailbox_open(t.s, STR("INBOX"), true, &m));
    uid_set one = { 0 };
    uid_set_add(&one, 1, 1);
    REFUSED(mailbox_change_flags(m, &(flag_change){ .uids = &one, .flags = 1 }, 1, NULL));
    REFUSED(mailbox_expunge(m, NULL, true, NULL));
    uid_set_free(&one);
    mailbox_close(m);
    temp_close(&t);
}

static void unchanged_since_leaves_newer_messages_alone(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    temp_append(&t, "INBOX", "b\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    uint64_t since = mailbox_modseq(m);
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN);
    uid_set both = { 0 }, failed = { 0 };
    uid_set_add(&both, 1, 2);
    flag_change c = { .uids = &both,
                      .action = FLAGS_ADD,
                      .flags = MESSAGE_FLAGGED,
                      .has_unchanged_since = true,
                      .unchanged_since = since };
    OK(mailbox_change_flags(m, &c, 1, &failed));
    assert_int_equal(uid_set_count(&failed), 1);
    assert_true(uid_set_has(&failed, 1));
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN);
    assert_int_equal(temp_info(m, 2).flags, MESSAGE_FLAGGED);
    uid_set_free(&both);
    uid_set_free(&failed);
    mailbox_close(m);
    temp_close(&t);
}

static void a_change_that_changes_nothing_gives_no_modseq(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", MESSAGE_SEEN);
    mailbox *m = temp_select(&t, "INBOX");
    uint64_t modseq = mailbox_modseq(m);
    temp_flag(m, 1, UINT32_MAX, FLAGS_ADD, MESSAGE_SEEN);
    temp_poll(m);
    assert_int_equal(mailbox_modseq(m), modseq);
    mailbox_close(m);
    temp_close(&t);
}

static void counters_follow(void **state)
{
    temp t = temp_open();
    mailbox_status st;
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        temp_append(&t, "INBOX", "a\r\n", 0);
    OK(store_status(t.s, STR("INBOX"), &st));
    assert_int_equal(st.messages, 5);
    assert_int_equal(st.unseen, 5);
    assert_int_equal(st.recent, 5);
    assert_int_equal(st.uidnext, 6);
    mailbox *m = temp_select(&t, "INBOX");
    temp_flag(m, 2, 4, FLAGS_ADD, MESSAGE_SEEN);
    uint32_t sequence;
    OK(mailbox_first_unseen(m, &sequence));
    assert_int_equal(sequence, 1);
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN);
    OK(mailbox_first_unseen(m, &sequence));
    assert_int_equal(sequence, 5);
    OK(store_status(t.s, STR("INBOX"), &st));
    assert_int_equal(st.unseen, 1);
    assert_int_equal(st.recent, 0);
    temp_flag(m, 5, 5, FLAGS_ADD, MESSAGE_SEEN);
    OK(mailbox_first_unseen(m, &sequence));
    assert_int_equal(sequence, 0);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_actions),
        cmocka_unit_test(a_read_only_view_changes_nothing),
        cmocka_unit_test(unchanged_since_leaves_newer_messages_alone),
        cmocka_unit_test(a_change_that_changes_nothing_gives_no_modseq),
        cmocka_unit_test(counters_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
