/* SOURCES: pipe/worker/words.c  NEEDS: base */
#include "pipe/worker/words.h"
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Arguments joined by '|'; "sh" for a shell. */
static void each_command_is_divided_as_it_should_be(void **state)
{
    static const struct {
        const char *command, *path, *words;
    } rows[] = {
        { "/bin/true", "/bin/true", "/bin/true" },
        { "  /x/y  a\tb ", "/x/y", "/x/y|a|b" },
        { "x/y a=b,c@d:e%f!g+h-i_j.k", "x/y", "x/y|a=b,c@d:e%f!g+h-i_j.k" },
        { "sh -c x", "*/sh", "sh|-c|x" },                        /* found in the path */
        { "exit 3", "/bin/sh", "sh|-c|exit 3" },                 /* the shell's own */
        { "no-such-program x", "/bin/sh", "sh|-c|no-such-program x" },
        { "/bin/echo $HOME", "/bin/sh", "sh|-c|/bin/echo $HOME" },
        { "/bin/a; /bin/b", "/bin/sh", "sh|-c|/bin/a; /bin/b" },
        { "a | b", "/bin/sh", "sh|-c|a | b" },
        { "/bin/a 'b c'", "/bin/sh", "sh|-c|/bin/a 'b c'" },
        { "/bin/a b*", "/bin/sh", "sh|-c|/bin/a b*" },
        { "/bin/a\nb", "/bin/sh", "sh|-c|/bin/a\nb" },
        { "\xc3\xa4", "/bin/sh", "sh|-c|\xc3\xa4" },
        { "", "/bin/sh", "sh|-c|" },
        { "  ", "/bin/sh", "sh|-c|  " },
    };
    arena a = arena_new(0);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        command_words w = words_read(str_c(rows[i].command), &a);
        str all = STR("");
        for (size_t k = 0; w.argv[k]; k++)
            all = arena_printf(&a, "%.*s%s%s", STR_ARG(all), k ? "|" : "", w.argv[k]);
        if (!str_equal(all, str_c(rows[i].words)))
            fail_msg("%s: %.*s", rows[i].command, STR_ARG(all));
        bool is_found = rows[i].path[0] == '*' ? str_ends(str_c(w.path), STR("/sh")) : strcmp(w.path, rows[i].path) == 0;
        if (!is_found)
            fail_msg("%s: %s", rows[i].command, w.path);
    }
    arena_free(&a);
}

static void a_nul_is_no_end_of_a_plain_command(void **state)
{
    arena a = arena_new(0);
    command_words w = words_read((str){ "/bin/a\0b", 8 }, &a);
    (void)state;
    assert_string_equal(w.argv[0], "sh");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_command_is_divided_as_it_should_be),
                                        cmocka_unit_test(a_nul_is_no_end_of_a_plain_command) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
