/* SOURCES: ctl/password.c  NEEDS: db outside_crypt */
/* Passwords as they are written into the user file, and how one is asked for by the input. */
#include "ctl/password.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void each_scheme_writes_its_own(void **state)
{
    static const char *const rows[][2] = { { "", "{CRYPT}$y$" },
                                           { "YESCRYPT", "{CRYPT}$y$" },
                                           { "sha512", "{SHA512-CRYPT}$6$" },
                                           { "plain", "{PLAIN}geheim" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(2000);
        assert_false(is_fault(password_hash((secret){ STR("geheim") }, str_c(rows[i][0]), &out)));
        assert_true(str_starts(buf_str(&out), str_c(rows[i][1])));
        buf_free(&out);
    }
}

static void what_cannot_be_a_password_is_refused(void **state)
{
    static const char *const bad[][2] = {
        { "", "" }, { "a\nb", "" }, { "a\x7f", "" }, { "a:b", "plain" }, { "a", "md5" }
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        buf out = buf_new(2000);
        fault f = password_hash((secret){ str_c(bad[i][0]) }, str_c(bad[i][1]), &out);
        assert_int_equal(f.kind, FAULT_REFUSED);
        assert_int_equal(out.n, 0);
        buf_free(&out);
    }
}

/* What password_ask makes of the input. */
static fault asked(const char *input, buf *out)
{
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    buf_clear(out);
    fault f = password_ask(STR("anna"), out);
    dup2(kept, STDIN_FILENO);
    close(kept);
    return f;
}

static void one_line_of_the_input_is_it(void **state)
{
    buf out = buf_new(16);
    (void)state;
    assert_false(is_fault(asked("geheim\r\nmore\n", &out)));
    assert_true(str_equal(buf_str(&out), STR("geheim")));
    assert_false(is_fault(asked("no end", &out)));
    assert_true(str_equal(buf_str(&out), STR("no end")));
    assert_true(is_fault(asked("", &out)));
    assert_true(is_fault(asked("longer than it may be\n", &out)));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_scheme_writes_its_own),
                                        cmocka_unit_test(what_cannot_be_a_password_is_refused),
                                        cmocka_unit_test(one_line_of_the_input_is_it) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
