/* What a client sends, as rows of bytes and of what comes out, at every split: commands, continuations, messages,
 * refusals. */
#include "proto/imap_input.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LINE = 40, COMMAND = 60, APPEND = 30 };

/* "[…]" a command, "+" a continuation that is due, "<…>" a message, "." its good end, "!n" a refusal, "X" fatal. */
typedef struct row {
    str in;
    const char *want;
    bool refuses; /* the session does not want messages */
} row;

static const row rows[] = {
    { STR_ROW("a NOOP\r\nb LOGOUT\r\n"), "[a NOOP][b LOGOUT]", false },
    { STR_ROW("a NOOP\nb LOGOUT\n"), "[a NOOP][b LOGOUT]", false },
    { STR_ROW("\r\n"), "[]", false },
    { STR_ROW("a LOGIN {3}\r\nfoo {3}\r\nbar\r\nb X\r\n"), "++[a LOGIN {3}|foo {3}|bar][b X]", false },
    { STR_ROW("a LOGIN {3+}\r\nfoo {3+}\r\nb\r\n\r\nb X\r\n"), "[a LOGIN {3+}|foo {3+}|b|][b X]", false },
    { STR_ROW("a X {0}\r\n\r\nb Y\r\n"), "+[a X {0}|][b Y]", false },
    { STR_ROW("a X {5+}\r\n{9}\r\n {1+}\r\n}\r\nb Y\r\n"), "[a X {5+}|{9}| {1+}|}][b Y]", false },
    { STR_ROW("a X {-1}\r\nb Y\r\n"), "[a X {-1}][b Y]", false },
    { STR_ROW("a X {}\r\nb Y\r\n"), "[a X {}][b Y]", false },
    { STR_ROW("a X 3}\r\nb Y\r\n"), "[a X 3}][b Y]", false },
    { STR_ROW("a X {51}\r\nb Y\r\n"), "!2[b Y]", false },
    { STR_ROW("a X {4294967296}\r\nb Y\r\n"), "!2[b Y]", false },
    { STR_ROW("a X {99999999999999999999}\r\nb Y\r\n"), "!2[b Y]", false },
    { STR_ROW("a X {55+}\r\n1234567890123456789012345678901234567890\r\nb NOT\r\nxyz123\r\nb Y\r\n"), "!2[b Y]",
      false },
    { STR_ROW("a X {60+}\r\n12345678901234567890123456789012345678901234567\r\nb NOTRUN\r\n {2+}\r\nc \r\nb Y\r\n"),
      "!2[b Y]", false },
    { STR_ROW("a X {99999999999999999999+}\r\n"), "!2X", false },
    { STR_ROW("a X {9999999+}\r\n"), "!2", false }, /* within what is read past: not fatal with APPEND on */
    { STR_ROW("a NO\0OP\r\nb Y\r\n"), "!3[b Y]", false },
    { STR_ROW("a NO\rOP\r\nb Y\r\n"), "!3[b Y]", false },
    { STR_ROW("a NO\0 {5+}\r\nc Z\r\n\r\nb Y\r\n"), "!3[b Y]", false },
    { STR_ROW("a NO\0 {5}\r\nb Y\r\n"), "!3[b Y]", false },
    { STR_ROW("a NO\0 {00000000000000000000000000000000000005+}\r\nc Z\r\n"), "!3X", false },
    { STR_ROW("a 345678901234567890123456789012345678\r\nb Y\r\n"), "[a 345678901234567890123456789012345678][b Y]",
      false },
    { STR_ROW("a 3456789012345678901234567890123456789\r\nb Y\r\n"), "!1[b Y]", false },
    { STR_ROW("a 3456789012345678901234567890123456789 {3+}\r\nc \nb\r\nb Y\r\n"), "!1[b Y]", false },
    { STR_ROW("a 345678901234567890123456789012345678{3+}\r\nc \nb\r\nb Y\r\n"), "!1[b Y]", false },
    { STR_ROW("a X {1+}\r\n1{1+}\r\n1{1+}\r\n1{1+}\r\n1{1+}\r\n1{1+}\r\n1\r\nb Y\r\n"), "!1[b Y]", false },
    { STR_ROW("a APPEND x {5}\r\nhello\r\nb Y\r\n"), "[a APPEND x {5}]+<hello>.[b Y]", false },
    { STR_ROW("a append x {5+}\r\nhello\r\nb Y\r\n"), "[a append x {5+}]<hello>.[b Y]", false },
    { STR_ROW("a APPEND {1}\r\nx {5+}\r\nhello\nb Y\r\n"), "+[a APPEND {1}|x {5+}]<hello>.[b Y]", false },
    { STR_ROW("a APPEND x {0+}\r\n\r\nb Y\r\n"), "[a APPEND x {0+}]<>.[b Y]", false },
    { STR_ROW("a APPEND x {3+}\r\na\0b \r\nb Y\r\n"), "[a APPEND x {3+}]<a0b>.[b Y]", false },
    { STR_ROW("a APPEND x {2+}\r\nhello\r\nb Y\r\n"), "[a APPEND x {2+}]<he>!3[b Y]", false },
    { STR_ROW("a APPEND x {2+}\r\nhe {7+}\r\nc NOT\r\n\r\nb Y\r\n"), "[a APPEND x {2+}]<he>!3[b Y]", false },
    { STR_ROW("a APPEND x {30+}\r\n123456789012345678901234567890\r\n"),
      "[a APPEND x {30+}]<123456789012345678901234567890>.", false },
    { STR_ROW("a APPEND x {31}\r\nb Y\r\n"), "!2[b Y]", false },
    { STR_ROW("a APPEND x {31+}\r\n123456789012345678901234567\r\nxx\r\nb Y\r\n"), "!2[b Y]", false },
    { STR_ROW("a APPEND x {5}\r\nb Y\r\n"), "[a APPEND x {5}][b Y]", true },
    { STR_ROW("a APPEND x {6+}\r\nc Z\r\n1\r\nb Y\r\n"), "[a APPEND x {6+}][b Y]", true },
    { STR_ROW("a APPEND x {0+}\r\n\r\nb Y\r\n"), "[a APPEND x {0+}][b Y]", true },
};

