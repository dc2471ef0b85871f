/* Programs of SEARCH: their shape, written back as text, and what they make of a message. */
#include "proto/imap_search.h"
#include "proto/imap_flags.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    const char *in;
    const char *shape; /* key numbers, '&' '|' '!' with their children in brackets; NULL: refused */
} rows[] = {
    { "ALL", "&(3)" },
    { "UNSEEN DELETED", "&(4 4)" },
    { "NOT SEEN", "&(!(4))" },
    { "OR SEEN ALL", "&(|(4 3))" },
    { "OR NOT SEEN OR ALL NEW OLD", "&(|(!(4) |(3 6)) 7)" },
    { "(ALL)", "&(&(3))" },
    { "NOT (SEEN (NEW) OLD) ALL", "&(!(&(4 &(6) 7)) 3)" },
    { "((ALL))", "&(&(&(3)))" },
    { "OR (SEEN) (NEW OLD)", "&(|(&(4) &(6 7)))" },
    { "NOT NOT NOT ALL", "&(!(!(!(3))))" },
    { "1:5,7 UID 9:*", "&(9 10)" },
    { "*", "&(9)" },
    { "FROM x TO \"a b\" CC {1}\r\nq SUBJECT \"\" BCC n", "&(19 19 19 19 19)" },
    { "HEADER Message-ID <a@b>", "&(19)" },
    { "HEADER X \"\" BODY b TEXT t", "&(19 20 21)" },
    { "BEFORE 1-Feb-1994 ON \"01-Mar-2000\" SINCE 9-dec-2020", "&(11 12 13)" },
    { "SENTBEFORE 1-Feb-1994 SENTON 1-Feb-1994 SENTSINCE 1-Feb-1994", "&(14 15 16)" },
    { "LARGER 100 SMALLER 0", "&(17 18)" },
    { "KEYWORD $Junk UNKEYWORD x RECENT", "&(5 5 8)" },
    { "CHARSET UTF-8 ALL", "&(3)" },
    { "charset \"x y\" TEXT a", "&(21)" },
    { "ALL ", "&(3)" },
    { "", NULL },
    { " ALL", NULL },
    { "()", NULL },
    { "(ALL", NULL },
    { "ALL)", NULL },
    { "(ALL))", NULL },
    { "( ALL)", NULL },
    { "(ALL )", NULL },
    { "ALL  ALL", NULL },
    { "NOT", NULL },
    { "NOT ", NULL },
    { "NOT)", NULL },
    { "(NOT)", NULL },
    { "OR ALL", NULL },
    { "OR ALL ", NULL },
    { "(OR ALL) ALL", NULL },
    { "XYZZY", NULL },
    { "CHARSET UTF-8", NULL },
    { "FROM", NULL },
    { "FROM ", NULL },
    { "HEADER x", NULL },
    { "BEFORE 32-Feb-1994", NULL },
    { "BEFORE yesterday", NULL },
    { "LARGER -1", NULL },
    { "LARGER 18446744073709551616", NULL },
    { "UID 0", NULL },
    { "1:x", NULL },
    { "KEYWORD \"x\"", NULL },
    { "ALL(ALL)", NULL },
};

static bool read(const char *p, size_t n, arena *mem, imap_search *out)
{
    imap_lexer l = { .in = { p, n }, .mem = mem };
    return imap_search_parse(&l, out);
}

/* Trees of the tests are small: here recursion is right. */
static void shape_write(const imap_search *s, uint32_t at, buf *out)
{
    const imap_search_node *n = &s->nodes[at];

    assert_true(n->end > at && n->end <= s->n);
    if (n->key > IMAP_SEARCH_NOT) {
        buf_printf(out, "%d", (int)n->key);
        return;
    }
    buf_printf(out, "%c(", "&|!"[n->key]);
    for (uint32_t child = at + 1; child < n->end; child = s->nodes[child].end) {
        assert_int_equal(s->nodes[child].parent, at);
        if (child > at + 1)
            buf_append_char(out, ' ');
        shape_write(s, child, out);
    }
    buf_append_char(out, ')');
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        imap_search s;
        buf shape = buf_new(1000);
        bool good = read(rows[i].in, strlen(rows[i].in), &mem, &s);
        if (good)
            shape_write(&s, 0, &shape);
        if (good != (rows[i].shape != NULL) || (good && !str_equal(buf_str(&shape), str_c(rows[i].shape))))
            fail_msg("%s: %s", rows[i].in, good ? buf_c(&shape) : "refused");
        buf_free(&shape);
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].in); n++) {
            arena mem = arena_new(0);
            imap_search s;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].in, n);
            read(copy, n, &mem, &s);
            free(copy);
            arena_free(&mem);
        }
}

