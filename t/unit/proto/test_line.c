/* Lines run whole, byte by byte and truncated; what is refused is skipped to its true end. */
#include "proto/line.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MAX = 12 };

typedef struct row {
    str in;
    bool lf_ends;
    const char *want; /* lines as "text;", refused ones as "!" and the problem's number */
} row;

static const row rows[] = {
    { STR_ROW("NOOP\r\nQUIT\r\n"), false, "NOOP;QUIT;" },
    { STR_ROW("\r\n\r\n"), false, ";;" },
    { STR_ROW("NOOP\nQUIT\r\nRSET\r\n"), false, "!3RSET;" },
    { STR_ROW("NOOP\nQUIT\r\nRSET\r\n"), true, "NOOP;QUIT;RSET;" },
    { STR_ROW("NO\rOP\r\nRSET\r\n"), false, "!2RSET;" },
    { STR_ROW("NO\r\r\nRSET\r\n"), false, "!2RSET;" },
    { STR_ROW("NO\0OP\r\nRSET\r\n"), false, "!4RSET;" },
    { STR_ROW("NO\0OP\nRSET\r\n"), true, "!4RSET;" },
    { STR_ROW("0123456789\r\nRSET\r\n"), false, "0123456789;RSET;" },
    { STR_ROW("01234567890\r\nRSET\r\n"), false, "!1RSET;" },
    { STR_ROW("012345678901\r\nRSET\r\n"), false, "!1RSET;" },
    { STR_ROW("01234567890\nRSET\n"), true, "01234567890;RSET;" },
    { STR_ROW("012345678901234\nMAIL\rx\r\nRSET\r\n"), false, "!1RSET;" },
    { STR_ROW("a\0b\nc\rd\0\r\nRSET\r\n"), false, "!4RSET;" },
};

/* Feeds `piece` octets at a time, as a stream does: what was not used comes again with more. */
static void run(const row *r, size_t n, size_t piece, char *out, size_t room)
{
    line_reader reader = line_reader_new(MAX, r->lf_ends);
    size_t start = 0, end = 0, at = 0;

    while (end < n) {
        end = end + piece < n ? end + piece : n;
        while (true) {
            str line;
            size_t used;
            char *copy = malloc(end - start + 1); /* a reader that looks too far is seen */
            memcpy(copy, r->in.p + start, end - start);
            parse p = line_read(&reader, (str){ copy, end - start }, &line, &used);
            assert_true(used <= end - start);
            start += used;
            if (p == PARSE_DONE)
                at += (size_t)snprintf(out + at, room - at, "%.*s;", STR_ARG(line));
            if (p == PARSE_BAD)
                at += (size_t)snprintf(out + at, room - at, "!%d", (int)reader.problem);
            free(copy);
            if (p == PARSE_MORE)
                break;
        }
    }
    out[at] = '\0';
}

static void rows_hold_at_every_split(void **state)
{
    char got[100];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.n; piece++) {
            run(&rows[i], rows[i].in.n, piece, got, sizeof got);
            assert_string_equal(got, rows[i].want);
        }
}

static void truncated_rows_say_a_part_of_it(void **state)
{
    char got[100];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < rows[i].in.n; n++) {
            run(&rows[i], n, 1, got, sizeof got);
            assert_int_equal(strncmp(got, rows[i].want, strlen(got)), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_at_every_split),
        cmocka_unit_test(truncated_rows_say_a_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