typedef struct said {
    char text[400];
    size_t n;
    bool in_message;
} said;

static void say(said *s, str bytes)
{
    for (size_t i = 0; i < bytes.n && s->n + 1 < sizeof s->text; i++) {
        if (bytes.p[i] == '\r' && i + 1 < bytes.n && bytes.p[i + 1] == '\n')
            continue;
        s->text[s->n++] = bytes.p[i] == '\n' ? '|' : bytes.p[i] ? bytes.p[i] : '0';
    }
    s->text[s->n] = '\0';
}

static void say_command(said *s, const imap_input *i)
{
    say(s, STR("["));
    say(s, imap_input_command(i));
    say(s, STR("]"));
}

static void command_done(said *s, imap_input *i, bool refuses)
{
    say_command(s, i);
    if (!i->has_message) {
        imap_input_next(i);
    } else if (refuses) {
        imap_input_refuse(i);
        imap_input_next(i);
    } else {
        if (i->is_sync)
            say(s, STR("+"));
        say(s, STR("<"));
        s->in_message = true;
        imap_input_accept(i);
    }
}

static size_t message_step(said *s, imap_input *i, str in)
{
    str piece;
    size_t used;
    parse p = imap_input_message(i, in, &piece, &used);

    say(s, piece);
    if (p == PARSE_MORE)
        return used;
    s->in_message = false;
    say(s, p == PARSE_DONE ? STR(">.") : STR(">!3"));
    imap_input_next(i);
    return used;
}

static size_t command_step(said *s, imap_input *i, str in, bool refuses)
{
    size_t used;
    parse p = imap_input_feed(i, in, &used);
    char number[2] = { '!', (char)('0' + i->problem) };

    if (p == PARSE_DONE)
        command_done(s, i, refuses);
    if (p == PARSE_BAD && !i->is_fatal)
        say(s, (str){ number, 2 });
    if (p == PARSE_BAD && i->is_fatal)
        say(s, s->n && s->text[s->n - 2] == '!' ? STR("X") : STR("!2X"));
    if (p == PARSE_BAD)
        imap_input_next(i);
    if (i->wants_continuation)
        say(s, STR("+"));
    return used;
}

