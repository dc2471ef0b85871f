/* Each row runs whole and truncated at every byte; canonical forms must read back as themselves. */
#include "mail/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

enum { ROUTE = 1, LITERAL = 2, QUOTED = 4, UTF8 = 8, ROUTING = 16, DOT = 32, ODD = 64, DASH = 128 };

typedef struct row {
    const char *path;
    parse want;
    int flags;
    const char *key, *text; /* NULL: the same as path */
} row;

static const row rows[] = {
    { "", PARSE_DONE, 0, "", "" },
    { "a@b.example", PARSE_DONE, 0, NULL, NULL },
    { "postmaster", PARSE_DONE, 0, NULL, NULL },
    { "A.b+c@B.EXAMPLE", PARSE_DONE, 0, "A.b+c@b.example", "A.b+c@b.example" },
    { "a@b.example.", PARSE_DONE, DOT, "a@b.example", "a@b.example" },
    { "a@b.example..", PARSE_BAD, 0, NULL, NULL },
    { "a@.", PARSE_BAD, 0, NULL, NULL },
    { "a@[192.0.2.1]", PARSE_DONE, LITERAL, NULL, NULL },
    { "a@[192.0.2.256]", PARSE_BAD, 0, NULL, NULL },
    { "a@[192.0.2]", PARSE_BAD, 0, NULL, NULL },
    { "a@[192.0.2.1", PARSE_BAD, 0, NULL, NULL },
    { "a@[]", PARSE_BAD, 0, NULL, NULL },
    { "a@[IPv6:2001:DB8::0001]", PARSE_DONE, LITERAL, "a@[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]" },
    { "a@[ipv6:::ffff:127.0.0.1]", PARSE_DONE, LITERAL, "a@[127.0.0.1]", "a@[127.0.0.1]" },
    { "a@[IPv6:2001:db8::g]", PARSE_BAD, 0, NULL, NULL },
    { "a@[x400:c=de]", PARSE_BAD, 0, NULL, NULL },
    { "a@127.0.0.1", PARSE_BAD, 0, NULL, NULL },
    { "a@1", PARSE_BAD, 0, NULL, NULL },
    { "a@1a.2b", PARSE_DONE, 0, NULL, NULL },
    { "\"a b\"@c.example", PARSE_DONE, QUOTED, "a b@c.example", NULL },
    { "\"a\"@c.example", PARSE_DONE, QUOTED, "a@c.example", "a@c.example" },
    { "\"\\a\\\"\\\\\"@c.example", PARSE_DONE, QUOTED, "a\"\\@c.example", "\"a\\\"\\\\\"@c.example" },
    { "\"a@b.example\"@c.example", PARSE_DONE, QUOTED | ROUTING, "a@b.example@c.example", NULL },
    { "\"a>\"@c.example", PARSE_DONE, QUOTED, "a>@c.example", NULL },
    { "\"a@c.example", PARSE_BAD, 0, NULL, NULL },
    { "\"a\\\"@c.example", PARSE_BAD, 0, NULL, NULL },
    { "\"a\"b@c.example", PARSE_BAD, 0, NULL, NULL },
    { "\"\"@c.example", PARSE_BAD, 0, NULL, NULL },
    { "\"a\tb\"@c.example", PARSE_BAD, 0, NULL, NULL },
    { "\"-a\"@c.example", PARSE_DONE, QUOTED | DASH, "-a@c.example", "-a@c.example" },
    { "\"\\-a\"@c.example", PARSE_DONE, QUOTED | DASH, "-a@c.example", "-a@c.example" },
    { "-oQ/tmp@c.example", PARSE_DONE, DASH, NULL, NULL },
    { "a%b.example@c.example", PARSE_DONE, ROUTING, NULL, NULL },
    { "b!a@c.example", PARSE_DONE, ROUTING, NULL, NULL },
    { "b.example!a", PARSE_DONE, ROUTING, NULL, NULL },
    { "a%b.example", PARSE_DONE, ROUTING, NULL, NULL },
    { "a@b@c.example", PARSE_BAD, 0, NULL, NULL },
    { "a@b.example@c.example", PARSE_BAD, 0, NULL, NULL },
    { "@x.example:a@b.example", PARSE_DONE, ROUTE, "a@b.example", "a@b.example" },
    { "@x.example,@[192.0.2.1]:a@b.example", PARSE_DONE, ROUTE, "a@b.example", "a@b.example" },
    { "@x.example:", PARSE_BAD, 0, NULL, NULL },
    { "@x.example", PARSE_BAD, 0, NULL, NULL },
    { "@x.example,y:a@b.example", PARSE_BAD, 0, NULL, NULL },
    { "@:a@b.example", PARSE_BAD, 0, NULL, NULL },
    { "@", PARSE_BAD, 0, NULL, NULL },
    { "a@", PARSE_BAD, 0, NULL, NULL },
    { "a..b@c.example", PARSE_DONE, ODD, NULL, "\"a..b\"@c.example" },
    { ".a@c.example", PARSE_DONE, ODD, NULL, "\".a\"@c.example" },
    { "a.@c.example", PARSE_DONE, ODD, NULL, "\"a.\"@c.example" },
    { "a b@c.example", PARSE_BAD, 0, NULL, NULL },
    { "a\n@c.example", PARSE_BAD, 0, NULL, NULL },
    { "a@b c", PARSE_BAD, 0, NULL, NULL },
    { "a@b_c.example", PARSE_DONE, 0, NULL, NULL },
    { "a@-b.example", PARSE_BAD, 0, NULL, NULL },
    { "a@b-.example", PARSE_BAD, 0, NULL, NULL },
    { "a@b..example", PARSE_BAD, 0, NULL, NULL },
    { "a@b.example (c)", PARSE_BAD, 0, NULL, NULL },
    { "|/bin/sh", PARSE_DONE, 0, NULL, NULL },
    { "$(id)@c.example", PARSE_BAD, 0, NULL, NULL },
    { "${x}@c.example", PARSE_DONE, 0, NULL, NULL },
    { ":include:/etc/passwd", PARSE_BAD, 0, NULL, NULL },
    { "\xc3\xa9@\xc3\xa9.example", PARSE_DONE, UTF8, NULL, NULL },
    { "\xc3@b.example", PARSE_BAD, 0, NULL, NULL },
    { "\xc0\xaf@b.example", PARSE_BAD, 0, NULL, NULL },
    { "\xed\xa0\x80@b.example", PARSE_BAD, 0, NULL, NULL },
    { "a@b.\xe2\x82", PARSE_BAD, 0, NULL, NULL },
};

