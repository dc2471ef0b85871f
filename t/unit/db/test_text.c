#include "folder.h"

static void texthash_has_lines(void **state)
{
    table_answer a;
    (void)state;
    file_put("x", STR("# c\na b\n\nC@D  e f\n g\n"));
    table *t = opened(spec_of("texthash", "x"), NULL);
    assert_int_equal(table_find(t, STR("c@d"), &mem, &a), TABLE_FOUND);
    assert_int_equal(a.line, 4);
    finds(t, "c@d", "e f g");
    finds(t, "d", NULL);
    table_close(t);
}

static void texthash_reads_aliases(void **state)
{
    table_context context = { .is_alias = true };
    (void)state;
    file_put("x", STR("root: admin, \"b c\"\n"));
    table *t = opened(spec_of("texthash", "x"), &context);
    finds(t, "root", "admin, \"b c\"");
    table_close(t);
}

static void inline_has_pairs(void **state)
{
    (void)state;
    table *t = opened(STR("inline:{ a=b, { c = d e, f } g=h}"), NULL);
    finds(t, "a", "b");
    finds(t, "c", "d e, f");
    finds(t, "g", "h");
    finds(t, "h", NULL);
    table_close(t);
}

static void static_answers_everything(void **state)
{
    (void)state;
    table *t = opened(STR("static:OK"), NULL);
    finds(t, "anything", "OK");
    table_close(t);
    t = opened(STR("static:{ 550 no mail }"), NULL);
    finds(t, "anything", "550 no mail");
    assert_int_equal(table_list(t, NULL, NULL).kind, FAULT_REFUSED);
    table_close(t);
}

static void a_fifo_does_not_block(void **state)
{
    table *t;
    (void)state;
    assert_int_equal(mkfifo(path_of("x"), 0600), 0);
    assert_int_equal(table_open(spec_of("texthash", "x"), NULL, &t).kind, FAULT_TRY_LATER);
    table_close(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texthash_has_lines),        TEST(texthash_reads_aliases), TEST(inline_has_pairs),
        TEST(static_answers_everything), TEST(a_fifo_does_not_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
