/* Other addresses in address lists: only their words change; any bytes come out whole; linear. */
#include "mail/address_edit.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    const char *value, *want;
} row;

/* old@h becomes new@n.example; bare becomes bare@o.example. */
static const row rows[] = {
    { " old@h", " new@n.example" },
    { " other@h", " other@h" },
    { "", "" },
    { " , ,", " , ," },
    { "\"A, B\" <old@h> (c)", "\"A, B\" <new@n.example> (c)" },
    { "=?utf-8?q?old=40h?= <old@h>,\r\n x@y,\r\n\told@h",
      "=?utf-8?q?old=40h?= <new@n.example>,\r\n x@y,\r\n\tnew@n.example" },
    { "g: old@h, <old@h>;, bare", "g: new@n.example, <new@n.example>;, bare@o.example" },
    { "old . (a) part@h", "old . (a) part@h" },
    { "old(a)@(b) h (c)", "new@n.example(a)(b)  (c)" },
    { "old\r\n @h", "new@n.example" },
    { "<@r1,@r2:old@h>", "<@r1,@r2:new@n.example>" },
    { "\"old\"@h", "new@n.example" },
    { "\"o\\ld\"@h", "new@n.example" },
    { "old@h old@h", "old@h old@h" }, /* broken */
    { "<old@h", "<old@h" },
    { "(old@h) x@y", "(old@h) x@y" },
    { "\"old@h\" <x@y>", "\"old@h\" <x@y>" },
    { "old@h,old@h", "new@n.example,new@n.example" },
    { "undisclosed-recipients:;", "undisclosed-recipients:;" },
};

static str other(void *context, str path)
{
    (*(size_t *)context)++;
    if (str_equal(path, STR("old@h")))
        return STR("new@n.example");
    return str_equal(path, STR("bare")) ? STR("bare@o.example") : STR_NONE;
}

static void rows_come_out_as_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        buf out = buf_new(4096);
        size_t asked = 0, changed = 0;
        assert_true(address_edit(str_c(rows[i].value), other, &asked, &mem, &out, &changed));
        if (!str_equal(buf_str(&out), str_c(rows[i].want)))
            fail_msg("row %zu: %.*s, not %s", i, STR_ARG(buf_str(&out)), rows[i].want);
        assert_int_equal(changed > 0, strcmp(rows[i].value, rows[i].want) != 0);
        buf_free(&out);
        arena_free(&mem);
    }
}

static str nothing(void *context, str path)
{
    (void)context, (void)path;
    return STR_NONE;
}

static void what_stays_is_whole_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str value = str_c(rows[i].value);
        for (size_t n = 0; n <= value.n; n++) {
            arena mem = arena_new(0);
            buf out = buf_new(4096);
            size_t asked = 0;
            assert_true(address_edit(str_upto(value, n), nothing, NULL, &mem, &out, NULL));
            assert_true(str_equal(buf_str(&out), str_upto(value, n)));
            buf_clear(&out);
            assert_true(address_edit(str_upto(value, n), other, &asked, &mem, &out, NULL));
            buf_free(&out);
            arena_free(&mem);
        }
    }
}

static void what_does_not_fit_is_said(void **state)
{
    arena mem = arena_new(0);
    buf out = buf_new(5);
    size_t asked = 0;
    (void)state;
    assert_false(address_edit(STR("old@h"), other, &asked, &mem, &out, NULL));
    buf_free(&out);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_as_they_should),
        cmocka_unit_test(what_stays_is_whole_cut_anywhere),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
