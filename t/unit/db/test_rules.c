#include "folder.h"
#include "db/rules.h"

static size_t word_length(str line)
{
    return str_find(line, ' ');
}

static fault loaded(const char *text, rules *out)
{
    table_origin from = { .path = path_of("x") };
    file_put("x", str_c(text));
    return rules_load(&from, word_length, out);
}

static void ifs_know_their_ends(void **state)
{
    rules rs;
    (void)state;
    assert_false(is_fault(loaded("if a\nif b\nc d\nendif\nendif\nif !e\n endif\n", &rs)) && rs.rows.n == 0);
    rules_free(&rs);
    assert_false(is_fault(loaded("if a\nif b\nc d\nendif\nendif\n!!!e f\n", &rs)));
    assert_int_equal(rs.rows.n, 6);
    assert_int_equal(rs.rows.p[0].behind, 4);
    assert_int_equal(rs.rows.p[1].behind, 3);
    assert_true(rs.rows.p[5].is_negated);
    assert_true(str_equal(rs.rows.p[5].result, STR("f")));
    rules_free(&rs);
}

static void nesting_has_a_limit(void **state)
{
    buf b = buf_new(1 << 20);
    rules rs;
    (void)state;
    for (int i = 0; i < RULE_NESTING_MAX; i++)
        buf_append(&b, STR("if a\n"));
    for (int i = 0; i < RULE_NESTING_MAX; i++)
        buf_append(&b, STR("endif\n"));
    assert_false(is_fault(loaded(buf_c(&b), &rs)));
    rules_free(&rs);
    buf_clear(&b);
    for (int i = 0; i < RULE_NESTING_MAX + 1; i++)
        buf_append(&b, STR("if a\n"));
    fault f = loaded(buf_c(&b), &rs);
    assert_non_null(strstr(f.text, ":101: too many"));
    rules_free(&rs);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ifs_know_their_ends, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(nesting_has_a_limit, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
