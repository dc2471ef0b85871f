/* Secrets compare by all their bytes and vanish when wiped. */
#include "base/secret.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static bool equal(str a, str b)
{
    return secret_equal((secret){ a }, (secret){ b });
}

static void comparison(void **state)
{
    (void)state;
    assert_true(equal(STR("secret"), STR("secret")));
    assert_false(equal(STR("secret"), STR("secreT")));
    assert_false(equal(STR("Secret"), STR("secret")));
    assert_false(equal(STR("secret"), STR("secretsecret")));
    assert_false(equal(STR("secretsecret"), STR("secret")));
    assert_false(equal(STR("a\0b"), STR("a\0c")));
}

static void nothing_equals_only_nothing(void **state)
{
    (void)state;
    assert_true(equal(STR_NONE, STR_NONE));
    assert_true(equal(STR(""), STR_NONE));
    assert_false(equal(STR("secret"), STR_NONE));
    assert_false(equal(STR_NONE, STR("secret")));
    assert_false(equal(STR("\0"), STR("")));
}

static void wiping(void **state)
{
    char password[] = "secret";
    static const char zeros[sizeof password];
    (void)state;
    secret_wipe(password, sizeof password);
    assert_memory_equal(password, zeros, sizeof password);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(comparison), cmocka_unit_test(nothing_equals_only_nothing),
                                        cmocka_unit_test(wiping) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
