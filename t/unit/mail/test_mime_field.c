/* Rows of Content- values against "word|name=value|…"; each truncated at every byte too. */
#include "mail/mime_field.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

typedef struct row {
    const char *value, *want;
} row;

static const row types[] = {
    { "text/plain", "text/plain" },
    { " TEXT / plain ", "TEXT/plain" },
    { "(c) text(d)/(e)plain(f);(g)a(h)=(i)b(j)", "text/plain|a=b" },
    { "text/plain; charset=us-ascii (Plain text)", "text/plain|charset=us-ascii" },
    { "text/plain;charset=\"us-ascii\"", "text/plain|charset=us-ascii" },
    { "text/plain; a=\"x\\\"y\\\\z\"", "text/plain|a=x\"y\\z" },
    { "text/plain; a=\"x\r\n y\"", "text/plain|a=x y" },
    { "text/plain; a=\"open", "text/plain|a=open" },
    { "text/plain;;; a=b;", "text/plain|a=b" },
    { "text/plain; a; b=c", "text/plain|b=c" },
    { "text/plain; a=; b=c", "text/plain|a=|b=c" },
    { "text/plain a=b c=d", "text/plain|a=b|c=d" },
    { "multipart/x; boundary=----=_Part/1:2=", "multipart/x|boundary=----=_Part/1:2=" },
    { "text/plain; a=1; a=2", "text/plain|a=1|a=2" },
    { "text/plain; n*0=ab; n*1=cd", "text/plain|n=abcd" },
    { "text/plain; n*1=cd; x=y; N*0=ab", "text/plain|N=abcd|x=y" },
    { "text/plain; n*2=e; n*0=a; n*3=f", "text/plain|n=a" },
    { "text/plain; n*1=a; x=y", "text/plain|x=y" },
    { "text/plain; n*0=a; n*0=b; n*1=c", "text/plain|n=ac" },
    { "text/plain; n*=utf-8''%41", "text/plain|n*=utf-8''%41" },
    { "text/plain; n*0*=utf-8''%41; n*1=\"b c\"; n*2*=%42", "text/plain|n*=utf-8''%41b%20c%42" },
    { "text/plain; n*0=\"a%\"; n*1*=%42", "text/plain|n*=''a%25%42" },
    { "text/plain; n*x=a", "text/plain|n*x=a" },
    { "text/plain; n*99999999999999999999=a; n*0=b", "text/plain|n*99999999999999999999=a|n=b" },
    { "text/plain; n*999999=a; n*0=b", "text/plain|n=b" },
    { "text/plain; *0=a", "text/plain|*0=a" },
    { "text", "BAD" },
    { "text/", "BAD" },
    { "/plain", "BAD" },
    { "", "BAD" },
    { "((((", "BAD" },
};

static void value_write(str value, bool is_type, buf *out)
{
    arena mem = arena_new(0);
    mime_params params = { 0 };
    str type = STR_NONE, subtype = STR_NONE;
    parse p = is_type ? mime_type_parse(value, &mem, &type, &subtype, &params, NULL)
                      : mime_disposition_parse(value, &mem, &type, &params, NULL);

    if (p == PARSE_DONE && is_type)
        buf_printf(out, "%.*s/%.*s", STR_ARG(type), STR_ARG(subtype));
    else if (p == PARSE_DONE)
        buf_append(out, type);
    else
        buf_append(out, STR("BAD"));
    for (size_t i = 0; i < params.n; i++)
        buf_printf(out, "|%.*s=%.*s", STR_ARG(params.p[i].name), STR_ARG(params.p[i].value));
    arena_free(&mem);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        buf got = buf_new(1000);
        value_write(str_c(types[i].value), true, &got);
        if (strcmp(buf_c(&got), types[i].want) != 0)
            fail_msg("%s: got %s, want %s", types[i].value, buf_c(&got), types[i].want);
        buf_free(&got);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t n = 0; n <= strlen(types[i].value); n++) {
            char *copy = malloc(n ? n : 1);
            buf got = buf_new(1000);
            memcpy(copy, types[i].value, n);
            value_write((str){ copy, n }, n % 2, &got);
            assert_true(mime_word_parse((str){ copy, n }).n <= n);
            buf_free(&got);
            free(copy);
        }
}

static void dispositions_words_and_languages(void **state)
{
    arena mem = arena_new(0);
    buf got = buf_new(100);
    size_t n = 9;

    (void)state;
    value_write(STR("attachment; filename=\"a b\""), false, &got);
    assert_string_equal(buf_c(&got), "attachment|filename=a b");
    assert_true(str_equal(mime_word_parse(STR(" (x) base64 (y)")), STR("base64")));
    assert_null(mime_word_parse(STR(" (x) ")).p);
    assert_null(mime_languages_parse(STR(" , (x)"), &mem, &n));
    assert_int_equal(n, 0);
    str *tags = mime_languages_parse(STR("en-GB, de"), &mem, &n);
    assert_int_equal(n, 2);
    assert_true(str_equal(tags[0], STR("en-GB")) && str_equal(tags[1], STR("de")));
    buf_free(&got);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(dispositions_words_and_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
