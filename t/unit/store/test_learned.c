#include "temp_store.h"

static void many_sizes_are_written_in_lots(void **state)
{
    temp t = temp_open();
    uint32_t size;
    int64_t date;
    char name[64];
    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "cur/%u.x.h:2,", i + 1);
        temp_write(&t, name, "a\n");
    }
    mailbox *m = temp_select(&t, "INBOX");
    uint64_t modseq = mailbox_modseq(m);
    for (uint32_t uid = 600; uid; uid--) {
        OK(mailbox_size(m, uid, &size));
        assert_int_equal(size, 3);
        OK(mailbox_date(m, uid, &date));
    }
    assert_int_equal(temp_info(m, 600).wire_bytes, 3); /* written already */
    mailbox_close(m);
    temp_reopen(&t);
    m = temp_select(&t, "INBOX");
    for (uint32_t uid = 1; uid <= 600; uid++)
        assert_int_equal(temp_info(m, uid).wire_bytes, 3);
    assert_int_equal(mailbox_modseq(m), modseq); /* no news for anybody */
    mailbox_close(m);
    temp_close(&t);
}

static void a_message_that_went_meanwhile_is_left_out(void **state)
{
    temp t = temp_open();
    uint32_t size;
    (void)state;
    temp_write(&t, "cur/1.x.h:2,", "a\n");
    mailbox *m = temp_select(&t, "INBOX");
    OK(mailbox_size(m, 1, &size));
    OK(mailbox_expunge(m, NULL, false, NULL));
    temp_work(t.s);
    temp_poll(m);
    assert_int_equal(mailbox_count(m), 0);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sizes_are_written_in_lots),
        cmocka_unit_test(a_message_that_went_meanwhile_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
