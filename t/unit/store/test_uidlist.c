#include "temp_store.h"

static void uids_of_dovecot_are_kept(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "dovecot-uidlist",
               "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
               "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n"
               "25017 W2481 :1276533073.M242911P3632.kurkku:2,F\n"
               "25019 W99 Pabc :gone.file\n");
    temp_write(&t, "cur/1276533073.M242911P3632.kurkku:2,FS", "b");
    temp_write(&t, "cur/1276528487.M364837P9451.kurkku,S=1355,W=1394:2,R", "a");
    temp_write(&t, "new/1276600000.new.kurkku", "new");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_uidvalidity(m), 1275660208);
    assert_int_equal(mailbox_count(m), 3);
    assert_int_equal(mailbox_uid(m, 1), 25006);
    assert_int_equal(mailbox_uid(m, 2), 25017);
    assert_int_equal(mailbox_uid(m, 3), 25022);
    assert_int_equal(temp_info(m, 25006).flags, MESSAGE_ANSWERED);
    assert_int_equal(temp_info(m, 25006).wire_bytes, 1394);
    assert_int_equal(temp_info(m, 25017).flags, MESSAGE_FLAGGED | MESSAGE_SEEN);
    assert_int_equal(mailbox_recent(m), 1);
    char uidl[17];
    mailbox_uidl(m, 25006, uidl);
    assert_string_equal(uidl, "000061ae4c0907b0");
    assert_int_equal(faccessat(t.dirfd, "dovecot-uidlist", F_OK, 0), -1);
    assert_int_equal(faccessat(t.dirfd, "dovecot-uidlist.imported", F_OK, 0), 0);
    mailbox_close(m);
    temp_close(&t);
}

static void the_first_version_is_read_too(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "dovecot-uidlist", "1 1000 8\n5 1.a.h:2,S\n7 2.b.h\n");
    temp_write(&t, "cur/2.b.h:2,", "b");
    temp_write(&t, "cur/1.a.h:2,S", "a");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_uidvalidity(m), 1000);
    assert_int_equal(mailbox_uid(m, 1), 5);
    assert_int_equal(mailbox_uid(m, 2), 7);
    assert_int_equal(mailbox_uidnext(m), 8);
    mailbox_close(m);
    temp_close(&t);
}

static void rows_behind_one_that_does_not_rise_are_numbered_afresh(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "dovecot-uidlist", "3 V5 N6\n4 :1.a.h\n3 :2.b.h\n");
    temp_write(&t, "cur/1.a.h:2,", "a");
    temp_write(&t, "cur/2.b.h:2,", "b");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 2);
    assert_int_equal(mailbox_uid(m, 1), 4);
    assert_int_equal(mailbox_uid(m, 2), 6);
    mailbox_close(m);
    temp_close(&t);
}

static void odd_lists_do_no_harm(void **state)
{
    static const char *const odd[] = {
        "",
        "\n",
        "2 V5 N6\n1 :a\n",
        "3 V0 N6\n1 :a\n",
        "3 V5\n1 :a\n",
        "3 V99999999999 N6\n1 :1.a.h\n",
        "3 V5 N6\n4 :1.a.h\n4 :2.b.h\n3 :2.b.h\n",
        "3 V5 N6\n4294967295 :1.a.h\n",
        "3 V5 N6\n1\n2 \n3 :\n4 x\n5 : \n",
        "3 V5 N6\n1 ::::\n2 :../../etc/passwd\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        temp t = temp_open();
        temp_write(&t, "dovecot-uidlist", odd[i]);
        temp_write(&t, "cur/1.a.h:2,S", "a");
        mailbox *m = temp_select(&t, "INBOX");
        assert_true(mailbox_count(m) <= 1);
        assert_true(mailbox_uidvalidity(m) > 0);
        mailbox_close(m);
        temp_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uids_of_dovecot_are_kept),
        cmocka_unit_test(the_first_version_is_read_too),
        cmocka_unit_test(rows_behind_one_that_does_not_rise_are_numbered_afresh),
        cmocka_unit_test(odd_lists_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
