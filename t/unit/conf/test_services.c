/* Rows of master.cf; each whole and truncated at every byte. */
#include "conf/services.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    const char *text;
    const char *want; /* key role host:port wakeup process_max name=value@line…; NULL: an error */
    unsigned wrong_line;
} row;

static const row rows[] = {
    { "", "", 0 },
    { "smtp inet n - y - - smtpd", "smtp/inet smtpd :25 0 0;", 0 },
    { "smtp inet n - y - - smtpd\n# x\n  -o a=b\n\n  -o { c = d e }\n", "smtp/inet smtpd :25 0 0 a=b@3 c=d e@5;", 0 },
    { "587 inet n - - - 5 smtpd -v -oa=b", "587/inet smtpd :587 0 5 log_verbose=yes@1 a=b@1;", 0 },
    { "127.0.0.1:smtp inet - - - - 0 smtpd", "127.0.0.1:smtp/inet smtpd 127.0.0.1:25 0 max;", 0 },
    { "[::1]:imaps inet n - - - - login -o x={a b} c", NULL, 1 },
    { "[::1]:imaps inet n - - - - login -o { x = {a b} c }", "[::1]:imaps/inet login ::1:993 0 0 x={a b} c@1;", 0 },
    { "mail.example:25 inet n n n - - smtpd", "mail.example:25/inet smtpd mail.example:25 0 0;", 0 },
    { "qmgr unix n - n 300? 1 qmgr", "qmgr/unix qmgr :0 300? 1;", 0 },
    { "qmgr unix n - n 300 1 qmgr", "qmgr/unix qmgr :0 300 1;", 0 },
    { "smtp inet n - y - - smtpd\nsmtp unix y - - - - cleanup", "smtp/inet smtpd :25 0 0;smtp/unix cleanup :0 0 0;",
      0 },
    { "  smtp inet n - y - - smtpd", NULL, 1 },
    { "smtp inet n - y - -", NULL, 1 },
    { "smtp inet y - y - - smtpd", NULL, 1 },
    { "smtp fifo n - y - - smtpd", NULL, 1 },
    { "smtp inet n x y - - smtpd", NULL, 1 },
    { "smtp inet n - y -1 - smtpd", NULL, 1 },
    { "smtp inet n - y ? - smtpd", NULL, 1 },
    { "smtp inet n - y - many smtpd", NULL, 1 },
    { "smtp inet n - y - - sh", NULL, 1 },
    { "smtp inet n - y - - qmgr", NULL, 1 },
    { "lmtp unix n - y - - smtpd -o smtpd_protocol=lmtp", "lmtp/unix smtpd :0 0 0 smtpd_protocol=lmtp@1;", 0 },
    { "/var/spool/postfix/private/store unix n - y - - smtpd", "/var/spool/postfix/private/store/unix smtpd :0 0 0;", 0 },
    { "lmtp unix y - y - - smtpd", NULL, 1 },
    { "lmtp unix - - y - - smtpd", NULL, 1 },
    { "lmtp unix n - y - - login", NULL, 1 },
    { "/x unix n - y - - qmgr", NULL, 1 },
    { "/ unix n - y - - smtpd", NULL, 1 },
    { "/a\177b unix n - y - - smtpd", NULL, 1 },
    { "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa unix n - - - - "
      "smtpd",
      NULL, 1 },
    { "nowhere inet n - y - - smtpd", NULL, 1 },
    { "0 inet n - y - - smtpd", NULL, 1 },
    { "65536 inet n - y - - smtpd", NULL, 1 },
    { "::1:25 inet n - y - - smtpd", NULL, 1 },
    { "[::1:25 inet n - y - - smtpd", NULL, 1 },
    { "[x]:25 inet n - y - - smtpd", NULL, 1 },
    { ":25 inet n - y - - smtpd", NULL, 1 },
    { "../x unix n - y - - qmgr", NULL, 1 },
    { ".x unix n - y - - qmgr", NULL, 1 },
    { "smtp inet n - y - - smtpd -x", NULL, 1 },
    { "smtp inet n - y - - smtpd -o", NULL, 1 },
    { "smtp inet n - y - - smtpd\n -o a", NULL, 2 },
    { "smtp inet n - y - - smtpd\n -o { a = b", NULL, 2 },
    { "smtp inet n - y - - smtpd -o {a=b}c=d", NULL, 1 },
    { "smtp inet n - y - - smtpd\nsmtp inet n - y - - smtpd", NULL, 2 },
};

static void text_of(const services *all, buf *out)
{
    for (size_t i = 0; i < all->rows.n; i++) {
        const service *s = &all->rows.p[i];
        buf_printf(out, "%.*s %s %.*s:%u %llu%s ", STR_ARG(s->key), role_name(s->role), STR_ARG(s->host), s->port,
                   (unsigned long long)s->wakeup_s, s->wakeup_when_used ? "?" : "");
        if (s->process_max == PROCESS_UNLIMITED)
            buf_append(out, STR("max"));
        else
            buf_printf(out, "%llu", (unsigned long long)s->process_max);
        for (size_t j = 0; j < s->override_count; j++)
            buf_printf(out, " %.*s=%.*s@%u", STR_ARG(s->overrides[j].name), STR_ARG(s->overrides[j].value),
                       s->overrides[j].line);
        buf_append_char(out, ';');
    }
}

static void read_row(const row *r)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    services all;
    buf got = buf_new(1000);

    services_read(STR("master.cf"), str_c(r->text), &a, &all, &ps);
    text_of(&all, &got);
    if ((ps.error_count == 0) != (r->want != NULL))
        fail_msg("%s: %s", r->text, problems_text(&ps, &a).p);
    if (r->want)
        assert_string_equal(buf_c(&got), r->want);
    else
        assert_int_equal(ps.rows.p[0].line, r->wrong_line);
    buf_free(&got);
    services_free(&all);
    problems_free(&ps);
    arena_free(&a);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        read_row(&rows[i]);
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].text); n++) {
            arena a = arena_new(0);
            problems ps = { .arena = &a };
            services all;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].text, n);
            services_read(STR("master.cf"), (str){ copy, n }, &a, &all, &ps);
            free(copy);
            services_free(&all);
            problems_free(&ps);
            arena_free(&a);
        }
}

static void roles_are_found_by_name(void **state)
{
    service_role r;

    (void)state;
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        assert_true(role_find(str_c(role_name((service_role)i)), &r));
        assert_int_equal(r, i);
    }
    assert_false(role_find(STR("master"), &r));
    assert_true(role_is_inet(ROLE_LOGIN));
    assert_false(role_is_inet(ROLE_AUTH));
    assert_true(service_listens(&(service){ .type = SERVICE_UNIX, .role = ROLE_SMTPD }));
    assert_true(service_listens(&(service){ .type = SERVICE_INET, .role = ROLE_LOGIN }));
    assert_false(service_listens(&(service){ .type = SERVICE_UNIX, .role = ROLE_QMGR }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(roles_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