static void values_arrive(void **state)
{
    arena mem = arena_new(0);
    imap_search s;
    const char *in = "CHARSET UTF-8 UNFLAGGED SUBJECT \"x\" HEADER X-Y z SINCE 2-Jan-1970 LARGER 7 3,1 UNKEYWORD k";

    (void)state;
    assert_true(read(in, strlen(in), &mem, &s));
    assert_true(str_equal(s.charset, STR("UTF-8")));
    assert_true(s.nodes[1].number == IMAP_FLAGGED && s.nodes[1].is_unset);
    assert_true(str_equal(s.nodes[2].field, STR("Subject")) && str_equal(s.nodes[2].text, STR("x")));
    assert_true(str_equal(s.nodes[3].field, STR("X-Y")) && str_equal(s.nodes[3].text, STR("z")));
    assert_int_equal(s.nodes[4].day, 1);
    assert_int_equal(s.nodes[5].number, 7);
    assert_int_equal(s.nodes[6].set.n, 2);
    assert_true(s.nodes[7].is_unset && str_equal(s.nodes[7].text, STR("k")));
    arena_free(&mem);
}

/* A leaf "LARGER n" is true for 1, false for 0; each one that is asked is counted. */
static bool leaf(void *context, const imap_search_node *n)
{
    ++*(unsigned *)context;
    return n->number == 1;
}

static const struct match_row {
    const char *in; /* t and f stand for leaves */
    bool want;
    unsigned asked;
} match_rows[] = {
    { "t", true, 1 },
    { "f", false, 1 },
    { "t t f t", false, 3 },
    { "f t t", false, 1 },
    { "NOT t", false, 1 },
    { "NOT f t", true, 2 },
    { "OR t f", true, 1 },
    { "OR f t", true, 2 },
    { "OR f f", false, 2 },
    { "OR f f t", false, 2 },
    { "OR (t f) (t t) t", true, 5 },
    { "NOT (OR t f t)", false, 2 },
    { "NOT OR f f", true, 2 },
    { "OR OR OR f f f t", true, 4 },
    { "OR NOT t NOT NOT t", true, 2 },
    { "(t (t (f t)) t) t", false, 3 },
    { "NOT NOT NOT f NOT (f)", true, 2 },
};

static void programs_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(match_rows); i++) {
        arena mem = arena_new(0);
        buf in = buf_new(1000);
        imap_search s;
        unsigned asked = 0;
        for (const char *p = match_rows[i].in; *p; p++) {
            if (*p == 't' || *p == 'f')
                buf_append(&in, *p == 't' ? STR("LARGER 1") : STR("LARGER 0"));
            else
                buf_append_char(&in, *p);
        }
        assert_true(read(in.p, in.n, &mem, &s));
        if (imap_search_matches(&s, leaf, &asked) != match_rows[i].want || asked != match_rows[i].asked)
            fail_msg("%s: %u asked", match_rows[i].in, asked);
        buf_free(&in);
        arena_free(&mem);
    }
}

static bool read_many(const char *each, size_t n, const char *middle, const char *each_end)
{
    arena mem = arena_new(0);
    imap_search s;
    unsigned asked = 0;
    buf in = buf_new(1 << 20);

    for (size_t i = 0; i < n; i++)
        buf_append(&in, str_c(each));
    buf_append(&in, str_c(middle));
    for (size_t i = 0; i < n; i++)
        buf_append(&in, str_c(each_end));
    bool good = read(in.p, in.n, &mem, &s);
    if (good)
        imap_search_matches(&s, leaf, &asked);
    buf_free(&in);
    arena_free(&mem);
    return good;
}

static void ten_thousand_nodes_are_the_limit(void **state)
{
    (void)state;
    for (size_t more = 0; more < 3; more++) {
        size_t n = IMAP_SEARCH_NODES_MAX - 3 + more; /* with the first AND and the leaf in the middle */
        assert_int_equal(read_many("NOT ", n, "ALL", ""), more < 2);
        assert_int_equal(read_many("(", n, "ALL", ")"), more < 2);
        assert_int_equal(read_many("ALL ", n, "ALL", ""), more < 2);
    }
    assert_true(read_many("OR LARGER 0 ", 4000, "ALL", ""));
    assert_false(read_many("(", 100000, "ALL", ")"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(programs_match),
        cmocka_unit_test(ten_thousand_nodes_are_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
