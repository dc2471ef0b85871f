/* SOURCES: auth/hash.c auth/worker/verify.c  NEEDS: db outside_crypt */
#include "auth/hash.h"
#include "auth/worker/verify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SHA512 "$6$rounds=1000$saltsalt$"
#define SHA512_SECRET                                                                                                  \
    SHA512 "RkPMfCSLMhRCtKBROqFbvTvW7xO7PVQ7VXc9gVX0PkHXrCBZTkX6kT1xB.T0AiZ6DlVC3xWwYkCnfLVzOhJIv."

static void costs_are_scheme_and_parameters(void **state)
{
    static const struct { str stored, cost; } rows[] = {
        { STR_ROW("{CRYPT}$y$j9T$salt$hash"), STR_ROW("{CRYPT}$y$j9T") },
        { STR_ROW("{SHA512-CRYPT}$6$salt$hash"), STR_ROW("{SHA512-CRYPT}$6") },
        { STR_ROW("{CRYPT}$6$rounds=1000$salt$hash"), STR_ROW("{CRYPT}$6$rounds=1000") },
        { STR_ROW("{BLF-CRYPT}$2b$10$saltandhash"), STR_ROW("{BLF-CRYPT}$2b$10") },
        { STR_ROW("{PLAIN}secret"), STR_ROW("{PLAIN}") },
        { STR_ROW("{PLAIN}"), STR_ROW("{PLAIN}") },
        { STR_ROW(""), STR_ROW("") },
        { STR_ROW("{broken"), STR_ROW("") },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(str_equal(hash_cost(rows[i].stored), rows[i].cost));
}

static void locked_and_empty_are_not_set(void **state)
{
    (void)state;
    assert_true(hash_is_set(STR("{PLAIN}x")));
    assert_true(hash_is_set(STR("$6$x$y")));
    assert_false(hash_is_set(STR("")));
    assert_false(hash_is_set(STR("{PLAIN}")));
    assert_false(hash_is_set(STR("!")));
    assert_false(hash_is_set(STR("*")));
    assert_false(hash_is_set(STR("{CRYPT}!$6$x$y")));
}

static void dummy_is(const char *file, const char *want)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    users us;
    buf out = buf_new(1024);
    users_read(STR("users"), str_c(file), &us, &ps);
    hash_dummy(&us, &out);
    assert_true(str_starts(buf_str(&out), str_c(want)));
    assert_int_equal(password_verify((secret){ STR("secret") }, (secret){ buf_str(&out) }), PASSWORD_WRONG);
    buf_free(&out);
    users_free(&us);
    problems_free(&ps);
    arena_free(&a);
}

static void a_dummy_is_like_most_users(void **state)
{
    (void)state;
    dummy_is("", "{CRYPT}$y$j9T$");
    dummy_is("a:{PLAIN}secret:1:1:/:\n", "{PLAIN}nobody");
    dummy_is("a:{PLAIN}secret:1:1:/:\n"
             "b:{CRYPT}" SHA512_SECRET ":1:1:/:\n"
             "c:{CRYPT}" SHA512_SECRET ":1:1:/:\n"
             "d:!:1:1:/:\ne:!:1:1:/:\nf:!:1:1:/:\n",
             "{CRYPT}" SHA512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_scheme_and_parameters),
        cmocka_unit_test(locked_and_empty_are_not_set),
        cmocka_unit_test(a_dummy_is_like_most_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
