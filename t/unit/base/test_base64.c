/* RFC 4648: its test vectors, every length there and back, and everything that strict decoding refuses. */
#include "base/base64.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    str bytes, text;
} vectors[] = {
    /* RFC 4648 10 */
    { STR_ROW(""), STR_ROW("") },
    { STR_ROW("f"), STR_ROW("Zg==") },
    { STR_ROW("fo"), STR_ROW("Zm8=") },
    { STR_ROW("foo"), STR_ROW("Zm9v") },
    { STR_ROW("foob"), STR_ROW("Zm9vYg==") },
    { STR_ROW("fooba"), STR_ROW("Zm9vYmE=") },
    { STR_ROW("foobar"), STR_ROW("Zm9vYmFy") },
    { STR_ROW("\0\xff\xfe"), STR_ROW("AP/+") },
};

static void vectors_hold_both_ways(void **state)
{
    buf out = buf_new(1000);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        buf_clear(&out);
        assert_true(base64_encode(vectors[i].bytes, &out));
        assert_true(str_equal(buf_str(&out), vectors[i].text));
        buf_clear(&out);
        assert_true(base64_decode(vectors[i].text, &out));
        assert_true(str_equal(buf_str(&out), vectors[i].bytes));
    }
    buf_free(&out);
}

static void every_length_comes_back(void **state)
{
    char bytes[300];
    buf text = buf_new(1000), back = buf_new(1000);
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 97 + 13);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        str s = { bytes, n };
        buf_clear(&text);
        buf_clear(&back);
        assert_true(base64_encode(s, &text));
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_true(base64_decode(buf_str(&text), &back));
        assert_true(str_equal(buf_str(&back), s));
        for (size_t cut = 1; cut < 4 && cut < text.n; cut++)
            assert_false(base64_decode(str_upto(buf_str(&text), text.n - cut), &back));
        assert_int_equal(back.n, n);
    }
    buf_free(&text);
    buf_free(&back);
}

static void the_wrong_text_is_refused_and_leaves_the_output(void **state)
{
    static const str bad[] = {
        STR_ROW("="),     STR_ROW("===="),     STR_ROW("A==="),     STR_ROW("Zg="),      STR_ROW("Zg"),
        STR_ROW("Z"),     STR_ROW("Zm9"),      STR_ROW("Zm9v="),    STR_ROW("Zm9v===="), STR_ROW("Zg==Zg=="),
        STR_ROW("Zm=v"),  STR_ROW("=m9v"),     STR_ROW("Z=9v"),     STR_ROW("Zh=="),     STR_ROW("Zm9="),
        STR_ROW(" Zm9v"), STR_ROW("Zm9v\r\n"), STR_ROW("Zm 9v=="),  STR_ROW("Zm9-"),     STR_ROW("Zm9_"),
        STR_ROW("Zm9\0"), STR_ROW("Zm9\xff"),  STR_ROW("Zm9vZm9*"),
    };
    buf out = buf_new(100);
    (void)state;
    buf_append(&out, STR("before"));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(base64_decode(bad[i], &out));
        assert_true(str_equal(buf_str(&out), STR("before")));
    }
    buf_free(&out);
}

static void exactly_the_alphabet_decodes(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf out = buf_new(10);
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[4] = { 'A', 'A', 'A', (char)c };
        bool want = c != 0 && strchr(alphabet, c);
        buf_clear(&out);
        assert_int_equal(base64_decode((str){ text, 4 }, &out), want || c == '=');
        if (want)
            assert_int_equal((unsigned char)out.p[2], (size_t)(strchr(alphabet, c) - alphabet));
    }
    buf_free(&out);
}

static void no_room_is_a_refusal(void **state)
{
    buf out = buf_new(7);
    (void)state;
    assert_false(base64_encode(STR("foob"), &out));
    assert_true(base64_encode(STR("foo"), &out));
    assert_false(base64_decode(STR("Zm9vYmFy"), &out));
    assert_true(str_equal(buf_str(&out), STR("Zm9v")));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_both_ways),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(the_wrong_text_is_refused_and_leaves_the_output),
        cmocka_unit_test(exactly_the_alphabet_decodes),
        cmocka_unit_test(no_room_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
