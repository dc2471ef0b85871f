/* What `postrider config` prints. */
#include "conf/listing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void open_example(parsed *p)
{
    config_parse(STR("/e"), STR("h.example.com"),
                 STR("own = x.example\nmyorigin = $own\nrelay_domains =\nsoft_bounce = yes\n"), STR(""), p);
    assert_int_equal(p->problems.error_count, 0);
}

static void what_is_set_is_listed_as_written(void **state)
{
    parsed p;
    buf out = buf_new(100000);

    (void)state;
    open_example(&p);
    assert_false(is_fault(config_list(&p, LIST_SET, NULL, 0, &out)));
    assert_string_equal(buf_c(&out), "myorigin = $own\nown = x.example\nrelay_domains =\nsoft_bounce = yes\n");
    buf_free(&out);
    parsed_free(&p);
}

static void all_are_listed_in_order(void **state)
{
    parsed p;
    buf out = buf_new(100000);
    str line, before = STR("");
    size_t lines = 0;

    (void)state;
    open_example(&p);
    assert_false(is_fault(config_list(&p, LIST_ALL, NULL, 0, &out)));
    for (str rest = buf_str(&out); str_cut(&rest, '\n', &line) && line.n; lines++) {
        str name = str_upto(line, str_find(line, ' '));
        assert_true(str_compare(before, name) < 0);
        before = name;
    }
    assert_int_equal(lines, PARAMETER_COUNT + 1);
    buf_free(&out);
    parsed_free(&p);
}

static void some_are_listed_by_name(void **state)
{
    static const str names[] = { STR_ROW("smtpd_timeout"), STR_ROW("myorigin"), STR_ROW("myhostname"),
                                 STR_ROW("config_directory") };
    static const char *const want[] = {
        [LIST_ALL] = "config_directory = /e\nmyhostname = h.example.com\nmyorigin = $own\nsmtpd_timeout = 300s\n",
        [LIST_SET] = "myorigin = $own\n",
        [LIST_DEFAULTS] =
            "config_directory = /e\nmyhostname = h.example.com\nmyorigin = $myhostname\nsmtpd_timeout = 300s\n",
        [LIST_EXPANDED] =
            "config_directory = /e\nmyhostname = h.example.com\nmyorigin = x.example\nsmtpd_timeout = 300s\n",
    };
    parsed p;

    (void)state;
    open_example(&p);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        buf out = buf_new(100000);
        assert_false(is_fault(config_list(&p, (listing)i, names, COUNT_OF(names), &out)));
        assert_string_equal(buf_c(&out), want[i]);
        buf_free(&out);
    }
    parsed_free(&p);
}

static void an_unknown_name_is_refused_and_the_others_listed(void **state)
{
    static const str names[] = { STR_ROW("mynetwork"), STR_ROW("own") };
    parsed p;
    buf out = buf_new(100000);

    (void)state;
    open_example(&p);
    assert_string_equal(config_list(&p, LIST_EXPANDED, names, 2, &out).text,
                        "mynetwork is not a parameter; did you mean mynetworks?");
    assert_string_equal(buf_c(&out), "own = x.example\n");
    buf_free(&out);
    parsed_free(&p);
}

static void one_value_alone(void **state)
{
    parsed p;
    buf out = buf_new(100000);

    (void)state;
    open_example(&p);
    assert_false(is_fault(config_value(&p, LIST_EXPANDED, STR("smtpd_banner"), &out)));
    assert_string_equal(buf_c(&out), "h.example.com ESMTP");
    assert_true(is_fault(config_value(&p, LIST_ALL, STR("nothing_like_it_at_all"), &out)));
    buf_free(&out);
    parsed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_listed_as_written),
        cmocka_unit_test(all_are_listed_in_order),
        cmocka_unit_test(some_are_listed_by_name),
        cmocka_unit_test(an_unknown_name_is_refused_and_the_others_listed),
        cmocka_unit_test(one_value_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
