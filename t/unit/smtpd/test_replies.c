/* SOURCES: smtpd/replies.c  NEEDS: daemon tls proto queue */
/* Every reply that smtpd says by itself is one line of correct form, and its enhanced code fits its code. */
#include "smtpd/replies.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool is_status(str s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.')
            dots++;
        else if (!isdigit((unsigned char)s.p[i]))
            return false;
    }
    return dots == 2 && s.n >= 5 && s.n <= 9 && s.p[1] == '.' && s.p[s.n - 1] != '.';
}

static void each_has_its_form(void **state)
{
    (void)state;
    for (int i = 0; i < REPLY_COUNT; i++) {
        reply r = reply_of((reply_name)i);
        assert_true(r.code >= 214 && r.code <= 555);
        assert_true(r.words.n > 0 && r.words.n < 400);
        assert_true(r.classes == 0 || r.code >= 400);
        for (size_t k = 0; k < r.words.n; k++)
            assert_true(r.words.p[k] >= ' ' && r.words.p[k] < 127);
        if (r.code / 100 == 3) { /* RFC 2034 4: none with 3yz */
            assert_int_equal(r.status.n, 0);
            continue;
        }
        if (!is_status(r.status) || (unsigned)(r.status.p[0] - '0') != r.code / 100)
            fail_msg("%u %.*s", r.code, STR_ARG(r.status));
    }
}

static void later_is_no_reply(void **state)
{
    (void)state;
    assert_int_equal(REPLY_LATER.code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_has_its_form), cmocka_unit_test(later_is_no_reply) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
