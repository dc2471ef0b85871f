/* Folders as they are on disk: the samples as shipped, empty files, missing files. */
#include "conf/config.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void the_samples_as_shipped_are_right(void **state)
{
    parsed p;
    arena a = arena_new(0);

    (void)state;
    if (!config_load(SOURCE_DIR "/conf", &p) || p.problems.warning_count)
        fail_msg("%s", problems_text(&p.problems, &a).p);
    assert_string_equal(p.directory.p, SOURCE_DIR "/conf");
    assert_string_equal(p.services.rows.p[0].key.p, "smtp/inet");
    assert_int_equal(p.main.rows.n, 0);
    parsed_free(&p);
    arena_free(&a);
}

/* The rows that wait for a certificate, without their number signs. */
static void the_samples_are_right_with_a_certificate(void **state)
{
    parsed p;
    buf text = buf_new(CONFIG_FILE_MAX), all = buf_new(CONFIG_FILE_MAX);
    arena a = arena_new(0);

    (void)state;
    assert_false(is_fault(file_read(AT_FDCWD, SOURCE_DIR "/conf/master.cf", &text)));
    str rest = buf_str(&text), line;
    while (str_cut(&rest, '\n', &line)) {
        bool is_row = line.n > 1 && line.p[0] == '#' && (line.p[1] != ' ' || line.p[2] == ' ');
        buf_printf(&all, "%.*s\n", STR_ARG(str_from(line, is_row)));
    }
    if (!config_parse(STR("/e"), STR("h.example.com"), STR("smtpd_tls_cert_file = /c.pem"), buf_str(&all), &p) ||
        p.problems.warning_count)
        fail_msg("%s", problems_text(&p.problems, &a).p);
    assert_int_equal(p.services.rows.n, 19);
    parsed_free(&p);
    buf_free(&text);
    buf_free(&all);
    arena_free(&a);
}

static void an_empty_main_cf_is_safe(void **state)
{
    parsed p;

    (void)state;
    config_parse(STR("/e"), STR("h.example.com"), STR(""), STR(""), &p);
    assert_int_equal(p.problems.error_count, 0);
    assert_string_equal(p.base.config.mydestination.p, "h.example.com, localhost.example.com, localhost");
    assert_string_equal(p.base.config.mynetworks.p, "127.0.0.0/8 [::1]/128");
    assert_int_equal(p.base.config.smtpd_forbid_bare_newline, BARE_NEWLINE_REJECT);
    assert_true(p.base.config.login_tls_required && p.base.config.smtpd_tls_auth_only);
    parsed_free(&p);
}

static void a_missing_file_is_a_problem(void **state)
{
    char dir[] = "/tmp/config-XXXXXX";
    parsed p;
    file_owner owner = { .mode = 0644 };

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_false(config_load(dir, &p));
    assert_int_equal(p.problems.error_count, 2);
    parsed_free(&p);

    str path = STR_NONE;
    arena a = arena_new(0);
    path = arena_printf(&a, "%s/main.cf", dir);
    assert_false(is_fault(file_replace(AT_FDCWD, path.p, STR(""), owner)));
    assert_false(config_load(dir, &p));
    assert_int_equal(p.problems.error_count, 1);
    assert_true(str_ends(p.problems.rows.p[0].file, STR("/master.cf")));
    parsed_free(&p);
    assert_int_equal(unlink(path.p), 0);
    assert_int_equal(rmdir(dir), 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples_as_shipped_are_right),
        cmocka_unit_test(the_samples_are_right_with_a_certificate),
        cmocka_unit_test(an_empty_main_cf_is_safe),
        cmocka_unit_test(a_missing_file_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
