/* main.cf before and after a change by command. */
#include "conf/edit.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct row {
    const char *before, *name, *value, *after; /* after NULL: refused */
} row;

static const row rows[] = {
    { "", "soft_bounce", "yes", "soft_bounce = yes\n" },
    { "a = 1", "soft_bounce", "yes", "a = 1\nsoft_bounce = yes\n" },
    { "# x\nsoft_bounce = no\n# y\nmynetworks =\n", "soft_bounce", "yes",
      "# x\nsoft_bounce = yes\n# y\nmynetworks =\n" },
    { "soft_bounce=no", "soft_bounce", "yes", "soft_bounce = yes\n" },
    { "mynetworks =\n 10.0.0.0/8\n# why\n\n  [::1]\nsoft_bounce = no\n", "mynetworks", " 127.0.0.1 ",
      "mynetworks = 127.0.0.1\n# why\n\nsoft_bounce = no\n" },
    { "mynetworks = 1.1.1.1\n", "mynetworks", "", "mynetworks =\n" },
    { "soft_bounce = no\nsoft_bounce = no\n", "soft_bounce", "yes", "soft_bounce = no\nsoft_bounce = yes\n" },
    { "#soft_bounce = no\n", "soft_bounce", "yes", "#soft_bounce = no\nsoft_bounce = yes\n" },
    { "soft_bounces = no\n", "soft_bounce", "yes", "soft_bounces = no\nsoft_bounce = yes\n" },
    { "own = 1\n", "own", "2", "own = 2\n" },
    { "myorigin = $own\n", "own", "x", "myorigin = $own\nown = x\n" },
    { "", "smtpd_timeout", "$x", "smtpd_timeout = $x\n" },
    { "", "smtpd_timeout", "none", NULL },
    { "", "own", "2", NULL },
    { "# $own is only said\n", "own", "2", NULL },
    { "", "mynetwork", "", NULL },
    { "", "mynetworks", "a\nb", NULL },
    { "", "own = 1\nx", "2", NULL },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(10000);
        fault f = config_edit(str_c(rows[i].before), str_c(rows[i].name), str_c(rows[i].value), &out);
        if (is_fault(f) != (rows[i].after == NULL))
            fail_msg("row %zu: %s", i, f.text);
        assert_string_equal(buf_c(&out), rows[i].after ? rows[i].after : "");
        buf_free(&out);
    }
}

static void a_file_keeps_its_mode(void **state)
{
    char path[] = "/tmp/edit-XXXXXX";
    struct stat st;
    buf text = buf_new(1000);
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0 && file_write_all(fd, STR("# x\n")));
    assert_int_equal(fchmod(fd, 0640), 0);
    close(fd);
    assert_false(is_fault(config_set(path, STR("soft_bounce"), STR("yes"))));
    assert_true(is_fault(config_set(path, STR("soft_bounce"), STR("maybe"))));
    assert_false(is_fault(file_read(AT_FDCWD, path, &text)));
    assert_string_equal(buf_c(&text), "# x\nsoft_bounce = yes\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(unlink(path), 0);
    assert_true(is_fault(config_set(path, STR("soft_bounce"), STR("yes"))));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(a_file_keeps_its_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
