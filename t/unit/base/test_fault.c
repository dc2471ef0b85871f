/* A fault carries its own text, cut to fit, and tells a full disk from the rest. */
#include "base/fault.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void carries_kind_status_and_text(void **state)
{
    fault f = fault_make(FAULT_REFUSED, "1.1", "no user %s", "bob");
    (void)state;
    assert_true(is_fault(f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_string_equal(f.status, "1.1");
    assert_string_equal(f.text, "no user bob");
    assert_false(is_fault(NO_FAULT));
}

static void long_texts_are_cut(void **state)
{
    fault f = fault_make(FAULT_BUG, "123456789", "%1000s", "x");
    (void)state;
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    assert_int_equal(strlen(f.status), sizeof f.status - 1);
}

static void errno_becomes_words(void **state)
{
    static const struct {
        int number;
        const char *status;
    } rows[] = { { ENOSPC, "3.1" }, { EDQUOT, "3.1" }, { EFBIG, "3.1" }, { EIO, "3.0" }, { EACCES, "3.0" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        errno = rows[i].number;
        fault f = fault_errno("write %s", "file");
        assert_int_equal(errno, rows[i].number);
        assert_int_equal(f.kind, FAULT_TRY_LATER);
        assert_string_equal(f.status, rows[i].status);
        assert_true(str_starts(str_c(f.text), STR("write file: ")));
        assert_true(str_ends(str_c(f.text), str_c(strerror(rows[i].number))));
    }
}

static void a_long_text_leaves_no_room_for_the_reason(void **state)
{
    (void)state;
    for (int n = 200; n < 260; n++) {
        errno = EIO;
        fault f = fault_errno("%*s", n, "x");
        assert_true(strlen(f.text) < sizeof f.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_kind_status_and_text),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(errno_becomes_words),
        cmocka_unit_test(a_long_text_leaves_no_room_for_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
