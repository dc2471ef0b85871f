/* What parameters mean when they refer to each other, and when the host's name fills in. */
#include "conf/scope.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const str dir = STR_ROW("/etc/postrider");

typedef struct row {
    const char *host, *main_cf, *name, *domain;
} row;

static const row rows[] = {
    { "mail.example.com", "", "mail.example.com", "example.com" },
    { "mail", "", "mail.localdomain", "localdomain" },
    { "", "", "localhost.localdomain", "localdomain" },
    { "mail", "mydomain = example.org", "mail.example.org", "example.org" },
    { "mail.example.com", "mydomain = example.org", "mail.example.com", "example.org" },
    { "box", "myhostname = mx.example.net", "mx.example.net", "example.net" },
    { "box", "myhostname = mx", "mx", "localdomain" },
    { "box", "myhostname = mx.$mydomain\nmydomain = example.net", "mx.example.net", "example.net" },
    { "box.example.com", "myhostname = mx.$mydomain", "mx.example.com", "example.com" },
    { "box.example.com", "mydomain = sub.$myhostname", "box.example.com", "sub.box.example.com" },
};

static void host_and_domain_follow_from_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        parsed p;
        config_parse(dir, str_c(rows[i].host), str_c(rows[i].main_cf), STR_NONE, &p);
        assert_string_equal(p.base.config.myhostname.p, rows[i].name);
        assert_string_equal(p.base.config.mydomain.p, rows[i].domain);
        parsed_free(&p);
    }
}

static void a_service_sees_its_overrides_in_other_values(void **state)
{
    parsed p;

    (void)state;
    config_parse(dir, STR("h.example.com"), STR("own = 20s\nsmtpd_timeout = $own\n"),
                 STR("smtp inet n - n - - smtpd\n25 inet n - n - - smtpd -o myhostname=other.example -o own=30"), &p);
    assert_string_equal(p.of_services[0].config.smtpd_banner.p, "h.example.com ESMTP");
    assert_string_equal(p.of_services[1].config.smtpd_banner.p, "other.example ESMTP");
    assert_int_equal(p.base.config.smtpd_timeout, 20);
    assert_int_equal(p.of_services[0].config.smtpd_timeout, 20);
    assert_int_equal(p.of_services[1].config.smtpd_timeout, 30);
    parsed_free(&p);
}

/* Each doubles the one before: the text may not grow without end, and time may not either when it stays empty. */
static void values_that_double_end(void **state)
{
    for (int is_empty = 0; is_empty < 2; is_empty++) {
        parsed p;
        buf text = buf_new(10000);

        (void)state;
        buf_printf(&text, "a0 = %s\n", is_empty ? "" : "x");
        for (int i = 1; i < 45; i++)
            buf_printf(&text, "a%d = $a%d$a%d\n", i, i - 1, i - 1);
        buf_printf(&text, "smtpd_banner = $a44 x\n");
        config_parse(dir, STR("h.example.com"), buf_str(&text), STR_NONE, &p);
        assert_int_equal(p.problems.error_count, is_empty ? 0 : 1);
        buf_free(&text);
        parsed_free(&p);
    }
}

static void references_to_itself_are_told_once(void **state)
{
    parsed p;
    arena a = arena_new(0);

    (void)state;
    config_parse(dir, STR("h.example.com"), STR("a = $b\nb = $a\nsmtpd_banner = $a $b\nmail_name = $mail_name x"),
                 STR_NONE, &p);
    assert_int_equal(p.problems.error_count, 2);
    assert_non_null(strstr(problems_text(&p.problems, &a).p, "main.cf:2: error: b: $a refers to itself\n"));
    assert_non_null(
        strstr(problems_text(&p.problems, &a).p, "main.cf:4: error: mail_name: $mail_name refers to itself\n"));
    arena_free(&a);
    parsed_free(&p);
}

static void raw_texts_keep_their_dollars(void **state)
{
    parsed p;

    (void)state;
    config_parse(dir, STR("h.example.com"), STR("smtpd_reject_footer = \\c $client_address ${x"), STR_NONE, &p);
    assert_int_equal(p.problems.error_count, 0);
    assert_string_equal(p.base.config.smtpd_reject_footer.p, "\\c $client_address ${x");
    parsed_free(&p);
}

static void defaults_follow_the_folder_and_the_certificate(void **state)
{
    parsed p;

    (void)state;
    config_parse(STR("/srv/x/"), STR("h.example.com"), STR("smtpd_tls_cert_file = /c.pem"), STR_NONE, &p);
    assert_string_equal(p.base.config.config_directory.p, "/srv/x");
    assert_string_equal(p.base.config.user_file.p, "/srv/x/users");
    assert_int_equal(p.base.config.smtpd_tls_security_level, TLS_LEVEL_MAY);
    assert_string_equal(p.base.config.tls_key_file.p, "/c.pem");
    parsed_free(&p);
    config_parse(STR("/srv/x"), STR("h.example.com"), STR(""), STR_NONE, &p);
    assert_int_equal(p.base.config.smtpd_tls_security_level, TLS_LEVEL_NONE);
    assert_string_equal(p.base.config.tls_key_file.p, "");
    parsed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_domain_follow_from_each_other),
        cmocka_unit_test(a_service_sees_its_overrides_in_other_values),
        cmocka_unit_test(values_that_double_end),
        cmocka_unit_test(references_to_itself_are_told_once),
        cmocka_unit_test(raw_texts_keep_their_dollars),
        cmocka_unit_test(defaults_follow_the_folder_and_the_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
