#include "temp_store.h"

static void names_get_bits_and_letters(void **state)
{
    temp t = temp_open();
    unsigned bit;
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    REFUSED(mailbox_keyword_bit(m, STR("$Junk"), false, &bit));
    OK(mailbox_keyword_bit(m, STR("$Junk"), true, &bit));
    assert_int_equal(bit, 0);
    OK(mailbox_keyword_bit(m, STR("Later"), true, &bit));
    assert_int_equal(bit, 1);
    OK(mailbox_keyword_bit(m, STR("$JUNK"), true, &bit));
    assert_int_equal(bit, 0);
    assert_true(str_equal(mailbox_keyword(m, 1), STR("Later")));
    assert_int_equal(mailbox_keyword(m, 2).n, 0);
    assert_int_equal(mailbox_keyword(m, 99).n, 0);
    uid_set one = { 0 };
    uid_set_add(&one, 1, 1);
    OK(mailbox_change_flags(m, &(flag_change){ .uids = &one, .action = FLAGS_ADD, .keywords = 3 }, 1, NULL));
    temp_work(t.s);
    char name[512], text[64] = "";
    temp_count(&t, "cur", name);
    assert_non_null(strstr(name, ":2,ab"));
    int fd = openat(t.dirfd, "dovecot-keywords", O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    assert_string_equal(text, "0 $Junk\n1 Later\n");
    uid_set_free(&one);
    mailbox_close(m);
    temp_close(&t);
}

static void there_are_26_at_most(void **state)
{
    temp t = temp_open();
    unsigned bit;
    (void)state;
    mailbox *m = temp_select(&t, "INBOX");
    for (unsigned i = 0; i < 26; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%u", i);
        OK(mailbox_keyword_bit(m, str_c(name), true, &bit));
        assert_int_equal(bit, i);
    }
    REFUSED(mailbox_keyword_bit(m, STR("one-more"), true, &bit));
    REFUSED(mailbox_keyword_bit(m, STR("with space"), true, &bit));
    REFUSED(mailbox_keyword_bit(m, STR("line\nend"), true, &bit));
    REFUSED(mailbox_keyword_bit(m, STR(""), true, &bit));
    mailbox_close(m);
    temp_close(&t);
}

static void a_file_of_dovecot_is_taken_over(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "dovecot-keywords", "0 first\n2 third\n99 none\nx bad\n1 two words\n");
    temp_write(&t, "cur/1.a.h:2,Sac", "a");
    mailbox *m = temp_select(&t, "INBOX");
    assert_true(str_equal(mailbox_keyword(m, 0), STR("first")));
    assert_int_equal(mailbox_keyword(m, 1).n, 0);
    assert_true(str_equal(mailbox_keyword(m, 2), STR("third")));
    assert_int_equal(temp_info(m, 1).keywords, 1 | 4);
    unsigned bit;
    OK(mailbox_keyword_bit(m, STR("second"), true, &bit));
    assert_int_equal(bit, 1); /* the gap */
    mailbox_close(m);
    temp_close(&t);
}

static void another_view_hears_of_a_new_keyword(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    unsigned bit;
    (void)state;
    mailbox *a = temp_select(&t, "INBOX"), *b = temp_select(&t, "INBOX");
    OK(mailbox_keyword_bit(a, STR("x"), true, &bit));
    OK(mailbox_poll(b, false, &c));
    assert_true(c.has_keywords);
    assert_true(str_equal(mailbox_keyword(b, 0), STR("x")));
    mailbox_changes_free(&c);
    mailbox_close(a);
    mailbox_close(b);
    temp_close(&t);
}

static void appended_and_copied_messages_keep_theirs(void **state)
{
    temp t = temp_open();
    uint32_t validity, uid;
    unsigned bit;
    (void)state;
    OK(store_create(t.s, STR("to")));
    mailbox *to = temp_select(&t, "to");
    OK(mailbox_keyword_bit(to, STR("other"), true, &bit));
    delivery *d = delivery_new(t.s);
    const str names[] = { STR("Red"), STR("Blue") };
    OK(delivery_begin(d, STR("INBOX"), &(message_options){ .keywords = names, .n_keywords = 2 }));
    OK(delivery_end(d));
    OK(delivery_append(d, &validity, &uid));
    delivery_free(d);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(temp_info(m, uid).keywords, 3);
    copy_result r;
    OK(mailbox_copy(m, mailbox_uids(m), STR("to"), &r));
    copy_result_free(&r);
    temp_poll(to);
    assert_int_equal(temp_info(to, 1).keywords, 2 | 4);
    assert_true(str_equal(mailbox_keyword(to, 2), STR("Blue")));
    mailbox_close(m);
    mailbox_close(to);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_bits_and_letters),
        cmocka_unit_test(there_are_26_at_most),
        cmocka_unit_test(a_file_of_dovecot_is_taken_over),
        cmocka_unit_test(another_view_hears_of_a_new_keyword),
        cmocka_unit_test(appended_and_copied_messages_keep_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
