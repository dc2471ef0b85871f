/* SOURCES:  NEEDS: db */
#include "db/patterns.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static arena mem;
static const table_context context = { .default_type = STR_ROW("texthash") };

static int mem_free(void **state)
{
    (void)state;
    arena_free(&mem);
    return 0;
}

static match_result in(pattern_kind kind, bool has_subdomains, const char *list, const char *subject)
{
    patterns p = { .kind = kind, .has_subdomains = has_subdomains };
    problems ps = { .arena = &mem };
    fault f;
    table_pool own = { .context = &context };
    patterns_read(STR("list"), str_c(list), &own, &p, &ps);
    match_result m = ps.error_count ? (match_result)99 : patterns_match(&p, str_c(subject), &mem, &f);
    problems_free(&ps);
    patterns_free(&p);
    table_pool_free(&own);
    return m;
}

static void lists_match(void **state)
{
    static const struct {
        pattern_kind kind;
        bool has_subdomains;
        const char *list, *subject;
        int want;
    } rows[] = {
        { PATTERN_DOMAINS, false, "a.example, b.example", "b.example", MATCH_YES },
        { PATTERN_DOMAINS, false, "A.Example", "a.example", MATCH_YES },
        { PATTERN_DOMAINS, false, "a.example", "x.a.example", MATCH_NO },
        { PATTERN_DOMAINS, false, ".a.example", "x.a.example", MATCH_YES },
        { PATTERN_DOMAINS, false, ".a.example", "a.example", MATCH_NO },
        { PATTERN_DOMAINS, true, "a.example", "x.a.example", MATCH_YES },
        { PATTERN_DOMAINS, true, "a.example", "xa.example", MATCH_NO },
        { PATTERN_DOMAINS, true, "!x.a.example a.example", "x.a.example", MATCH_NO },
        { PATTERN_DOMAINS, true, "a.example !x.a.example", "x.a.example", MATCH_YES },
        { PATTERN_DOMAINS, false, "inline:{a.example=x} b.example", "a.example", MATCH_YES },
        { PATTERN_DOMAINS, false, "!inline:{a.example=x} a.example", "a.example", MATCH_NO },
        { PATTERN_DOMAINS, false, "texthash:/nonexistent a.example", "a.example", MATCH_FAILED },
        { PATTERN_DOMAINS, false, "a.example texthash:/nonexistent", "a.example", MATCH_YES },
        { PATTERN_DOMAINS, false, "", "a.example", MATCH_NO },
        { PATTERN_DOMAINS, false, "/nonexistent", "a.example", 99 },
        { PATTERN_DOMAINS, false, "a.example", "", MATCH_NO },
        { PATTERN_NETWORKS, false, "192.0.2.0/24 [2001:db8::]/32", "192.0.2.1", MATCH_YES },
        { PATTERN_NETWORKS, false, "192.0.2.0/24 [2001:db8::]/32", "2001:db8::1", MATCH_YES },
        { PATTERN_NETWORKS, false, "!192.0.2.1 192.0.2.0/24", "192.0.2.1", MATCH_NO },
        { PATTERN_NETWORKS, false, "192.0.2.0/24", "::ffff:192.0.2.1", MATCH_YES },
        { PATTERN_NETWORKS, false, "192.0.2.0/24", "unknown", MATCH_NO },
        { PATTERN_NETWORKS, false, "192.0.2.1/24", "192.0.2.1", 99 },
        { PATTERN_NETWORKS, false, "nosuch:/x", "192.0.2.1", 99 },
        { PATTERN_NETWORKS, false, "inline:{192.0.2.1=x, 192.0.2.2=x}", "192.0.2.2", MATCH_YES },
        { PATTERN_NETWORKS, false, "!inline:{192.0.2.1=x} 192.0.2.0/24", "192.0.2.1", MATCH_NO },
        { PATTERN_NETWORKS, false, "!inline:{192.0.2.1=x} 192.0.2.0/24", "192.0.2.2", MATCH_YES },
        { PATTERN_NETWORKS, false, "abcd:1::/32 192.0.2.0/24", "abcd:1::7", MATCH_YES },
        { PATTERN_NETWORKS, false, "texthash:/nonexistent", "192.0.2.1", MATCH_FAILED },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int m = (int)in(rows[i].kind, rows[i].has_subdomains, rows[i].list, rows[i].subject);
        if (m != rows[i].want)
            fail_msg("row %zu: %d, not %d", i, m, rows[i].want);
    }
}

