/* SOURCES: auth/worker/verify.c  NEEDS: base outside_crypt */
#include "auth/worker/verify.h"
#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static verdict try(str password, const char *scheme, const char *digest)
{
    char stored[600];
    snprintf(stored, sizeof stored, "%s%s", scheme, digest);
    return password_verify((secret){ password }, (secret){ str_c(stored) });
}

static void made_with(const char *prefix, unsigned long cost, const char *scheme)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data work = { 0 };
    assert_non_null(crypt_gensalt_rn(prefix, cost, NULL, 0, setting, sizeof setting));
    const char *digest = crypt_r("secret", setting, &work);
    assert_non_null(digest);
    assert_int_equal(try(STR("secret"), scheme, digest), PASSWORD_RIGHT);
    assert_int_equal(try(STR("Secret"), scheme, digest), PASSWORD_WRONG);
    assert_int_equal(try(STR("secre"), scheme, digest), PASSWORD_WRONG);
    assert_int_equal(try(STR("secret "), scheme, digest), PASSWORD_WRONG);
    assert_int_equal(try(STR(""), scheme, digest), PASSWORD_WRONG);
    assert_int_equal(try(STR("secret\0x"), scheme, digest), PASSWORD_WRONG); /* crypt would take it for "secret" */
}

static void each_scheme_knows_its_password(void **state)
{
    (void)state;
    made_with("$y$", 1, "{CRYPT}");
    made_with("$y$", 1, "{yescrypt}");
    made_with("$6$", 1000, "{SHA512-CRYPT}");
    made_with("$6$", 1000, "{SHA512}");
    made_with("$5$", 1000, "{SHA256-CRYPT}");
    made_with("$6$", 1000, "");
}

static void plain_is_compared_whole(void **state)
{
    (void)state;
    assert_int_equal(try(STR("secret"), "{PLAIN}", "secret"), PASSWORD_RIGHT);
    assert_int_equal(try(STR("secret"), "{plain}", "secret"), PASSWORD_RIGHT);
    assert_int_equal(try(STR("secre"), "{PLAIN}", "secret"), PASSWORD_WRONG);
    assert_int_equal(try(STR("secretsecret"), "{PLAIN}", "secret"), PASSWORD_WRONG);
    assert_int_equal(try(STR(""), "{PLAIN}", "secret"), PASSWORD_WRONG);
    assert_int_equal(try(STR("a}b"), "{PLAIN}", "a}b"), PASSWORD_RIGHT);
}

static void what_is_no_hash_fits_nothing(void **state)
{
    static const char *const stored[] = { "",         "{PLAIN}",   "{CRYPT}",        "{CRYPT}!",    "{CRYPT}*0",
                                          "{MD5}abc", "{CRYPT",    "{}x",            "secret",      "{SSHA}secret",
                                          "{CRYPT}$", "{CRYPT}$6", "{CRYPT}$zz$", "!" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stored); i++) {
        if (try(STR("secret"), "", stored[i]) != PASSWORD_UNUSABLE)
            fail_msg("%s", stored[i]);
        assert_int_not_equal(try(STR(""), "", stored[i]), PASSWORD_RIGHT);
    }
}

static void no_length_overruns(void **state)
{
    static char bytes[70000];
    (void)state;
    memset(bytes, 'a', sizeof bytes);
    for (size_t n = 500; n < 520; n++)
        assert_int_not_equal(password_verify((secret){ { bytes, n } }, (secret){ STR("$6$rounds=1000$s$x") }),
                             PASSWORD_RIGHT);
    assert_int_not_equal(password_verify((secret){ { bytes, sizeof bytes } }, (secret){ { bytes, sizeof bytes } }),
                         PASSWORD_RIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_knows_its_password),
        cmocka_unit_test(plain_is_compared_whole),
        cmocka_unit_test(what_is_no_hash_fits_nothing),
        cmocka_unit_test(no_length_overruns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
