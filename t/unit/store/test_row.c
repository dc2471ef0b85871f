#include "temp_store.h"
#include "store/row.h"

static fault rows(MDB_txn *t, void *context)
{
    key k;
    str v;
    uint64_t number;
    (void)context;
    static const uint64_t numbers[] = { 0x10000, 1, 0xff, 0x100 };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(row_put(t, key_make(&k, KIND_NAME, 7, numbers[i], 4), "x", 1), 0);
    assert_int_equal(row_put(t, key_make(&k, KIND_NAME, 8, 0, 4), "other", 5), 0);
    assert_true(row_get(t, key_make(&k, KIND_NAME, 8, 0, 4), &v));
    assert_true(str_equal(v, STR("other")));
    MDB_val *at = key_make(&k, KIND_NAME, 7, 2, 4); /* sorted by number, not by bytes of the machine */
    assert_true(row_get_from(t, at, &v));
    assert_true(key_is(at, KIND_NAME, 7, 4, &number));
    assert_int_equal(number, 0xff);
    at = key_make(&k, KIND_NAME, 7, 0x10001, 4);
    assert_true(row_get_from(t, at, &v));
    assert_false(key_is(at, KIND_NAME, 7, 4, &number)); /* the next mailbox's */
    assert_int_equal(row_delete(t, key_make(&k, KIND_NAME, 8, 0, 4)), 0);
    assert_int_equal(row_delete(t, key_make(&k, KIND_NAME, 8, 0, 4)), 0);
    assert_false(row_get(t, key_make(&k, KIND_NAME, 8, 0, 4), &v));
    return NO_FAULT;
}

static void keys_sort_by_number(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd };
    (void)state;
    OK(env_write(&e, rows, NULL));
    env_close(&e);
    temp_close(&t);
}

static void ranges_are_read_back(void **state)
{
    uid_range ranges[2] = { { 1, 5 }, { 9, 9 } };
    uid_set s = { 0 };
    (void)state;
    row_ranges((str){ (char *)ranges, sizeof ranges }, &s);
    assert_int_equal(uid_set_count(&s), 6);
    row_ranges((str){ (char *)ranges, sizeof ranges - 1 }, &s); /* cut off: what is whole counts */
    assert_int_equal(uid_set_count(&s), 5);
    uid_set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_by_number),
        cmocka_unit_test(ranges_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
