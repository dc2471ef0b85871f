/* Dates as mail writes them, against seconds that date(1) gives; each row truncated at every byte too. */
#include "mail/date.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

typedef struct row {
    const char *text;
    parse want;
    int64_t utc_s;
    int zone;
} row;

static const row rows[] = {
    { "Thu, 1 Jan 1970 00:00:00 +0000", PARSE_DONE, 0, 0 },
    { "Fri, 21 Nov 1997 09:55:06 -0600", PARSE_DONE, 880127706, -360 },
    { "21 Nov 97 09:55 CST", PARSE_DONE, 880127700, -360 },
    { "Fri,21 Nov 97(comment (nested))09(x):55:06-0600", PARSE_BAD, 0, 0 },
    { "Fri, 21 Nov 1997 09:55:06 -0600 (CST)", PARSE_DONE, 880127706, -360 },
    { "Fri, 21 Nov 1997\r\n\t09:55:06 -0600", PARSE_DONE, 880127706, -360 },
    { "Tue, 29 Feb 2000 23:59:60 GMT", PARSE_DONE, 951868800, 0 },
    { "29 Feb 1900 00:00:00 GMT", PARSE_BAD, 0, 0 },
    { "29 Feb 2024 00:00:00 +0530", PARSE_DONE, 1709145000, 330 },
    { "Thursday, 01-Jan-70 00:00:00 GMT", PARSE_DONE, 0, 0 },
    { "Thu Jan  1 00:00:00 1970", PARSE_DONE, 0, 0 },
    { "Thu Jan  1 00:00:00 EST 1970", PARSE_DONE, 18000, -300 },
    { "1 January 1970 00:00:00 XYZ", PARSE_DONE, 0, 0 },
    { "1 Jan 70 00:00:00 z", PARSE_DONE, 0, 0 },
    { "1 Jan 49 00:00:00 Z", PARSE_DONE, 2493072000, 0 },
    { "1 Jan 50 00:00:00 Z", PARSE_DONE, -631152000, 0 },
    { "1 Jan 104 00:00:00 Z", PARSE_DONE, 1072915200, 0 },
    { "31 Dec 9999 23:59:59 +0000", PARSE_DONE, 253402300799, 0 },
    { "1 Jan 0001 00:00:00 +0000", PARSE_DONE, -62135596800, 0 },
    { "1 Jan 2020 00:00:00 +9999", PARSE_DONE, 1577836800, 0 },
    { "1 Jan 2020 00:00:00 -0000", PARSE_DONE, 1577836800, 0 },
    { "1 Jan 2020 01:00:00.25 +01:00", PARSE_DONE, 1577836800, 60 },
    { "1 Jan 2020", PARSE_DONE, 1577836800, 0 },
    { "32 Jan 2020 00:00:00 +0000", PARSE_BAD, 0, 0 },
    { "0 Jan 2020 00:00:00 +0000", PARSE_BAD, 0, 0 },
    { "1 Jan 2020 24:00:00 +0000", PARSE_BAD, 0, 0 },
    { "1 Jan 2020 00:60:00 +0000", PARSE_BAD, 0, 0 },
    { "1 Jan 20200 00:00:00 +0000", PARSE_BAD, 0, 0 },
    { "1 Jan 0000 00:00:00 +0000", PARSE_BAD, 0, 0 },
    { "1 2020 00:00:00 +0000", PARSE_BAD, 0, 0 },
    { "99999999999999999999 Jan 2020 00:00:00", PARSE_BAD, 0, 0 },
    { "Jan", PARSE_BAD, 0, 0 },
    { "", PARSE_BAD, 0, 0 },
    { "(((((", PARSE_BAD, 0, 0 },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        date d = { 0 };
        if (date_parse(str_c(rows[i].text), &d) != rows[i].want)
            fail_msg("%s", rows[i].text);
        if (rows[i].want != PARSE_DONE)
            continue;
        if (d.utc_s != rows[i].utc_s || d.zone_minutes != rows[i].zone)
            fail_msg("%s: %ld %d", rows[i].text, d.utc_s, d.zone_minutes);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].text); n++) {
            char *copy = malloc(n ? n : 1);
            date d;
            int64_t day;
            memcpy(copy, rows[i].text, n);
            date_parse((str){ copy, n }, &d);
            date_parse_internal((str){ copy, n }, &d);
            date_parse_day((str){ copy, n }, &day);
            free(copy);
        }
}

