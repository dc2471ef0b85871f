/* Return paths for each recipient. */
#include "mail/verp.h"
#include "mail/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void each_row_holds(void **state)
{
#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    static const struct {
        str sender, recipient, delimiters, want; /* an empty one: the sender stays */
    } rows[] = {
        { STR_ROW("list@l.example"), STR_ROW("u@d.example"), STR_ROW("+="), STR_ROW("list+u=d.example@l.example") },
        { STR_ROW("owner-x@l.example"), STR_ROW("U.v@D.Example"), STR_ROW("-="),
          STR_ROW("owner-x-U.v=d.example@l.example") },
        { STR_ROW("list@l.example"), STR_ROW("@hop.example:u@d.example"), STR_ROW("+="),
          STR_ROW("list+u=d.example@l.example") },
        { STR_ROW("\"a b\"@l.example"), STR_ROW("u@d.example"), STR_ROW("+="),
          STR_ROW("\"a b+u=d.example\"@l.example") },
        { STR_ROW("list@l.example"), STR_ROW("\"x@y\"@d.example"), STR_ROW("+="),
          STR_ROW("\"list+x@y=d.example\"@l.example") },
        { STR_ROW("list@l.example"), STR_ROW("u@[192.0.2.1]"), STR_ROW("+="),
          STR_ROW("\"list+u=[192.0.2.1]\"@l.example") },
        { STR_ROW(""), STR_ROW("u@d.example"), STR_ROW("+="), STR_NONE },
        { STR_ROW("list"), STR_ROW("u@d.example"), STR_ROW("+="), STR_NONE },
        { STR_ROW("list@l.example"), STR_ROW("u"), STR_ROW("+="), STR_NONE },
        { STR_ROW("list@l.example"), STR_ROW("u@d.example"), STR_ROW(""), STR_NONE },
        { STR_ROW("list@l.example"), STR_ROW("u@d.example"), STR_ROW("+"), STR_NONE },
        { STR_ROW("list@l.example"), STR_ROW("a b"), STR_ROW("+="), STR_NONE },
        { STR_ROW(LONG "@l.example"), STR_ROW("u@long.d.example"), STR_ROW("+="), STR_NONE },
    };
#undef LONG
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena a = arena_new(0);
        str out;
        bool is_made = verp_sender(rows[i].sender, rows[i].recipient, rows[i].delimiters, &a, &out);
        assert_int_equal(is_made, rows[i].want.n > 0);
        if (!str_equal(out, is_made ? rows[i].want : rows[i].sender))
            fail_msg("%zu: %.*s", i, STR_ARG(out));
        arena_free(&a);
    }
}

static void truncated_addresses_are_no_trouble(void **state)
{
    str sender = STR("\"a\\b\"@l.example"), recipient = STR("\"x y\"@[IPv6:2001:db8::1]");
    (void)state;
    for (size_t i = 0; i <= sender.n; i++)
        for (size_t k = 0; k <= recipient.n; k++) {
            arena a = arena_new(0);
            struct address parsed;
            str out;
            if (verp_sender(str_upto(sender, i), str_upto(recipient, k), STR("+="), &a, &out))
                assert_int_equal(address_parse(out, &parsed), PARSE_DONE);
            arena_free(&a);
        }
}

static void delimiters(void **state)
{
    (void)state;
    assert_true(verp_is_valid(STR("+="), STR("-=+")));
    assert_true(verp_is_valid(STR("--"), STR("-=+")));
    assert_false(verp_is_valid(STR(""), STR("-=+")));
    assert_false(verp_is_valid(STR("+"), STR("-=+")));
    assert_false(verp_is_valid(STR("+=="), STR("-=+")));
    assert_false(verp_is_valid(STR("+@"), STR("-=+")));
    assert_false(verp_is_valid(STR("@+"), STR("-=+")));
    assert_false(verp_is_valid(STR("+="), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_holds),
                                        cmocka_unit_test(truncated_addresses_are_no_trouble),
                                        cmocka_unit_test(delimiters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
