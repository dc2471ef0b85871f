/* SOURCES: pipe/worker/environment.c  NEEDS: ipc */
#include "pipe/worker/environment.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static char **made;

static const char *value(const char *name)
{
    size_t n = strlen(name);
    for (char **v = made; *v; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    fail_msg("%s is not there", name);
    return "";
}

static void values_of_strangers_are_filtered(void **state)
{
    arena a = arena_new(0);
    program_rules rules = { .account = STR("joe"), .shell = STR("/bin/dash"), .delimiters = STR("+"),
                            .filter = STR("abcdefghijklmnopqrstuvwxyz0123456789@.+-:") };
    deliver_request m = { .reverse_path = STR("`x`\n$(y)@b.example"), .recipient = STR("joe+a;b@c.example"),
                          .original = { "o\0;x", 4 }, .client_name = STR("h.example"), .client_address = STR("::1"),
                          .helo = STR("| sh"), .protocol = STR("esmtp"), .login = STR("l") };
    (void)state;
    made = environment_make(&m, &rules, STR("/home/joe"), &a);
    assert_string_equal(value("HOME"), "/home/joe");
    assert_string_equal(value("USER"), "joe");
    assert_string_equal(value("LOGNAME"), "joe");
    assert_string_equal(value("SHELL"), "/bin/dash");
    assert_string_equal(value("SENDER"), "_x____y_@b.example");
    assert_string_equal(value("RECIPIENT"), "joe+a_b@c.example");
    assert_string_equal(value("LOCAL"), "joe+a_b");
    assert_string_equal(value("EXTENSION"), "a_b");
    assert_string_equal(value("DOMAIN"), "c.example");
    assert_string_equal(value("ORIGINAL_RECIPIENT"), "o");
    assert_string_equal(value("CLIENT_HELO"), "__sh");
    assert_string_equal(value("CLIENT_ADDRESS"), "::1");
    assert_string_equal(value("SASL_USERNAME"), "l");
    arena_free(&a);
}

static void what_is_not_known_is_empty(void **state)
{
    arena a = arena_new(0);
    program_rules rules = { .filter = STR("a") };
    deliver_request m = { .recipient = STR("aa") };
    size_t n = 0;
    (void)state;
    made = environment_make(&m, &rules, STR("/"), &a);
    assert_string_equal(value("SENDER"), "");
    assert_string_equal(value("EXTENSION"), "");
    assert_string_equal(value("DOMAIN"), "");
    while (made[n])
        n++;
    assert_int_equal(n, 16);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values_of_strangers_are_filtered),
                                        cmocka_unit_test(what_is_not_known_is_empty) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
