#include "folder.h"
#include "db/table_type.h"

static void rows_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < table_type_count; i++) {
        const table_type *t = &table_types_known[i];
        assert_true(t->open && t->find && t->close);
        assert_ptr_equal(table_type_find(t->name), t);
        assert_true(t->build == NULL || (t->suffix && t->suffix[0] == '.' && t->list));
    }
    assert_null(table_type_find(STR("hashes")));
    assert_null(table_type_find(STR("")));
}

static void a_name_splits_at_its_first_colon(void **state)
{
    const table_type *type;
    table_context context = { .default_type = STR("lmdb") };
    str name;
    (void)state;
    assert_false(is_fault(table_spec_split(STR("static:a:b"), NULL, &type, &name)));
    assert_true(str_equal(type->name, STR("static")) && str_equal(name, STR("a:b")));
    assert_false(is_fault(table_spec_split(STR("/a:b"), &context, &type, &name)));
    assert_true(str_equal(type->name, STR("lmdb")) && str_equal(name, STR("/a:b")));
    fault f = table_spec_split(STR("nosuch:/a"), &context, &type, &name);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "cidr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_complete, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_name_splits_at_its_first_colon, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
