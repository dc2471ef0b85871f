/* SOURCES: local/extension.c  NEEDS: daemon */
#include "local/local.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    const char *recipient, *user, *delimiters, *extension;
} rows[] = {
    { "jo+lists@x.example", "jo", "+", "+lists" },
    { "JO+Lists@x.example", "jo", "+", "+Lists" },
    { "jo-lists@x.example", "jo", "+-", "-lists" },
    { "jo-lists@x.example", "jo", "+", "" },
    { "jo+a+b@x.example", "jo", "+", "+a+b" },
    { "jo+lists@x.example", "jo@x.example", "+", "+lists" },
    { "jo@x.example", "jo", "+", "" },
    { "jo+@x.example", "jo", "+", "" },
    { "joe+a@x.example", "jo", "+", "" },
    { "info+a@x.example", "jo", "+", "" },
    { "jo+lists@x.example", "jo", "", "" },
    { "jo+lists", "jo", "+", "+lists" },
    { "", "jo", "+", "" },
};

static void is_what_follows_the_users_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str got = recipient_extension(str_c(rows[i].recipient), str_c(rows[i].user), str_c(rows[i].delimiters));
        if (!str_equal(got, str_c(rows[i].extension)))
            fail_msg("%s gives %.*s", rows[i].recipient, STR_ARG(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_what_follows_the_users_name) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