static void what_is_written_reads_back(void **state)
{
    static const int zones[] = { 0, 60, -300, 330, -210, 840, -720, 1439, -1439 };

    (void)state;
    for (int64_t s = -62135000000; s < 253402000000; s += 86399 * 997)
        for (size_t i = 0; i < COUNT_OF(zones); i++) {
            date d = { s, zones[i] }, back, internal, mbox;
            buf out = buf_new(100);
            assert_true(date_append(&out, d));
            assert_int_equal(date_parse(buf_str(&out), &back), PARSE_DONE);
            buf_clear(&out);
            assert_true(date_append_internal(&out, d));
            assert_int_equal(out.n, 26);
            assert_int_equal(date_parse_internal(buf_str(&out), &internal), PARSE_DONE);
            buf_clear(&out);
            assert_true(date_append_mbox(&out, d));
            assert_int_equal(date_parse(buf_str(&out), &mbox), PARSE_DONE);
            assert_true(back.utc_s == s && back.zone_minutes == zones[i]);
            assert_true(internal.utc_s == s && internal.zone_minutes == zones[i]);
            assert_true(mbox.utc_s == s + zones[i] * 60);
            buf_free(&out);
        }
}

static void check_text(bool (*append)(buf *, date), date d, const char *want)
{
    buf out = buf_new(100);
    assert_true(append(&out, d));
    assert_string_equal(buf_c(&out), want);
    buf_free(&out);
}

static void forms_are_those_of_the_standards(void **state)
{
    (void)state;
    check_text(date_append, (date){ 880127706, -360 }, "Fri, 21 Nov 1997 09:55:06 -0600");
    check_text(date_append, (date){ 0, 330 }, "Thu, 1 Jan 1970 05:30:00 +0530");
    check_text(date_append, (date){ -1, 0 }, "Wed, 31 Dec 1969 23:59:59 +0000");
    check_text(date_append_internal, (date){ 0, -60 }, "31-Dec-1969 23:00:00 -0100");
    check_text(date_append_internal, (date){ 0, 0 }, " 1-Jan-1970 00:00:00 +0000");
    check_text(date_append_mbox, (date){ 0, 0 }, "Thu Jan  1 00:00:00 1970");
    check_text(date_append, (date){ INT64_MAX, 0 }, "Fri, 31 Dec 9999 23:59:59 +0000");
    check_text(date_append, (date){ INT64_MIN, -60 }, "Mon, 1 Jan 0001 00:00:00 -0100");
}

static void imap_dates_are_strict(void **state)
{
    static const str bad[] = {
        STR_ROW("1-Jan-1970 00:00:00"),
        STR_ROW("1-Jan-1970 00:00:00 0000"),
        STR_ROW("1-Jan-70 00:00:00 +0000"),
        STR_ROW("1-Jan-1970 0:00:00 +0000"),
        STR_ROW("1-Jan-1970 00:00:00 +00:0"),
        STR_ROW("1-Xxx-1970 00:00:00 +0000"),
        STR_ROW("1-Jan-1970 00:00:00 +2400"),
        STR_ROW("1-Jan-1970 00:00:00 +0060"),
        STR_ROW("31-Feb-1970 00:00:00 +0000"),
        STR_ROW("1 Jan 1970 00:00:00 +0000"),
        STR_ROW(""),
        STR_ROW(" "),
    };
    static const str bad_days[] = { STR_ROW("1-Jan-70"),
                                    STR_ROW("32-Jan-1970"),
                                    STR_ROW("\"1-Jan-1970"),
                                    STR_ROW("-Jan-1970"),
                                    STR_ROW("1-January-1970"),
                                    STR_ROW("1-Jan-1970 "),
                                    STR_ROW(""),
                                    STR_ROW("\"\"") };
    date d;
    int64_t day;

    (void)state;
    assert_int_equal(date_parse_internal(STR("1-Jan-1970 00:00:00 +0000"), &d), PARSE_DONE);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (date_parse_internal(bad[i], &d) != PARSE_BAD)
            fail_msg("%s", bad[i].p);
    for (size_t i = 0; i < COUNT_OF(bad_days); i++)
        if (date_parse_day(bad_days[i], &day) != PARSE_BAD)
            fail_msg("%s", bad_days[i].p);
    assert_int_equal(date_parse_day(STR("2-jan-1970"), &day), PARSE_DONE);
    assert_int_equal(day, 1);
    assert_int_equal(date_parse_day(STR("\"31-Dec-1969\""), &day), PARSE_DONE);
    assert_int_equal(day, -1);
    assert_int_equal(date_day((date){ -1, 60 }), 0);
    assert_int_equal(date_day((date){ 0, -60 }), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(forms_are_those_of_the_standards),
        cmocka_unit_test(imap_dates_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
