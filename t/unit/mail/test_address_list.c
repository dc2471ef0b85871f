/* Rows of header address lists against entries written as text: [name|route|mailbox|host], - for none, ! for broken. */
#include "mail/address_list.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

typedef struct row {
    const char *value, *want;
} row;

static const row rows[] = {
    { "", "" },
    { " , ,, ", "" },
    { "a@b.example", "[-|-|a|b.example]" },
    { "root", "[-|-|root|]" },
    { "a@b, c@d", "[-|-|a|b][-|-|c|d]" },
    { "Joe Q. Public <joe@b>", "[Joe Q. Public|-|joe|b]" },
    { "\"Public, Joe \\\"X\\\"\" <joe@b>", "[Public, Joe \"X\"|-|joe|b]" },
    { "Joe\r\n\t\"Q.\"   Public <joe@b>", "[Joe Q. Public|-|joe|b]" },
    { "=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_X?= <j@b>", "[=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_X?=|-|j|b]" },
    { "<a@b>", "[-|-|a|b]" },
    { "\"\" <a@b>", "[-|-|a|b]" },
    { "<>", "[-|-||!]" },
    { "a@b (Joe Public)", "[Joe Public|-|a|b]" },
    { "a@b (Joe (the \\) one) Public)", "[Joe (the ) one) Public|-|a|b]" },
    { "(only a comment)", "" },
    { "(x) , a@b", "[-|-|a|b]" },
    { "Joe (x) <a@b> (y)", "[Joe|-|a|b]" },
    { "<@x,@y:a@b>", "[-|@x,@y|a|b]" },
    { "J <@x:a@b>, c@d", "[J|@x|a|b][-|-|c|d]" },
    { "<@x,@y>", "[-|-||!]" },
    { "\"a b\"@c", "[-|-|a b|c]" },
    { "\"a\\\"@b\"@c", "[-|-|a\"@b|c]" },
    { "a . b @ c . d", "[-|-|a.b|c.d]" },
    { "a(x).(y)b@c(z).d", "[z|-|a.b|c.d]" },
    { "a@[192.0.2.1]", "[-|-|a|[192.0.2.1]]" },
    { "a@[IPv6:::1]", "[-|-|a|[IPv6:::1]]" },
    { "undisclosed-recipients:;", "[undisclosed-recipients|group][end]" },
    { "A Group: a@b, Joe <c@d>; , e@f", "[A Group|group][-|-|a|b][Joe|-|c|d][end][-|-|e|f]" },
    { "A: a@b", "[A|group][-|-|a|b][end]" },
    { "A:b:c@d;e@f", "[A|group][-|-|c|d!][end][-|-|e|f]" },
    { "A:;B:;", "[A|group][end][B|group][end]" },
    { "a@b; c@d;", "[-|-|a|b][-|-|c|d]" },
    { "joe@x.example <joe@b>", "[joe@x.example|-|joe|b]" },
    { "Joe Blow joe@b", "[-|-|joe|b!]" },
    { "John Smith", "[-|-|Smith|!]" },
    { "a@b c@d", "[-|-|a|b!]" },
    { "a@b@c", "[-|-|a|b!]" },
    { "a@", "[-|-|a|!]" },
    { "@b", "[-|-||b!]" },
    { "J <a@b", "[J|-|a|b!]" },
    { "J <a@b, c@d", "[J|-|a|b!][-|-|c|d]" },
    { "J a@b>, c@d", "[-|-|a|b!][-|-|c|d]" },
    { "\"open <a@b>", "[-|-|open <a@b>|]" },
    { "(open <a@b>", "" },
    { "a@b (open", "[open|-|a|b]" },
    { "J <a@b> junk <x@y>, c@d", "[J|-|a|b][-|-|c|d]" },
    { ")(", "[-|-||!]" },
    { "\xe9 <a@b>", "[\xe9|-|a|b]" },
    { "a\\b@c", "[-|-|b|c!]" },
};