static void files_hold_more_words(void **state)
{
    char path[] = "/tmp/test-policy-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_int_equal(write(fd, "# ours\na.example b.example\n\nc.example\n", 38), 38);
    assert_int_equal(in(PATTERN_DOMAINS, false, path, "c.example"), MATCH_YES);
    assert_int_equal(in(PATTERN_DOMAINS, false, path, "d.example"), MATCH_NO);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, path, strlen(path), 0), (ssize_t)strlen(path)); /* itself */
    assert_int_equal(in(PATTERN_DOMAINS, false, path, "d.example"), 99);
    close(fd);
    unlink(path);
}

/* A list of networks that names this file. */
static int in_file(const char *text, const char *list, const char *address, arena *a, str *out_problems)
{
    char path[] = "/tmp/test-patterns-XXXXXX", value[80];
    int fd = mkstemp(path);
    problems ps = { .arena = a };
    patterns p = { .kind = PATTERN_NETWORKS };
    table_pool own = { .context = &context };
    fault f;
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    size_t at = str_find(str_c(list), '%'); /* where the file's name goes */
    snprintf(value, sizeof value, "%.*s%s%s", (int)at, list, path, list + at + 1);
    patterns_read(STR("mynetworks"), str_c(value), &own, &p, &ps);
    int m = ps.error_count ? 99 : (int)patterns_match(&p, str_c(address), a, &f);
    patterns_free(&p);
    table_pool_free(&own);
    str all = problems_text(&ps, a);
    if (out_problems) /* from behind the name of the file on */
        *out_problems = str_starts(all, str_c(path)) ? arena_copy(a, str_from(all, strlen(path))) : all;
    problems_free(&ps);
    close(fd);
    unlink(path);
    return m;
}

static void files_of_networks(void **state)
{
    static const struct {
        const char *text, *list, *address;
        int want;
    } rows[] = {
        { "# ours\n192.0.2.0/24\n10.1.1.1\n", "%", "192.0.2.7", MATCH_YES },
        { "# ours\n192.0.2.0/24\n10.1.1.1\n", "%", "10.1.1.1", MATCH_YES },
        { "# ours\n192.0.2.0/24\n10.1.1.1\n", "%", "10.1.1.2", MATCH_NO },
        { "!192.0.2.7\n192.0.2.0/24\n", "%", "192.0.2.7", MATCH_NO },
        { "192.0.2.7\n", "!% 192.0.2.0/24", "192.0.2.7", MATCH_NO },
        { "192.0.2.7\n", "!% 192.0.2.0/24", "192.0.2.8", MATCH_YES },
        { "!192.0.2.7\n192.0.2.0/24\n", "!% 192.0.0.0/16", "192.0.2.7", MATCH_YES },
        { "inline:{192.0.2.7=x}\n", "%", "192.0.2.7", MATCH_YES },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int m = in_file(rows[i].text, rows[i].list, rows[i].address, &mem, NULL);
        if (m != rows[i].want)
            fail_msg("row %zu: %d, not %d", i, m, rows[i].want);
    }
}

static void mistakes_in_files_have_their_line(void **state)
{
    str said;
    (void)state;
    assert_int_equal(in_file("10.0.0.0/8\n\n10.0.0.1/8\n", "%", "10.0.0.1", &mem, &said), 99);
    if (!str_starts(said, STR(":3: error: mynetworks: \"10.0.0.1/8\" has bits set behind its length")))
        fail_msg("%.*s", STR_ARG(said));
    assert_int_equal(in_file("nosuch:/x\n", "%", "10.0.0.1", &mem, &said), 99);
    if (!str_starts(said, STR(":1: error: mynetworks: ")))
        fail_msg("%.*s", STR_ARG(said));
}

#define TEST(f) cmocka_unit_test_teardown(f, mem_free)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(lists_match), TEST(files_hold_more_words), TEST(files_of_networks),
                                        TEST(mistakes_in_files_have_their_line) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
