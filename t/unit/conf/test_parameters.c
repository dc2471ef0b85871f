/* The rows are right in themselves, and each kind reads what it should. */
#include "conf/parameters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void every_plain_default_is_in_its_range(void **state)
{
    arena a = arena_new(0);
    config c = { 0 };

    (void)state;
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        const parameter *p = &parameter_rows[i];
        if (i == AT_myhostname || i == AT_mydomain || str_has(p->value, '$'))
            continue;
        fault f = parameter_read(p, p->value, &a, &c);
        if (is_fault(f))
            fail_msg("%.*s: %s", STR_ARG(p->name), f.text);
        assert_true(p->help[0] && p->help[strlen(p->help) - 1] == '.');
    }
    assert_int_equal(c.smtpd_timeout, 300);
    assert_int_equal(c.maximal_queue_lifetime, 5 * 86400);
    assert_int_equal(c.imap_timeout, 1800);
    assert_true(c.login_tls_required);
    assert_false(c.soft_bounce);
    assert_string_equal(c.queue_directory.p, "/var/spool/postrider");
    arena_free(&a);
}

static void names_are_found_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        assert_ptr_equal(parameter_find(parameter_rows[i].name), &parameter_rows[i]);
    assert_null(parameter_find(STR("")));
    assert_null(parameter_find(STR("mynetwork")));
}

static void groups_begin_where_the_table_says(void **state)
{
    (void)state;
    assert_string_equal(parameter_group(AT_config_directory), "Places");
    assert_null(parameter_group(AT_queue_directory));
    assert_string_equal(parameter_group(AT_mynetworks), "Networks");
    assert_null(parameter_group(AT_log_verbose));
}

typedef struct row {
    parameter_index at;
    str value;
    bool is_right;
    uint64_t number;
} row;

static const row rows[] = {
    { AT_smtpd_timeout, STR_ROW("1"), true, 1 },
    { AT_smtpd_timeout, STR_ROW("2m"), true, 120 },
    { AT_smtpd_timeout, STR_ROW("1d"), true, 86400 },
    { AT_smtpd_timeout, STR_ROW("0"), false, 0 },
    { AT_smtpd_timeout, STR_ROW("86401s"), false, 0 },
    { AT_smtpd_timeout, STR_ROW(""), false, 0 },
    { AT_smtpd_timeout, STR_ROW("-1"), false, 0 },
    { AT_smtpd_timeout, STR_ROW("1 s"), false, 0 },
    { AT_bounce_queue_lifetime, STR_ROW("3"), true, 3 * 86400 },
    { AT_bounce_queue_lifetime, STR_ROW("3h"), true, 3 * 3600 },
    { AT_delay_warning_time, STR_ROW("4"), true, 4 * 3600 },
    { AT_delay_warning_time, STR_ROW("4s"), true, 4 },
    { AT_message_size_limit, STR_ROW("0"), true, 0 },
    { AT_message_size_limit, STR_ROW("10m"), true, 10 << 20 },
    { AT_message_size_limit, STR_ROW("1024g"), true, UINT64_C(1) << 40 },
    { AT_message_size_limit, STR_ROW("1025g"), false, 0 },
    { AT_message_size_limit, STR_ROW("99999999999999999999"), false, 0 },
    { AT_hopcount_limit, STR_ROW("1000"), true, 1000 },
    { AT_hopcount_limit, STR_ROW("1001"), false, 0 },
    { AT_hopcount_limit, STR_ROW("0x10"), false, 0 },
};

static void numbers_keep_their_range(void **state)
{
    arena a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config c = { 0 };
        fault f = parameter_read(&parameter_rows[rows[i].at], rows[i].value, &a, &c);
        assert_int_equal(!is_fault(f), rows[i].is_right);
        assert_int_equal(config_number(&c, rows[i].at), rows[i].number);
    }
    arena_free(&a);
}

static bool read_one(parameter_index at, str value, arena *a, config *c)
{
    return !is_fault(parameter_read(&parameter_rows[at], value, a, c));
}

static void flags_choices_and_texts(void **state)
{
    arena a = arena_new(0);
    config c = { 0 };

    (void)state;
    assert_true(read_one(AT_soft_bounce, STR("Yes"), &a, &c) && c.soft_bounce);
    assert_true(read_one(AT_soft_bounce, STR("no"), &a, &c) && !c.soft_bounce);
    assert_false(read_one(AT_soft_bounce, STR("1"), &a, &c));
    assert_true(read_one(AT_log_format, STR("json"), &a, &c) && c.log_format == LOG_FORMAT_JSON);
    assert_true(read_one(AT_smtpd_forbid_bare_newline, STR("no"), &a, &c));
    assert_int_equal(c.smtpd_forbid_bare_newline, BARE_NEWLINE_ALLOW);
    assert_false(read_one(AT_log_format, STR("may"), &a, &c)); /* another parameter's word */
    assert_true(read_one(AT_recipient_delimiter, STR("+-"), &a, &c));
    assert_string_equal(c.recipient_delimiter.p, "+-");
    assert_true(str_equal(config_text(&c, AT_recipient_delimiter), STR("+-")));
    assert_false(read_one(AT_myhostname, STR(""), &a, &c));
    assert_false(read_one(AT_myhostname, STR("a\nb"), &a, &c));
    assert_false(read_one(AT_mail_name, STR("a\0b"), &a, &c));
    arena_free(&a);
}

static void the_fault_says_what_is_allowed(void **state)
{
    arena a = arena_new(0);
    config c;

    (void)state;
    assert_string_equal(parameter_read(&parameter_rows[AT_imap_timeout], STR("1s"), &a, &c).text,
                        "\"1s\" is not a time from 1m to 1w");
    assert_string_equal(parameter_read(&parameter_rows[AT_log_format], STR("x"), &a, &c).text,
                        "\"x\" is not one of text, json, syslog");
    assert_string_equal(parameter_read(&parameter_rows[AT_session_memory_limit], STR("1"), &a, &c).text,
                        "\"1\" is not a size from 64k to 1g");
    arena_free(&a);
}

static void the_nearest_name_is_found(void **state)
{
    str name;

    (void)state;
    assert_true(parameter_nearest(STR("mynetwork"), &name));
    assert_true(str_equal(name, STR("mynetworks")));
    assert_true(parameter_nearest(STR("smtpd_tls_certfile"), &name));
    assert_true(str_equal(name, STR("smtpd_tls_cert_file")));
    assert_false(parameter_nearest(STR("compatibility_level"), &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plain_default_is_in_its_range),
        cmocka_unit_test(names_are_found_once),
        cmocka_unit_test(groups_begin_where_the_table_says),
        cmocka_unit_test(numbers_keep_their_range),
        cmocka_unit_test(flags_choices_and_texts),
        cmocka_unit_test(the_fault_says_what_is_allowed),
        cmocka_unit_test(the_nearest_name_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
