#include "temp_store.h"

static void expect_list(temp *t, const char *want)
{
    arena a = arena_new(1 << 20);
    mailbox_entry *e;
    size_t n;
    buf text = buf_new(4096);
    OK(store_list(t->s, &a, &e, &n));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%.*s%s%s%s ", STR_ARG(e[i].name), e[i].is_selectable ? "" : "!",
                   e[i].has_children ? "+" : "", e[i].is_subscribed ? "s" : "");
    assert_string_equal(buf_c(&text), want);
    buf_free(&text);
    arena_free(&a);
}

static void create_list_delete(void **state)
{
    temp t = temp_open();
    (void)state;
    expect_list(&t, "INBOX ");
    OK(store_create(t.s, STR("a/b/c/")));
    OK(store_create(t.s, STR("a-b")));
    OK(store_create(t.s, STR("INBOX/x")));
    OK(store_create(t.s, STR("a/b/d")));
    OK(store_subscribe(t.s, STR("a-b"), true));
    expect_list(&t, "INBOX+ INBOX/x a!+ a/b!+ a/b/c a/b/d a-bs ");
    REFUSED(store_create(t.s, STR("a/b/c")));
    REFUSED(store_create(t.s, STR("inbox")));
    REFUSED(store_create(t.s, STR("with*")));
    REFUSED(store_create(t.s, STR("")));
    OK(store_create(t.s, STR("a")));
    OK(store_delete(t.s, STR("a/b/c")));
    REFUSED(store_delete(t.s, STR("a/b/c")));
    REFUSED(store_delete(t.s, STR("a/b"))); /* stands only for its children */
    REFUSED(store_delete(t.s, STR("INBOX")));
    OK(store_delete(t.s, STR("a"))); /* the children stay */
    expect_list(&t, "INBOX+ INBOX/x a!+ a/b!+ a/b/d a-bs ");
    assert_true(store_exists(t.s, STR("a/b/d")));
    assert_false(store_exists(t.s, STR("a")));
    temp_work(t.s);
    assert_int_equal(temp_count(&t, "postrider", NULL), 2); /* index and lock: no trash, no cache */
    temp_close(&t);
}

static void odd_folders_are_not_listed(void **state)
{
    temp t = temp_open();
    (void)state;
    assert_int_equal(mkdirat(t.dirfd, ".no-cur", 0700), 0);
    assert_int_equal(mkdirat(t.dirfd, ".&AGE-", 0700), 0);
    assert_int_equal(mkdirat(t.dirfd, ".&AGE-/cur", 0700), 0);
    assert_int_equal(mkdirat(t.dirfd, "nodot", 0700), 0);
    assert_int_equal(symlinkat("/etc", t.dirfd, ".etc"), 0);
    expect_list(&t, "INBOX ");
    assert_false(store_exists(t.s, STR("no-cur")));
    OK(store_create(t.s, STR("no-cur"))); /* a create that was cut off is completed */
    expect_list(&t, "INBOX no-cur ");
    temp_close(&t);
}

static uint32_t validity(temp *t, const char *name)
{
    mailbox_status st;
    OK(store_status(t->s, str_c(name), &st));
    return st.uidvalidity;
}

static void uidvalidity_is_never_used_again(void **state)
{
    temp t = temp_open();
    uint32_t last = 0;
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        OK(store_create(t.s, STR("a")));
        assert_true(validity(&t, "a") > last);
        last = validity(&t, "a");
        OK(store_delete(t.s, STR("a")));
    }
    OK(store_create(t.s, STR("a")));
    last = validity(&t, "a");
    temp_rename(&t, ".a", "gone"); /* deleted by another program, then created here */
    OK(store_create(t.s, STR("a")));
    assert_true(validity(&t, "a") > last);
    temp_close(&t);
}

static void rename_takes_the_children_along(void **state)
{
    temp t = temp_open();
    (void)state;
    OK(store_create(t.s, STR("a")));
    OK(store_create(t.s, STR("a/b")));
    OK(store_create(t.s, STR("ab")));
    temp_append(&t, "a/b", "x\r\n", MESSAGE_SEEN);
    uint32_t before = validity(&t, "a/b");
    OK(store_rename(t.s, STR("a"), STR("x/y")));
    expect_list(&t, "INBOX ab x!+ x/y+ x/y/b ");
    assert_int_equal(validity(&t, "x/y/b"), before);
    mailbox *m = temp_select(&t, "x/y/b");
    assert_int_equal(mailbox_uid(m, 1), 1);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN);
    mailbox_close(m);
    REFUSED(store_rename(t.s, STR("a"), STR("z")));
    REFUSED(store_rename(t.s, STR("ab"), STR("x/y")));
    REFUSED(store_rename(t.s, STR("ab"), STR("INBOX")));
    OK(store_rename(t.s, STR("x"), STR("z"))); /* not a mailbox itself */
    expect_list(&t, "INBOX ab z!+ z/y+ z/y/b ");
    OK(store_create(t.s, STR("q/b")));
    OK(store_create(t.s, STR("p/b")));
    OK(store_create(t.s, STR("p/a")));
    REFUSED(store_rename(t.s, STR("p"), STR("q"))); /* one of them exists: none moves */
    assert_true(store_exists(t.s, STR("p/a")));
    temp_close(&t);
}

static void renaming_inbox_moves_its_messages(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "x\r\n", MESSAGE_FLAGGED);
    OK(store_create(t.s, STR("INBOX/sub")));
    OK(store_rename(t.s, STR("inbox"), STR("old")));
    expect_list(&t, "INBOX+ INBOX/sub old ");
    mailbox *m = temp_select(&t, "old");
    assert_int_equal(mailbox_count(m), 1);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_FLAGGED);
    mailbox_close(m);
    m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 0);
    assert_int_equal(mailbox_uidnext(m), 2);
    mailbox_close(m);
    temp_close(&t);
}

static void a_thousand_parents_appear_once_each(void **state)
{
    temp t = temp_open();
    char path[64];
    arena a = arena_new(64 << 20);
    mailbox_entry *e;
    size_t n;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, ".m.%u.x", i);
        assert_int_equal(mkdirat(t.dirfd, path, 0700), 0);
        snprintf(path, sizeof path, ".m.%u.x/cur", i);
        assert_int_equal(mkdirat(t.dirfd, path, 0700), 0);
    }
    OK(store_list(t.s, &a, &e, &n));
    assert_int_equal(n, 2002);
    assert_true(e[1].has_children);
    arena_free(&a);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_list_delete),
        cmocka_unit_test(odd_folders_are_not_listed),
        cmocka_unit_test(uidvalidity_is_never_used_again),
        cmocka_unit_test(rename_takes_the_children_along),
        cmocka_unit_test(renaming_inbox_moves_its_messages),
        cmocka_unit_test(a_thousand_parents_appear_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
