/* Which address is the one that mail for postmasters comes from. */
#include "conf/double_bounce.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void addresses(void **state)
{
    static const struct {
        const char *address;
        bool is_ours;
    } rows[] = {
        { "double-bounce@mx.example", true },
        { "Double-Bounce@MX.example", true },
        { "double-bounce", false },
        { "double-bounce@b.example", false },
        { "x@mx.example", false },
        { "", false },
        { "double-bounce@mx.example.b", false },
        { "a@double-bounce@mx.example", false },
    };
    config c = { .double_bounce_sender = STR("double-bounce"), .myorigin = STR("mx.example") };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(is_double_bounce(&c, str_c(rows[i].address)), rows[i].is_ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
