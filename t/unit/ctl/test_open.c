/* SOURCES:  NEEDS: ctl_common */
/* A configuration is opened by its folder, and nobody starts without his first three descriptors. */
#include "t/unit/ctl/invoke.h"
#include "ctl/common/open.h"

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static void a_folder_or_its_main_cf_is_named(void **state)
{
    arena a = arena_new(0);
    char path[120];
    (void)state;
    snprintf(path, sizeof path, "%s/main.cf", folder);
    assert_string_equal(config_directory(folder, &a), folder);
    assert_string_equal(config_directory(path, &a), folder);
    assert_string_equal(config_directory("/no/such/folder", &a), "/no/such/folder");
    arena_free(&a);
}

static void what_can_be_read_is_usable(void **state)
{
    parsed p;
    (void)state;
    assert_true(config_open(folder, false, &p));
    assert_true(config_is_usable(&p));
    assert_true(str_equal(p.base.config.myhostname, STR("mail.example.test")));
    parsed_free(&p);
    assert_false(config_open("/no/such/folder", false, &p));
    parsed_free(&p);
}

static void closed_descriptors_are_filled(void **state)
{
    bool had_input = true;
    int kept = dup(0), saved = dup(2);
    (void)state;
    assert_true(descriptors_complete(&had_input));
    assert_true(had_input);
    close(0);
    assert_true(descriptors_complete(&had_input));
    assert_false(had_input);
    assert_true(fcntl(0, F_GETFD) >= 0);
    dup2(kept, 0);
    dup2(saved, 2);
    close(kept);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_or_its_main_cf_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_can_be_read_is_usable, setup, teardown),
        cmocka_unit_test(closed_descriptors_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