static void run(const row *r, size_t n, size_t piece, said *s)
{
    imap_input i = imap_input_new((imap_limits){ LINE, COMMAND, APPEND });
    size_t at = 0;

    *s = (said){ 0 };
    for (size_t end = 0; end < n;) {
        end = end + piece < n ? end + piece : n;
        while (at < end && !i.is_fatal) {
            char *copy = malloc(end - at);
            memcpy(copy, r->in.p + at, end - at);
            str in = { copy, end - at };
            at += s->in_message ? message_step(s, &i, in) : command_step(s, &i, in, r->refuses);
            free(copy);
        }
    }
    imap_input_free(&i);
}

static void rows_hold_at_every_split(void **state)
{
    said s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.n; piece++) {
            run(&rows[i], rows[i].in.n, piece, &s);
            if (strcmp(s.text, rows[i].want) != 0)
                fail_msg("row %zu in pieces of %zu: %s", i, piece, s.text);
        }
}

static void truncated_rows_say_a_part_of_it(void **state)
{
    said s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < rows[i].in.n; n++) {
            run(&rows[i], n, 3, &s);
            assert_int_equal(strncmp(s.text, rows[i].want, s.n), 0);
        }
}

/* A client's word allocates nothing. */
static void memory_grows_as_bytes_come(void **state)
{
    imap_input i = imap_input_new(IMAP_LIMITS(1 << 30));
    size_t used;

    (void)state;
    assert_int_equal(imap_input_feed(&i, STR("a LOGIN {120000}\r\n"), &used), PARSE_MORE);
    assert_true(i.wants_continuation);
    assert_true(i.command.capacity < 200);
    imap_input_free(&i);
    i = imap_input_new(IMAP_LIMITS(1 << 30));
    assert_int_equal(imap_input_feed(&i, STR("a APPEND x {900000000}\r\n"), &used), PARSE_DONE);
    assert_int_equal(i.message_bytes, 900000000);
    assert_true(i.command.capacity < 200);
    imap_input_free(&i);
}

static void before_login_a_long_skip_is_fatal(void **state)
{
    imap_input i = imap_input_new(IMAP_LIMITS_BEFORE_LOGIN);
    size_t used;

    (void)state;
    assert_int_equal(imap_input_feed(&i, STR("a LOGIN {20000+}\r\n"), &used), PARSE_BAD);
    assert_true(i.is_fatal);
    imap_input_free(&i);
    i = imap_input_new(IMAP_LIMITS_BEFORE_LOGIN);
    assert_int_equal(imap_input_feed(&i, STR("a LOGIN {20000}\r\n"), &used), PARSE_BAD);
    assert_false(i.is_fatal);
    imap_input_free(&i);
}

static void bad_commands_keep_their_tag(void **state)
{
    static const struct {
        str in;
        const char *tag;
    } tags[] = {
        { STR_ROW("a1 LOGIN \0\r\n"), "a1" },       { STR_ROW("a1\0 LOGIN\r\n"), "*" },
        { STR_ROW("\"a NOOP \0\r\n"), "*" },        { STR_ROW("a+b NOOP \0\r\n"), "*" },
        { STR_ROW("a1 LOGIN {999999}\r\n"), "a1" },
    };

    (void)state;
    for (size_t k = 0; k < COUNT_OF(tags); k++) {
        imap_input i = imap_input_new(IMAP_LIMITS_BEFORE_LOGIN);
        size_t used;
        assert_int_equal(imap_input_feed(&i, tags[k].in, &used), PARSE_BAD);
        assert_true(str_equal(imap_input_tag(&i), str_c(tags[k].tag)));
        imap_input_free(&i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_at_every_split),    cmocka_unit_test(truncated_rows_say_a_part_of_it),
        cmocka_unit_test(memory_grows_as_bytes_come),  cmocka_unit_test(before_login_a_long_skip_is_fatal),
        cmocka_unit_test(bad_commands_keep_their_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
