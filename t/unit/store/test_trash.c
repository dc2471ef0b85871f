#include "temp_store.h"
#include "store/internal.h"

static void a_deleted_folder_goes_bit_by_bit(void **state)
{
    temp t = temp_open();
    unsigned rounds = 0;
    (void)state;
    OK(store_create(t.s, STR("a")));
    for (unsigned i = 0; i < 20; i++)
        temp_append(&t, "a", "x\r\n", 0);
    OK(trash_move(t.s, ".a"));
    assert_int_equal(faccessat(t.dirfd, ".a", F_OK, 0), -1);
    assert_int_equal(temp_count(&t, "postrider", NULL), 3);
    while (trash_empty(t.s, 8))
        rounds++;
    assert_int_equal(rounds, 2);
    assert_int_equal(temp_count(&t, "postrider", NULL), 2);
    REFUSED(trash_move(t.s, ".a"));
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deleted_folder_goes_bit_by_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
