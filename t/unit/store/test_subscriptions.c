#include "temp_store.h"

static void expect(temp *t, const char *want)
{
    arena a = arena_new(1 << 20);
    str *names;
    size_t n;
    buf text = buf_new(4096);
    OK(store_subscriptions(t->s, &a, &names, &n));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%.*s ", STR_ARG(names[i]));
    assert_string_equal(buf_c(&text), want);
    buf_free(&text);
    arena_free(&a);
}

static void expect_file(temp *t, const char *want)
{
    char text[256] = "";
    int fd = openat(t->dirfd, "subscriptions", O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, want);
}

static void names_come_and_go(void **state)
{
    temp t = temp_open();
    (void)state;
    expect(&t, "");
    OK(store_subscribe(t.s, STR("b/Entw\xc3\xbcrfe"), true));
    OK(store_subscribe(t.s, STR("inbox"), true));
    OK(store_subscribe(t.s, STR("v1.2"), true));
    OK(store_subscribe(t.s, STR("v1.2"), true)); /* twice is once */
    expect(&t, "INBOX b/Entw\xc3\xbcrfe v1.2 ");
    expect_file(&t, "V\t2\n\nb\tEntw&APw-rfe\nINBOX\nv1&AC4-2\n");
    OK(store_subscribe(t.s, STR("v1.2"), false));
    OK(store_subscribe(t.s, STR("never"), false));
    expect(&t, "INBOX b/Entw\xc3\xbcrfe ");
    REFUSED(store_subscribe(t.s, STR("a\nb"), true));
    REFUSED(store_subscribe(t.s, STR("a//b"), true));
    temp_close(&t);
}

static void an_old_file_keeps_its_form(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "subscriptions", "INBOX\nSent\na.b\n..bad\n\nSent\n");
    expect(&t, "INBOX Sent a/b ");
    OK(store_subscribe(t.s, STR("x/y"), true));
    expect(&t, "INBOX Sent a/b x/y ");
    OK(store_subscribe(t.s, STR("Sent"), false));
    expect_file(&t, "INBOX\na.b\n..bad\nx.y\n");
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(an_old_file_keeps_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