static void field_put(buf *out, str s)
{
    buf_append(out, s.p ? s : STR("-"));
    buf_append_char(out, '|');
}

static void entries_write(str value, buf *out)
{
    arena mem = arena_new(0);
    address_list list = address_list_open(value, &mem);
    address_entry e;

    while (address_list_next(&list, &e)) {
        buf_append_char(out, '[');
        if (e.kind == ADDRESS_MAILBOX) {
            assert_non_null(e.mailbox.p);
            assert_non_null(e.host.p);
            field_put(out, e.name);
            field_put(out, e.route);
            field_put(out, e.mailbox);
            buf_append(out, e.host);
            buf_append(out, e.is_broken ? STR("!]") : STR("]"));
        } else if (e.kind == ADDRESS_GROUP_START) {
            assert_null(e.host.p);
            field_put(out, e.name);
            buf_append(out, STR("group]"));
        } else {
            assert_null(e.host.p);
            assert_null(e.mailbox.p);
            buf_append(out, STR("end]"));
        }
    }
    assert_false(address_list_next(&list, &e));
    assert_int_equal(list.at, value.n);
    arena_free(&mem);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf got = buf_new(4096);
        entries_write(str_c(rows[i].value), &got);
        if (!str_equal(buf_str(&got), str_c(rows[i].want)))
            fail_msg("%s: got %.*s, want %s", rows[i].value, STR_ARG(buf_str(&got)), rows[i].want);
        buf_free(&got);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].value); n++) {
            char *copy = malloc(n ? n : 1);
            buf got = buf_new(4096);
            memcpy(copy, rows[i].value, n);
            entries_write((str){ copy, n }, &got);
            buf_free(&got);
            free(copy);
        }
}

static uint64_t looked_at(str unit, size_t times)
{
    arena mem = arena_new(0);
    char *value = malloc(unit.n * times);
    address_entry e;

    for (size_t i = 0; i < times; i++)
        memcpy(value + i * unit.n, unit.p, unit.n);
    address_list list = address_list_open((str){ value, unit.n * times }, &mem);
    while (address_list_next(&list, &e))
        continue;
    assert_true(mem.used < 40 * unit.n * times + 4096);
    free(value);
    arena_free(&mem);
    return list.looked;
}

static void time_and_memory_are_linear(void **state)
{
    static const str units[] = {
        STR_ROW("a@b,"), STR_ROW("("),      STR_ROW("()"),  STR_ROW("(()"),    STR_ROW("\""),
        STR_ROW("<"),    STR_ROW("<@"),     STR_ROW("<@,"), STR_ROW("a "),     STR_ROW("a@b "),
        STR_ROW(":"),    STR_ROW("a:;"),    STR_ROW("["),   STR_ROW("\\"),     STR_ROW("@"),
        STR_ROW("<@:"),  STR_ROW("\"a\" "), STR_ROW(">"),   STR_ROW("a\r\n "),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        uint64_t once = looked_at(units[i], 100000), twice = looked_at(units[i], 200000);
        assert_true(once >= 100000);
        if (twice * 10 >= once * 25)
            fail_msg("%.*s: %lu, then %lu", STR_ARG(units[i]), once, twice);
    }
}

static void a_path_is_what_the_envelope_takes(void **state)
{
    arena mem = arena_new(0);
    address_list list = address_list_open(STR("\"a b\"@c, root, d@e"), &mem);
    address_entry e;

    (void)state;
    assert_true(address_list_next(&list, &e));
    assert_true(str_equal(address_entry_path(&e, &mem), STR("\"a b\"@c")));
    assert_true(address_list_next(&list, &e));
    assert_true(str_equal(address_entry_path(&e, &mem), STR("root")));
    assert_true(address_list_next(&list, &e));
    assert_true(str_equal(address_entry_path(&e, &mem), STR("d@e")));
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(time_and_memory_are_linear),
        cmocka_unit_test(a_path_is_what_the_envelope_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
