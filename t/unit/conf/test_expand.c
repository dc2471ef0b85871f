/* Each row is expanded whole and truncated at every byte. */
#include "conf/expand.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    const char *text, *want; /* want NULL: refused */
    const char *names;       /* that expand_names tells, each with a blank behind */
} row;

static const row rows[] = {
    { "", "", "" },
    { "plain {text} (here) a:b?c", "plain {text} (here) a:b?c", "" },
    { "$a", "1", "a " },
    { "x$a,$(a);${a}y", "x1,1;1y", "a a a " },
    { "$a.b", "1.b", "a " },
    { "$$a $$", "$a $", "" },
    { "$$$a", "$1", "a " },
    { "${a?yes}", "yes", "a " },
    { "${none?yes}", "", "none " },
    { "${empty?yes}", "", "empty " },
    { "${a:no}", "", "a " },
    { "${none:no}", "no", "none " },
    { "${empty:no}", "no", "empty " },
    { "${a?{yes}:{no}}", "yes", "a " },
    { "${none?{yes}:{no}}", "no", "none " },
    { "${none?{yes}:no}", "no", "none " },
    { "${a? {yes} : {no} }", "yes", "a " },
    { "${none:{}}", "", "none " },
    { "${a?b:c}", "b:c", "a " }, /* without braces all that follows is text */
    { "$(a?yes)", "yes", "a " },
    { "${a?{${none:{$word}}}}", "word", "a none word " },
    { "${none?{$word}:{$a}}", "1", "none word a " },
    { "${{a} == {a} ? {yes} : {no}}", "yes", "" },
    { "${{a}=={b}?{yes}:{no}}", "no", "" },
    { "${{$a} != {2} ? {yes}:{no}}", "yes", "a " },
    { "${{9} < {10} ? {yes} : {no}}", "yes", "" },
    { "${{9a} < {10a} ? {yes} : {no}}", "no", "" },
    { "${{010} <= {10} ? {yes} : {no}}", "yes", "" },
    { "${{99999999999999999999999} > {8} ? {yes} : {no}}", "yes", "" },
    { "${{3} >= {4} ? {yes} : {no}}", "no", "" },
    { "${{3} >= {4} : {no}}", "no", "" },
    { "${{3} < {4}}", "true", "" },
    { "${{3} > {4}}", "", "" },
    { "${{} == {} ? {$word}}", "word", "word " },
    { "$none", NULL, "none " },
    { "${none}", NULL, "none " },
    { "$", NULL, "" },
    { "$ a", NULL, "" },
    { "${}", NULL, "" },
    { "${a", NULL, "" },
    { "$(a", NULL, "" },
    { "${a b}", NULL, "" },
    { "${a?{x}y}", NULL, NULL },
    { "${a?{x}:{y}z}", NULL, NULL },
    { "${{a} ~ {b} ? {x}}", NULL, "" },
    { "${{a} == b ? {x}}", NULL, "" },
    { "${{a} == {b} {x}}", NULL, "" },
    { "${{a} == {a} ? {$none} : {}}", NULL, "none " },
    { "$self", NULL, "self " },
    { "$long$long", NULL, "long long " },
};

enum { MAX = 100 };

static bool lookup(void *context, str name, unsigned depth, str *out, fault *f)
{
    (void)context;
    static const char thirds[] = "123456789012345678901234567890123456789012345678901234567890";
    if (str_equal(name, STR("a")))
        *out = STR("1");
    else if (str_equal(name, STR("word")))
        *out = STR("word");
    else if (str_equal(name, STR("empty")))
        *out = STR("");
    else if (str_equal(name, STR("long")))
        *out = str_c(thirds);
    else if (str_equal(name, STR("self"))) {
        buf b = buf_new(MAX);
        *f = expand(STR("$self"), lookup, NULL, depth, &b);
        buf_free(&b);
    } else
        return false;
    return true;
}

static void seen(void *context, str name)
{
    buf_printf(context, "%.*s ", STR_ARG(name));
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(MAX), names = buf_new(1000);
        fault f = expand(str_c(rows[i].text), lookup, NULL, 0, &out);
        if (is_fault(f) != (rows[i].want == NULL))
            fail_msg("%s: %s", rows[i].text, f.text);
        if (rows[i].want)
            assert_string_equal(buf_c(&out), rows[i].want);
        expand_names(str_c(rows[i].text), seen, &names);
        if (rows[i].names)
            assert_string_equal(buf_c(&names), rows[i].names);
        buf_free(&out);
        buf_free(&names);
    }
}

/* The copies are as long as the text, so that the sanitizer sees a read behind it. */
static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].text); n++) {
            buf out = buf_new(MAX), names = buf_new(1000);
            char *copy = malloc(n + 1 - (n > 0));
            if (n)
                memcpy(copy, rows[i].text, n);
            expand((str){ copy, n }, lookup, NULL, 0, &out);
            expand_names((str){ copy, n }, seen, &names);
            free(copy);
            buf_free(&out);
            buf_free(&names);
        }
}

static void depth_has_an_end(void **state)
{
    (void)state;
    for (unsigned levels = EXPAND_DEPTH_MAX - 1; levels <= EXPAND_DEPTH_MAX + 1; levels++) {
        buf text = buf_new(100000), out = buf_new(MAX);
        for (unsigned i = 0; i < levels; i++)
            buf_append(&text, STR("${a?{"));
        for (unsigned i = 0; i < levels; i++)
            buf_append(&text, STR("}}"));
        assert_int_equal(is_fault(expand(buf_str(&text), lookup, NULL, 0, &out)), levels > EXPAND_DEPTH_MAX);
        buf_free(&text);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(depth_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