static int flags_of(const address *a)
{
    return (a->has_source_route ? ROUTE : 0) | (a->is_literal ? LITERAL : 0) | (a->is_quoted ? QUOTED : 0) |
           (a->is_utf8 ? UTF8 : 0) | (a->has_routing_chars ? ROUTING : 0) | (a->has_trailing_dot ? DOT : 0) |
           (a->has_odd_dots ? ODD : 0) | (a->has_dash_first ? DASH : 0);
}

static void check_text(const char *path, str got, const char *want)
{
    if (!str_equal(got, str_c(want)))
        fail_msg("%s: got %.*s, want %s", path, STR_ARG(got), want);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const row *r = &rows[i];
        arena mem = arena_new(0);
        address a, again;

        if (address_parse(str_c(r->path), &a) != r->want)
            fail_msg("%s: %s", r->path, a.problem ? a.problem : "taken");
        assert_true((a.problem != NULL) == (r->want == PARSE_BAD));
        if (r->want == PARSE_DONE) {
            if (flags_of(&a) != r->flags)
                fail_msg("%s: flags %d, want %d", r->path, flags_of(&a), r->flags);
            check_text(r->path, address_key(&a, &mem), r->key ? r->key : r->path);
            str text = address_text(&a, &mem);
            check_text(r->path, text, r->text ? r->text : r->path);
            assert_int_equal(address_parse(text, &again), PARSE_DONE);
            check_text(r->path, address_text(&again, &mem), r->text ? r->text : r->path);
        }
        arena_free(&mem);
    }
}

/* Copies that end where the heap block ends, so that the sanitizer sees a read behind them. */
static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].path); n++) {
            char *copy = malloc(n ? n : 1);
            arena mem = arena_new(0);
            address a;
            memcpy(copy, rows[i].path, n);
            if (address_parse((str){ copy, n }, &a) == PARSE_DONE) {
                assert_true(a.local.n + a.domain.n + a.route.n <= n);
                assert_true(address_text(&a, &mem).n <= ADDRESS_MAX);
            }
            arena_free(&mem);
            free(copy);
        }
}

static parse parse_sized(size_t local, size_t domain)
{
    char path[600];
    address a;

    memset(path, 'a', local);
    path[local] = '@';
    for (size_t i = 0; i < domain; i++)
        path[local + 1 + i] = i % 50 == 49 && i + 1 < domain ? '.' : 'd';
    return address_parse((str){ path, local + 1 + domain }, &a);
}

/* A local part that goes out quoted keeps within the limit that it came in under. */
static parse parse_odd(size_t local)
{
    char path[100];
    arena mem = arena_new(0);
    address a, again;

    memset(path, 'a', local);
    memcpy(path, "..", 2);
    memcpy(path + local, "@b", 2);
    parse p = address_parse((str){ path, local + 2 }, &a);
    if (p == PARSE_DONE)
        assert_int_equal(address_parse(address_text(&a, &mem), &again), PARSE_DONE);
    arena_free(&mem);
    return p;
}

static void limits_hold_at_one_less_exact_and_one_more(void **state)
{
    char label[80];

    (void)state;
    assert_int_equal(parse_sized(63, 10), PARSE_DONE);
    assert_int_equal(parse_sized(64, 10), PARSE_DONE);
    assert_int_equal(parse_sized(65, 10), PARSE_BAD);
    assert_int_equal(parse_sized(1, 254), PARSE_DONE);
    assert_int_equal(parse_sized(1, 255), PARSE_DONE);
    assert_int_equal(parse_sized(1, 256), PARSE_BAD);
    assert_int_equal(parse_sized(64, 255), PARSE_DONE);
    assert_int_equal(parse_odd(64), PARSE_DONE);
    assert_int_equal(parse_odd(65), PARSE_BAD);
    memset(label, 'x', sizeof label);
    assert_true(domain_is_valid((str){ label, 63 }));
    assert_false(domain_is_valid((str){ label, 64 }));
}

static void a_nul_is_never_taken(void **state)
{
    address a;

    (void)state;
    assert_int_equal(address_parse(STR("a\0b@c.example"), &a), PARSE_BAD);
    assert_int_equal(address_parse(STR("\"a\0b\"@c.example"), &a), PARSE_BAD);
    assert_int_equal(address_parse(STR("a@c\0.example"), &a), PARSE_BAD);
    assert_int_equal(address_parse(STR("a@[192.0.2.1\0]"), &a), PARSE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(limits_hold_at_one_less_exact_and_one_more),
        cmocka_unit_test(a_nul_is_never_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
