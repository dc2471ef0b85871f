/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *value, *words;
    } rows[] = {
        { "permit_mynetwork", "did you mean permit_mynetworks?" },
        { "reject_rbl_client zen.example", "not supported yet: reject_rbl_client" },
        { "check_client_access", "must be followed by a table" },
        { "check_client_access nosuch:/x", "no table type \"nosuch\"" },
        { "hash:relative", "must be an absolute path" },
        { "completelywrongword", "no such restriction: completelywrongword" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_try(arena_printf(&mem, HOST ALIASES "smtpd_client_restrictions = %s\n", rows[i].value).p);
        assert_null(rules);
        str text = problems_text(&found, &mem);
        if (strstr(text.p, rows[i].words) == NULL || strstr(text.p, "smtpd_client_restrictions") == NULL)
            fail_msg("%s: %.*s", rows[i].value, STR_ARG(text));
    }
}

static void data_has_no_table_of_its_own(void **state)
{
    (void)state;
    world_try(HOST ALIASES "smtpd_data_restrictions = inline:{a=b}\n");
    assert_null(rules);
    world_make(HOST ALIASES "smtpd_data_restrictions = check_sender_access inline:{a=b}, permit\n");
}

static void texts_are_as_written(void **state)
{
    (void)state;
    world_make(HOST ALIASES "smtpd_client_restrictions = check_client_access inline:{ a=b, {c = d e} } , permit\n");
    assert_int_equal(rules->lists[LIST_CLIENT].n, 2);
    assert_true(str_equal(rules->lists[LIST_CLIENT].p[0].text, STR("check_client_access inline:{ a=b, {c = d e} }")));
    assert_true(str_equal(rules->lists[LIST_CLIENT].p[1].text, STR("permit")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(mistakes_are_named), TEST(data_has_no_table_of_its_own),
                                        TEST(texts_are_as_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
