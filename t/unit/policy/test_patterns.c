/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(lists_match), TEST(files_hold_more_words) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
