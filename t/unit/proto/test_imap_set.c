/* Sets against what they hold, with '*' for several sizes of a mailbox. */
#include "proto/imap_set.h"
#include "proto/imap_write.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    const char *text;
    parse want;
    const char *of_0, *of_3, *of_10; /* '*' being nothing, 3, 10 */
} rows[] = {
    { "1", PARSE_DONE, "1", "1", "1" },
    { "3,1,2", PARSE_DONE, "1:3", "1:3", "1:3" },
    { "5:2,9", PARSE_DONE, "2:5,9", "2:5,9", "2:5,9" },
    { "1:3,2:7,8", PARSE_DONE, "1:8", "1:8", "1:8" },
    { "2:4,1:9,3", PARSE_DONE, "1:9", "1:9", "1:9" },
    { "1,3,5", PARSE_DONE, "1,3,5", "1,3,5", "1,3,5" },
    { "*", PARSE_DONE, "", "3", "10" },
    { "1:*", PARSE_DONE, "", "1:3", "1:10" },
    { "*:1", PARSE_DONE, "", "1:3", "1:10" },
    { "5:*", PARSE_DONE, "", "3:5", "5:10" },
    { "12:*", PARSE_DONE, "", "3:12", "10:12" },
    { "2,5:*,*", PARSE_DONE, "2", "2:5", "2,5:10" },
    { "8:*,12:*", PARSE_DONE, "", "3:12", "8:12" },
    { "*:*", PARSE_DONE, "", "3", "10" },
    { "1:4294967295", PARSE_DONE, "1:4294967295", "1:4294967295", "1:4294967295" },
    { "4294967295,4294967294", PARSE_DONE, "4294967294:4294967295", "4294967294:4294967295", "4294967294:4294967295" },
    { "4294967295:*", PARSE_DONE, "", "3:4294967295", "10:4294967295" },
    { "4294967296", PARSE_BAD, NULL, NULL, NULL },
    { "0", PARSE_BAD, NULL, NULL, NULL },
    { "0:5", PARSE_BAD, NULL, NULL, NULL },
    { "01", PARSE_BAD, NULL, NULL, NULL },
    { "", PARSE_BAD, NULL, NULL, NULL },
    { ",", PARSE_BAD, NULL, NULL, NULL },
    { "1,", PARSE_BAD, NULL, NULL, NULL },
    { "1::2", PARSE_BAD, NULL, NULL, NULL },
    { "1:2:3", PARSE_BAD, NULL, NULL, NULL },
    { ":", PARSE_BAD, NULL, NULL, NULL },
    { "1:", PARSE_BAD, NULL, NULL, NULL },
    { "-1", PARSE_BAD, NULL, NULL, NULL },
    { "1 2", PARSE_BAD, NULL, NULL, NULL },
    { "**", PARSE_BAD, NULL, NULL, NULL },
};

static void check_resolved(const imap_set *set, uint32_t max, const char *want, arena *mem)
{
    imap_set out;
    buf text = buf_new(1000);

    imap_set_resolve(set, max, mem, &out);
    assert_true(imap_write_set(&text, out.ranges, out.n));
    assert_true(str_equal(buf_str(&text), str_c(want)));
    buf_free(&text);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        imap_set set;
        if (imap_set_parse(str_c(rows[i].text), &mem, &set) != rows[i].want)
            fail_msg("%s", rows[i].text);
        if (rows[i].want == PARSE_DONE) {
            check_resolved(&set, 0, rows[i].of_0, &mem);
            check_resolved(&set, 3, rows[i].of_3, &mem);
            check_resolved(&set, 10, rows[i].of_10, &mem);
        }
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].text); n++) {
            arena mem = arena_new(0);
            imap_set set;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].text, n);
            imap_set_parse((str){ copy, n }, &mem, &set);
            free(copy);
            arena_free(&mem);
        }
}

static void members_are_found(void **state)
{
    arena mem = arena_new(0);
    imap_set set;

    (void)state;
    assert_int_equal(imap_set_parse(STR("2,4:6,9"), &mem, &set), PARSE_DONE);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(imap_set_has(&set, i), i == 2 || (i >= 4 && i <= 6) || i == 9);
    assert_int_equal(imap_set_next(&set, 1), 2);
    assert_int_equal(imap_set_next(&set, 3), 4);
    assert_int_equal(imap_set_next(&set, 5), 5);
    assert_int_equal(imap_set_next(&set, 10), 0);
    assert_int_equal(imap_set_last(&set), 9);
    set.n = 0;
    assert_int_equal(imap_set_next(&set, 1), 0);
    assert_int_equal(imap_set_last(&set), 0);
    arena_free(&mem);
}

/* 20,000 ranges backwards: sorted once, whatever the numbers. */
static void many_ranges_cost_what_they_are(void **state)
{
    arena mem = arena_new(0);
    buf text = buf_new(1 << 20);
    imap_set set;

    (void)state;
    for (unsigned i = 20000; i > 0; i--)
        buf_printf(&text, "%u:%u,", i * 200000, i * 200000 + 99999);
    text.n--;
    assert_int_equal(imap_set_parse(buf_str(&text), &mem, &set), PARSE_DONE);
    assert_int_equal(set.n, 20000);
    assert_int_equal(set.ranges[0].first, 200000);
    buf_free(&text);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(many_ranges_cost_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
