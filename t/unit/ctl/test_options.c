/* SOURCES: ctl/sendmail/options.c  NEEDS: ipc */
#include "ctl/sendmail/options.h"
#include "ipc/talk/envelope.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { WORDS_MAX = 32 };

static fault take(const char *line, sendmail_options *out)
{
    static char text[1000];
    static char *argv[WORDS_MAX];
    int argc = 0;
    char *rest = text, *word;
    snprintf(text, sizeof text, "sendmail %s", line);
    while (argc < WORDS_MAX - 1 && (word = strsep(&rest, " ")) != NULL)
        if (*word)
            argv[argc++] = word;
    argv[argc] = NULL;
    return sendmail_options_read(argc, argv, out);
}

static void test_what_other_software_says(void **state)
{
    (void)state;
    sendmail_options o;
    assert_false(is_fault(take("-t -i", &o)));
    assert_true(o.reads_header && o.ignores_dot && o.mode == MODE_DELIVER && o.recipient_count == 0);
    assert_false(is_fault(take("-oi -f a@b -FName root -- -x", &o)));
    assert_true(o.ignores_dot && !o.reads_header && o.has_sender);
    assert_true(str_equal(o.sender, STR("a@b")) && str_equal(o.full_name, STR("Name")));
    assert_int_equal(o.recipient_count, 2);
    assert_string_equal(o.recipients[0], "root");
    assert_string_equal(o.recipients[1], "-x");
    assert_false(is_fault(take("-oem -oMr smtp -odb -om -e m -O Timeout=1 -v -n -G -h 3 -B8BITMIME -r <> a", &o)));
    assert_true(o.is_8bit && o.has_sender && str_equal(o.sender, STR("<>")) && !o.ignores_dot);
    assert_false(o.has_verp);
    assert_false(is_fault(take("-XV a", &o)));
    assert_true(o.has_verp && o.verp.n == 0);
    assert_false(is_fault(take("-XV-= a", &o)));
    assert_true(o.has_verp && str_equal(o.verp, STR("-=")));
    assert_false(is_fault(take("-X /log a", &o)));
    assert_false(o.has_verp);
    assert_false(is_fault(take("-N success,delay -R hdrs -V id1 a", &o)));
    assert_int_equal(o.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
    assert_true(str_equal(o.returns, STR("HDRS")) && str_equal(o.envelope_id, STR("id1")));
}

typedef struct mode_row {
    const char *line;
    sendmail_mode mode;
} mode_row;

static void test_modes(void **state)
{
    static const mode_row modes[] = { { "-bm", MODE_DELIVER }, { "-bs", MODE_SMTP },      { "-b s", MODE_SMTP },
                                      { "-bp", MODE_LIST },    { "-bi", MODE_ALIASES },   { "-I", MODE_ALIASES },
                                      { "-q", MODE_FLUSH },    { "-qRsite", MODE_FLUSH }, { "-q -bp", MODE_LIST } };
    (void)state;
    sendmail_options o;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_false(is_fault(take(modes[i].line, &o)));
        assert_int_equal(o.mode, modes[i].mode);
    }
    assert_false(is_fault(take("-qI25X6Q05QBFP", &o)));
    assert_true(str_equal(o.flush_id, STR("25X6Q05QBFP")));
    assert_false(is_fault(take("-qRd.example", &o)));
    assert_true(str_equal(o.flush_site, STR("d.example")) && o.flush_id.n == 0);
}

static void test_what_is_wrong_is_refused(void **state)
{
    static const char *const lines[] = { "-Z x",      "-f",       "-bd",          "-bx",
                                         "-b",        "-q15m",    "-N sometimes", "-N never,delay",
                                         "-N ,",      "-XV+",     "-XV+=-",      "-R all",   "-B 9BIT",      "-f a\nb x",
                                         "-F a\rb x", "-V a\x01", "-r a\x1b" };
    (void)state;
    sendmail_options o;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(take(lines[i], &o).kind, FAULT_REFUSED);
}

static void test_texts_have_limits(void **state)
{
    (void)state;
    sendmail_options o;
    char line[200];
    snprintf(line, sizeof line, "-V %0100d", 0);
    assert_false(is_fault(take(line, &o)));
    snprintf(line, sizeof line, "-V %0101d", 0);
    assert_true(is_fault(take(line, &o)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_other_software_says),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_what_is_wrong_is_refused),
        cmocka_unit_test(test_texts_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
