/* SOURCES: ctl/sendmail/recipients.c  NEEDS: mail */
#include "ctl/sendmail/recipients.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const str origin = STR_ROW("here.test");

typedef struct row {
    str list;
    const char *wanted; /* NULL: refused */
} row;

static const row rows[] = {
    { STR_ROW("a@b.test"), "a@b.test" },
    { STR_ROW("root"), "root@here.test" },
    { STR_ROW("a@b.test, root,c@d.test"), "a@b.test root@here.test c@d.test" },
    { STR_ROW("A Name <a@b.test>"), "a@b.test" },
    { STR_ROW("\"Name, of two\" <a@b.test>, (comment) c@d.test"), "a@b.test c@d.test" },
    { STR_ROW("friends: a@b.test, c@d.test;, root"), "a@b.test c@d.test root@here.test" },
    { STR_ROW("undisclosed-recipients:;"), "" },
    { STR_ROW("\"odd local\"@b.test"), "\"odd local\"@b.test" },
    { STR_ROW("a@b@c"), NULL },
    { STR_ROW("a@b.test\r\nRCPT TO:<x@y>"), NULL },
    { STR_ROW("a@b.test\r\n c@d.test"), NULL },
    { STR_ROW("<>"), NULL },
    { STR_ROW("a@"), NULL },
    { STR_ROW("@b.test"), NULL },
    { STR_ROW("a@-.[]"), NULL },
};

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        recipients r = { 0 };
        buf all = buf_new(1000);
        fault f = recipients_add_list(&r, rows[i].list, origin);
        for (size_t k = 0; k < r.rows.n; k++)
            buf_printf(&all, "%s%.*s", k ? " " : "", STR_ARG(r.rows.p[k]));
        if (is_fault(f) != (rows[i].wanted == NULL))
            fail_msg("row %zu: %s %s", i, buf_c(&all), f.text);
        if (rows[i].wanted)
            assert_string_equal(buf_c(&all), rows[i].wanted);
        buf_free(&all);
        recipients_free(&r);
    }
}

static void test_the_fault_shows_no_control_bytes(void **state)
{
    (void)state;
    recipients r = { 0 };
    fault f = recipient_add(&r, STR("a\n\x1b[31m@b"), origin);
    assert_int_equal(f.kind, FAULT_REFUSED);
    for (const char *c = f.text; *c; c++)
        assert_true((unsigned char)*c >= ' ');
    recipients_free(&r);
}

static void test_their_number_is_limited(void **state)
{
    (void)state;
    recipients r = { 0 };
    fault f = NO_FAULT;
    size_t n = 0;
    for (; n <= RECIPIENTS_MAX && !is_fault(f); n++)
        f = recipient_add(&r, STR("a@b.test"), origin);
    assert_int_equal(n, RECIPIENTS_MAX + 1);
    assert_int_equal(r.rows.n, RECIPIENTS_MAX);
    assert_int_equal(f.kind, FAULT_REFUSED);
    recipients_free(&r);
}

static const row senders[] = {
    { STR_ROW("a@b.test"), "a@b.test" },
    { STR_ROW("me"), "me@here.test" },
    { STR_ROW("<>"), "" },
    { STR_ROW(""), "" },
    { STR_ROW(" <a@b.test> "), "a@b.test" },
    { STR_ROW("Me <a@b.test>"), "a@b.test" },
    { STR_ROW("a@b.test, c@d.test"), NULL },
    { STR_ROW("group: a@b.test;"), NULL },
    { STR_ROW("a@b@c"), NULL },
};

static void test_senders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        arena a = arena_new(0);
        str out;
        fault f = sender_read(senders[i].list, origin, &a, &out);
        assert_int_equal(is_fault(f), senders[i].wanted == NULL);
        if (senders[i].wanted)
            assert_true(str_equal(out, str_c(senders[i].wanted)));
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_the_fault_shows_no_control_bytes),
        cmocka_unit_test(test_their_number_is_limited),
        cmocka_unit_test(test_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
