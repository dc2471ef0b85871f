/* Exchanges as they go over the wire, and every bad shape of what a client may say. */
#include "proto/sasl.h"
#include "base/base64.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct plain_row {
    str message;
    parse want;
} plain_rows[] = {
    { STR_ROW("\0user\0secret"), PARSE_DONE },
    { STR_ROW("other\0user\0secret"), PARSE_DONE },
    { STR_ROW("\0u\xc3\xa4\0p\xc3\xa4"), PARSE_DONE },
    { STR_ROW("\0user\0"), PARSE_BAD },
    { STR_ROW("\0\0secret"), PARSE_BAD },
    { STR_ROW("\0user"), PARSE_BAD },
    { STR_ROW("user"), PARSE_BAD },
    { STR_ROW(""), PARSE_BAD },
    { STR_ROW("\0user\0sec\0ret"), PARSE_BAD },
    { STR_ROW("\0us\ner\0secret"), PARSE_BAD },
    { STR_ROW("\0us\ter\0secret"), PARSE_BAD },
    { STR_ROW("a\rb\0user\0secret"), PARSE_BAD },
    { STR_ROW("\0us\xff\0secret"), PARSE_BAD },
    { STR_ROW("\0user\0s\xff"), PARSE_BAD },
};

static void plain_messages_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plain_rows); i++)
        for (size_t n = 0; n <= plain_rows[i].message.n; n++) {
            sasl_plain out;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, plain_rows[i].message.p, n);
            parse p = sasl_plain_parse((str){ copy, n }, &out);
            if (n == plain_rows[i].message.n)
                assert_int_equal(p, plain_rows[i].want);
            free(copy);
        }
}

static sasl_step plain_with(size_t user_n, size_t password_n)
{
    buf message = buf_new(4000), text = buf_new(8000);
    sasl s;

    buf_append_char(&message, '\0');
    for (size_t i = 0; i < user_n; i++)
        buf_append_char(&message, 'u');
    buf_append_char(&message, '\0');
    for (size_t i = 0; i < password_n; i++)
        buf_append_char(&message, 'p');
    base64_encode(buf_str(&message), &text);
    sasl_step step = sasl_start(&s, SASL_PLAIN, buf_str(&text));
    sasl_close(&s);
    buf_free(&message);
    buf_free(&text);
    return step;
}

static void lengths_have_limits(void **state)
{
    (void)state;
    assert_int_equal(plain_with(SASL_NAME_MAX - 1, SASL_PASSWORD_MAX - 1), SASL_FINISHED);
    assert_int_equal(plain_with(SASL_NAME_MAX, SASL_PASSWORD_MAX), SASL_FINISHED);
    assert_int_equal(plain_with(SASL_NAME_MAX + 1, 3), SASL_BROKEN);
    assert_int_equal(plain_with(3, SASL_PASSWORD_MAX + 1), SASL_BROKEN);
    assert_int_equal(plain_with(1000, 2900), SASL_BROKEN);
}

static const struct exchange_row {
    sasl_mechanism mechanism;
    const char *lines[4]; /* first: initial response or NULL */
    sasl_step steps[4];
} exchange_rows[] = {
    { SASL_PLAIN, { "AHVzZXIAc2VjcmV0" }, { SASL_FINISHED } },
    { SASL_PLAIN, { NULL, "AHVzZXIAc2VjcmV0" }, { SASL_CHALLENGE, SASL_FINISHED } },
    { SASL_PLAIN, { NULL, "*" }, { SASL_CHALLENGE, SASL_CANCELLED } },
    { SASL_PLAIN, { NULL, "" }, { SASL_CHALLENGE, SASL_BROKEN } },
    { SASL_PLAIN, { "=" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "AHVzZXIAc2VjcmV" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "AHVzZXIAc2VjcmV0=" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "AHVz ZXIAc2VjcmV0" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "!!!!" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "A===" }, { SASL_BROKEN } },
    { SASL_PLAIN, { "AHVzZXIAc2VjcmV1dD==" }, { SASL_BROKEN } },
    { SASL_LOGIN, { NULL, "dXNlcg==", "c2VjcmV0" }, { SASL_CHALLENGE, SASL_CHALLENGE, SASL_FINISHED } },
    { SASL_LOGIN, { "dXNlcg==", "c2VjcmV0" }, { SASL_CHALLENGE, SASL_FINISHED } },
    { SASL_LOGIN, { NULL, "dXNlcg==", "*" }, { SASL_CHALLENGE, SASL_CHALLENGE, SASL_CANCELLED } },
    { SASL_LOGIN, { NULL, "", "c2VjcmV0" }, { SASL_CHALLENGE, SASL_BROKEN, SASL_BROKEN } },
    { SASL_LOGIN, { NULL, "dXNlcg==", "" }, { SASL_CHALLENGE, SASL_CHALLENGE, SASL_BROKEN } },
    { SASL_LOGIN, { NULL, "dXMKZXI=" }, { SASL_CHALLENGE, SASL_BROKEN } },
    { SASL_LOGIN, { NULL, "dXNlcg==", "c2VjAHJldA==" }, { SASL_CHALLENGE, SASL_CHALLENGE, SASL_BROKEN } },
    { SASL_NONE, { NULL, "AHVzZXIAc2VjcmV0" }, { SASL_BROKEN, SASL_BROKEN } },
};

static void exchanges_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(exchange_rows); i++) {
        const struct exchange_row *r = &exchange_rows[i];
        sasl s;
        sasl_step step = sasl_start(&s, r->mechanism, str_c(r->lines[0]));
        assert_int_equal(step, r->steps[0]);
        for (size_t k = 1; k < 4 && r->lines[k]; k++) {
            step = sasl_respond(&s, str_c(r->lines[k]));
            assert_int_equal(step, r->steps[k]);
        }
        if (step == SASL_FINISHED) {
            assert_true(str_equal(s.credentials.user, STR("user")));
            assert_true(str_equal(s.credentials.password.hidden, STR("secret")));
            assert_int_equal(s.credentials.authorization.n, 0);
            assert_int_equal(sasl_respond(&s, STR("dXNlcg==")), SASL_BROKEN);
        }
        sasl_close(&s);
    }
}

static void login_asks_for_name_and_password(void **state)
{
    sasl s;

    (void)state;
    sasl_start(&s, SASL_LOGIN, STR_NONE);
    assert_true(str_equal(s.challenge, STR("VXNlcm5hbWU6")));
    sasl_respond(&s, STR("dXNlcg=="));
    assert_true(str_equal(s.challenge, STR("UGFzc3dvcmQ6")));
    sasl_close(&s);
    sasl_start(&s, SASL_PLAIN, STR_NONE);
    assert_int_equal(s.challenge.n, 0);
    sasl_close(&s);
}

static void mechanisms_are_found(void **state)
{
    (void)state;
    assert_int_equal(sasl_mechanism_find(STR("plain")), SASL_PLAIN);
    assert_int_equal(sasl_mechanism_find(STR("LOGIN")), SASL_LOGIN);
    assert_int_equal(sasl_mechanism_find(STR("CRAM-MD5")), SASL_NONE);
    assert_int_equal(sasl_mechanism_find(STR("")), SASL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages_hold),  cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(exchanges_hold),       cmocka_unit_test(login_asks_for_name_and_password),
        cmocka_unit_test(mechanisms_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
