/* The actions of header_checks(5), the tables that may be used for them, and what is wrong with either. */
#include "db/content_checks.h"
#include "folder.h"

static content_checks checks;
static problems ps;

static void open_with(const char *header, const char *body)
{
    const config c = { .header_checks = str_c(header),
                       .mime_header_checks = str_c(header),
                       .nested_header_checks = STR("inline:{x=WARN}"),
                       .body_checks = str_c(body) };
    ps = (problems){ .arena = &mem };
    content_checks_open(&c, &checks, &ps);
}

static void close_all(void)
{
    content_checks_free(&checks);
    problems_free(&ps);
}

static bool says(const char *words)
{
    return strstr(problems_text(&ps, &mem).p, words) != NULL;
}

static void actions_are_read(void **state)
{
    static const struct {
        const char *value;
        check_verb verb;
        const char *text;
    } rows[] = {
        { "REJECT", CHECK_REJECT, "" },
        { "reject  5.7.1 no way ", CHECK_REJECT, "5.7.1 no way" },
        { "BCC a@b", CHECK_BCC, "a@b" },
        { "DISCARD", CHECK_DISCARD, "" },
        { "DUNNO", CHECK_DUNNO, "" },
        { "OK", CHECK_DUNNO, "" },
        { "FILTER x:y", CHECK_FILTER, "x:y" },
        { "HOLD it", CHECK_HOLD, "it" },
        { "IGNORE", CHECK_IGNORE, "" },
        { "STRIP", CHECK_STRIP, "" },
        { "INFO i", CHECK_INFO, "i" },
        { "PASS", CHECK_PASS, "" },
        { "PREPEND A: b", CHECK_PREPEND, "A: b" },
        { "REDIRECT a@b", CHECK_REDIRECT, "a@b" },
        { "REPLACE\tA: c", CHECK_REPLACE, "A: c" },
        { "WARN", CHECK_WARN, "" },
        { "REJECTED", CHECK_UNKNOWN, "" },
        { "", CHECK_UNKNOWN, "" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_action a = check_action_read(str_c(rows[i].value));
        assert_int_equal(a.verb, rows[i].verb);
        assert_true(str_equal(a.text, str_c(rows[i].text)));
    }
}

static void the_first_entry_that_fits_acts(void **state)
{
    check_action a;
    fault f;
    (void)state;
    file_put("h", STR("/^Subject: (.*)x/ REJECT $1\n/^Subject:/ WARN\n"));
    file_put("b", STR("/^a/ IGNORE\n"));
    open_with(arena_printf(&mem, "pcre:%s, pcre:%s", path_of("b"), path_of("h")).p,
              arena_printf(&mem, "pcre:%s", path_of("b")).p);
    assert_int_equal(ps.error_count, 0);
    assert_true(content_check(&checks, CHECKS_HEADER, STR("Subject: abx"), &mem, &a, &f));
    assert_int_equal(a.verb, CHECK_REJECT);
    assert_true(str_equal(a.text, STR("ab")) && a.line == 1);
    assert_true(content_check(&checks, CHECKS_HEADER, STR("Subject: ab"), &mem, &a, &f));
    assert_int_equal(a.verb, CHECK_WARN);
    assert_false(content_check(&checks, CHECKS_BODY, STR("Subject: abx"), &mem, &a, &f));
    assert_false(is_fault(f));
    assert_true(content_check(&checks, CHECKS_BODY, STR("a\0b"), &mem, &a, &f)); /* no NUL hides a line */
    assert_true(content_check(&checks, CHECKS_NESTED, STR("X"), &mem, &a, &f));
    close_all();
}

static void mistakes_are_said_once(void **state)
{
    static const struct {
        const char *rule, *words;
    } rows[] = {
        { "/x/ NONSENSE\n", "no action \"NONSENSE\"" }, { "/x/ FILTER a:b\n", "FILTER is not supported yet" },
        { "/x/ PREPEND\n", "PREPEND needs a text" },    { "/x/ REPLACE\n", "REPLACE needs a text" },
        { "/x/ BCC\n", "BCC needs an address" },        { "/(/ WARN\n", "h:1: " },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        file_put("h", str_c(rows[i].rule));
        open_with(spec_of("pcre", "h").p, "");
        assert_int_equal(ps.error_count, 1); /* mime_header_checks is the same list */
        assert_true(says(rows[i].words));
        assert_true(says("header_checks"));
        close_all();
    }
}

static void a_table_that_is_not_there_fails(void **state)
{
    check_action a;
    fault f;
    (void)state;
    open_with(spec_of("pcre", "none").p, "");
    assert_int_equal(ps.error_count, 1);
    assert_false(content_check(&checks, CHECKS_HEADER, STR("x"), &mem, &a, &f));
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    close_all();
}

static void tables_on_disk_cannot_be_used(void **state)
{
    static const char *const specs[] = { "hash:/x", "btree:/x", "lmdb:/x", "nothing", "cidr:/x" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        open_with("", specs[i]);
        assert_int_equal(ps.error_count, 1);
        assert_true(says("only pcre"));
        assert_int_equal(checks.lists[CHECKS_BODY].n, 0);
        close_all();
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(actions_are_read),
        TEST(the_first_entry_that_fits_acts),
        TEST(mistakes_are_said_once),
        TEST(a_table_that_is_not_there_fails),
        TEST(tables_on_disk_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
