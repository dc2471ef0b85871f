/* Each row whole and truncated at every byte. Lines split anywhere are test_line's. */
#include "proto/pop3_command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    str line;
    parse want;
    pop3_verb verb;
    const char *argument;
    uint32_t number, lines;
} rows[] = {
    { STR_ROW("QUIT"), PARSE_DONE, POP3_QUIT, NULL, 0, 0 },
    { STR_ROW("stat "), PARSE_DONE, POP3_STAT, NULL, 0, 0 },
    { STR_ROW("STAT 1"), PARSE_BAD, POP3_STAT, NULL, 0, 0 },
    { STR_ROW("USER a@b.example"), PARSE_DONE, POP3_USER, "a@b.example", 0, 0 },
    { STR_ROW("USER"), PARSE_BAD, POP3_USER, NULL, 0, 0 },
    { STR_ROW("USER "), PARSE_BAD, POP3_USER, NULL, 0, 0 },
    { STR_ROW("PASS a b "), PARSE_DONE, POP3_PASS, "a b ", 0, 0 },
    { STR_ROW("PASS  x"), PARSE_DONE, POP3_PASS, " x", 0, 0 },
    { STR_ROW("RETR 1"), PARSE_DONE, POP3_RETR, NULL, 1, 0 },
    { STR_ROW("RETR 4294967295"), PARSE_DONE, POP3_RETR, NULL, 4294967295, 0 },
    { STR_ROW("RETR 4294967296"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR 0"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR -1"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR 1x"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR 99999999999999999999999"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR"), PARSE_BAD, POP3_RETR, NULL, 0, 0 },
    { STR_ROW("RETR 1 2"), PARSE_BAD, POP3_RETR, NULL, 1, 0 },
    { STR_ROW("DELE 7"), PARSE_DONE, POP3_DELE, NULL, 7, 0 },
    { STR_ROW("LIST"), PARSE_DONE, POP3_LIST, NULL, 0, 0 },
    { STR_ROW("LIST 3"), PARSE_DONE, POP3_LIST, NULL, 3, 0 },
    { STR_ROW("UIDL"), PARSE_DONE, POP3_UIDL, NULL, 0, 0 },
    { STR_ROW("uidl 3"), PARSE_DONE, POP3_UIDL, NULL, 3, 0 },
    { STR_ROW("UIDL x"), PARSE_BAD, POP3_UIDL, NULL, 0, 0 },
    { STR_ROW("TOP 1 0"), PARSE_DONE, POP3_TOP, NULL, 1, 0 },
    { STR_ROW("TOP 1 10"), PARSE_DONE, POP3_TOP, NULL, 1, 10 },
    { STR_ROW("TOP 1"), PARSE_BAD, POP3_TOP, NULL, 1, 0 },
    { STR_ROW("TOP 1 -1"), PARSE_BAD, POP3_TOP, NULL, 1, 0 },
    { STR_ROW("TOP 1 1 1"), PARSE_BAD, POP3_TOP, NULL, 1, 1 },
    { STR_ROW("CAPA"), PARSE_DONE, POP3_CAPA, NULL, 0, 0 },
    { STR_ROW("STLS"), PARSE_DONE, POP3_STLS, NULL, 0, 0 },
    { STR_ROW("AUTH"), PARSE_DONE, POP3_AUTH, "", 0, 0 },
    { STR_ROW("AUTH PLAIN"), PARSE_DONE, POP3_AUTH, "PLAIN", 0, 0 },
    { STR_ROW("AUTH PLAIN a b"), PARSE_BAD, POP3_AUTH, "PLAIN", 0, 0 },
    { STR_ROW("APOP a b"), PARSE_BAD, POP3_UNKNOWN, NULL, 0, 0 },
    { STR_ROW(""), PARSE_BAD, POP3_UNKNOWN, NULL, 0, 0 },
    { STR_ROW(" QUIT"), PARSE_BAD, POP3_UNKNOWN, NULL, 0, 0 },
    { STR_ROW("QUITX"), PARSE_BAD, POP3_UNKNOWN, NULL, 0, 0 },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pop3_command c;
        if (pop3_command_parse(rows[i].line, &c) != rows[i].want || c.verb != rows[i].verb)
            fail_msg("%.*s", STR_ARG(rows[i].line));
        assert_int_equal(c.problem == NULL, rows[i].want == PARSE_DONE);
        if (rows[i].argument)
            assert_true(str_equal(c.argument, str_c(rows[i].argument)));
        if (rows[i].want != PARSE_DONE)
            continue;
        assert_int_equal(c.number, rows[i].number);
        assert_int_equal(c.has_number, rows[i].number != 0);
        assert_int_equal(c.lines, rows[i].lines);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].line.n; n++) {
            char *copy = malloc(n ? n : 1);
            pop3_command c;
            memcpy(copy, rows[i].line.p, n);
            pop3_command_parse((str){ copy, n }, &c);
            free(copy);
        }
}

static void verbs_know_where_they_belong(void **state)
{
    pop3_command c;

    (void)state;
    pop3_command_parse(STR("PASS x"), &c);
    assert_int_equal(c.legal_in, POP3_AUTHORIZATION);
    pop3_command_parse(STR("DELE 1"), &c);
    assert_int_equal(c.legal_in, POP3_TRANSACTION);
    pop3_command_parse(STR("CAPA"), &c);
    assert_int_equal(c.legal_in, POP3_ANY);
}

static void an_initial_response_is_told_from_none(void **state)
{
    pop3_command c;

    (void)state;
    assert_int_equal(pop3_command_parse(STR("AUTH PLAIN ="), &c), PARSE_DONE);
    assert_true(str_equal(c.initial, STR("=")));
    assert_int_equal(pop3_command_parse(STR("AUTH PLAIN"), &c), PARSE_DONE);
    assert_null(c.initial.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(verbs_know_where_they_belong),
        cmocka_unit_test(an_initial_response_is_told_from_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
