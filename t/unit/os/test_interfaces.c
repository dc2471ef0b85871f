/* The addresses of the interfaces: the loopback is among them, each word is an address. */
#include "os/interfaces.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void the_loopback_is_there(void **state)
{
    buf out = buf_new(64 * 1024);
    bool has_loopback = false;
    str word;
    (void)state;
    assert_true(interfaces_list(&out));
    for (str rest = buf_str(&out); str_word(&rest, " ", &word);) {
        unsigned char bytes[16];
        char text[64] = { 0 };
        memcpy(text, word.p, word.n < sizeof text ? word.n : sizeof text - 1);
        assert_true(inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
        has_loopback = has_loopback || str_equal(word, STR("127.0.0.1"));
    }
    assert_true(has_loopback);
    buf_free(&out);
}

static void what_does_not_fit_is_said(void **state)
{
    buf out = buf_new(4);
    (void)state;
    assert_false(interfaces_list(&out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_loopback_is_there),
                                        cmocka_unit_test(what_does_not_fit_is_said) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
