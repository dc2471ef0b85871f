#include "temp_store.h"
#include "store/internal.h"

static void names_lead_to_one_id(void **state)
{
    temp t = temp_open();
    box a, b;
    (void)state;
    OK(box_open(t.s, STR("INBOX"), &a));
    OK(box_open(t.s, STR("inbox"), &b));
    assert_int_equal(a.id, b.id);
    assert_int_equal(a.uidvalidity, b.uidvalidity);
    box_close(&b);
    OK(store_create(t.s, STR("INBOX/x")));
    OK(box_open(t.s, STR("inbox/x"), &b));
    assert_int_not_equal(a.id, b.id);
    box_close(&a);
    box_close(&b);
    temp_close(&t);
}

static void only_maildirs_are_mailboxes(void **state)
{
    temp t = temp_open();
    box b;
    (void)state;
    assert_int_equal(mkdirat(t.dirfd, ".empty", 0700), 0);
    temp_write(&t, ".file", "x");
    assert_int_equal(symlinkat(".", t.dirfd, ".link"), 0);
    static const char *const names[] = {
        "empty", "file", "link", "none", "..", ".", "/", "", "a\nb", "postrider/index"
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        REFUSED(box_open(t.s, str_c(names[i]), &b));
        assert_int_equal(b.dirfd, -1);
    }
    temp_close(&t);
}

static void a_folder_that_another_program_made_is_known_at_once(void **state)
{
    temp t = temp_open();
    box b;
    (void)state;
    assert_int_equal(mkdirat(t.dirfd, ".x", 0700), 0);
    assert_int_equal(mkdirat(t.dirfd, ".x/cur", 0700), 0);
    assert_int_equal(mkdirat(t.dirfd, ".x/new", 0700), 0);
    OK(box_open(t.s, STR("x"), &b));
    assert_true(b.uidvalidity > 0);
    box_close(&b);
    OK(temp_deliver_to(&t, "x", "a\r\n")); /* without a tmp/ */
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_one_id),
        cmocka_unit_test(only_maildirs_are_mailboxes),
        cmocka_unit_test(a_folder_that_another_program_made_is_known_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
