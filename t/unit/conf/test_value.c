/* Parameters as words of a text. */
#include "conf/value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void each_kind_has_its_form(void **state)
{
    static const struct {
        str name;
        const char *want; /* NULL: there is none */
    } rows[] = {
        { STR_ROW("myhostname"), "mx.example" },
        { STR_ROW("2bounce_notice_recipient"), "second" },
        { STR_ROW("hopcount_limit"), "50" },
        { STR_ROW("bounce_size_limit"), "50000" },
        { STR_ROW("soft_bounce"), "yes" },
        { STR_ROW("log_verbose"), "no" },
        { STR_ROW("inet_protocols"), "ipv6" },
        { STR_ROW("delay_warning_time"), "4h" },
        { STR_ROW("delay_warning_time_seconds"), "14400" },
        { STR_ROW("delay_warning_time_minutes"), "240" },
        { STR_ROW("delay_warning_time_hours"), "4" },
        { STR_ROW("delay_warning_time_days"), "0" },
        { STR_ROW("maximal_queue_lifetime"), "1w" },
        { STR_ROW("maximal_queue_lifetime_weeks"), "1" },
        { STR_ROW("maximal_queue_lifetime_days"), "7" },
        { STR_ROW("drain_timeout"), "0s" },
        { STR_ROW("minimal_backoff_time"), "90s" },
        { STR_ROW("myhostname_hours"), NULL },
        { STR_ROW("hopcount_limit_days"), NULL },
        { STR_ROW("_days"), NULL },
        { STR_ROW(""), NULL },
        { STR_ROW("no_such"), NULL },
    };
    const config c = { .myhostname = STR("mx.example"),
                       .second_bounce_notice_recipient = STR("second"),
                       .hopcount_limit = 50,
                       .bounce_size_limit = 50000,
                       .soft_bounce = true,
                       .inet_protocols = IP_V6,
                       .delay_warning_time = 14400,
                       .maximal_queue_lifetime = 604800,
                       .minimal_backoff_time = 90 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(100);
        assert_int_equal(config_value_append(&c, rows[i].name, &out), rows[i].want != NULL);
        assert_string_equal(buf_c(&out), rows[i].want ? rows[i].want : "");
        buf_free(&out);
    }
}

static void what_does_not_fit_is_told(void **state)
{
    const config c = { .myhostname = STR("mx.example") };
    buf out = buf_new(3);
    (void)state;
    assert_false(config_value_append(&c, STR("myhostname"), &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_kind_has_its_form),
                                        cmocka_unit_test(what_does_not_fit_is_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
