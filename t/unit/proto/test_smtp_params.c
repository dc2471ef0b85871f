/* Parameters of MAIL and RCPT: good ones into the struct, everything else refused by its kind. */
#include "proto/smtp_params.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ALL                                                                                                            \
    (SMTP_PARAM_SIZE | SMTP_PARAM_BODY | SMTP_PARAM_SMTPUTF8 | SMTP_PARAM_AUTH | SMTP_PARAMS_DSN | SMTP_PARAM_XVERP)
#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define X100 X20 X20 X20 X20 X20

typedef enum want { GOOD, BAD, UNKNOWN } want;

static const struct row {
    const char *params;
    want mail, rcpt;
} rows[] = {
    { "", GOOD, GOOD },
    { "SIZE=1000", GOOD, UNKNOWN },
    { "size=0", GOOD, UNKNOWN },
    { "SIZE=18446744073709551615", GOOD, UNKNOWN },
    { "SIZE=18446744073709551616", BAD, UNKNOWN },
    { "SIZE=123456789012345678901234567890", BAD, UNKNOWN },
    { "SIZE=000000000000000000001", BAD, UNKNOWN },
    { "SIZE=-1", BAD, UNKNOWN },
    { "SIZE=+1", BAD, UNKNOWN },
    { "SIZE=0x10", BAD, UNKNOWN },
    { "SIZE=", BAD, BAD },
    { "SIZE", BAD, UNKNOWN },
    { "SIZE=1 SIZE=1", BAD, UNKNOWN },
    { "SIZE=1=2", BAD, BAD },
    { "BODY=8BITMIME", GOOD, UNKNOWN },
    { "BODY=7bit SIZE=3", GOOD, UNKNOWN },
    { "BODY=9BIT", BAD, UNKNOWN },
    { "BODY=BINARYMIME", BAD, UNKNOWN },
    { "SMTPUTF8", GOOD, UNKNOWN },
    { "SMTPUTF8=1", BAD, UNKNOWN },
    { "AUTH=<>", GOOD, UNKNOWN },
    { "AUTH=a@b.example", GOOD, UNKNOWN },
    { "AUTH=a+2Bb@c", GOOD, UNKNOWN },
    { "AUTH=a+0D+0Ab@c", BAD, UNKNOWN },
    { "AUTH=a+00b@c", BAD, UNKNOWN },
    { "AUTH=a+2", BAD, UNKNOWN },
    { "AUTH=+FF", BAD, UNKNOWN },
    { "RET=FULL", GOOD, UNKNOWN },
    { "RET=hdrs", GOOD, UNKNOWN },
    { "RET=NONE", BAD, UNKNOWN },
    { "ENVID=a+20b", GOOD, UNKNOWN },
    { "ENVID=a+0Ab", BAD, UNKNOWN },
    { "ENVID=+C3+A4", BAD, UNKNOWN },
    { "ENVID=" X100, GOOD, UNKNOWN },
    { "ENVID=" X100 "x", BAD, UNKNOWN },
    { "XVERP", GOOD, UNKNOWN },
    { "xverp=+= SIZE=1", GOOD, BAD },
    { "XVERP===", GOOD, BAD },
    { "XVERP=", BAD, BAD },
    { "XVERP=+", BAD, UNKNOWN },
    { "XVERP=+=-", BAD, BAD },
    { "XVERP=\x01=", BAD, BAD },
    { "XVERP=\xc3\xa4", BAD, UNKNOWN },
    { "XVERP XVERP", BAD, UNKNOWN },
    { "NOTIFY=NEVER", UNKNOWN, GOOD },
    { "NOTIFY=SUCCESS,failure,DELAY", UNKNOWN, GOOD },
    { "NOTIFY=NEVER,SUCCESS", UNKNOWN, BAD },
    { "NOTIFY=SUCCESS,SUCCESS", UNKNOWN, BAD },
    { "NOTIFY=SUCCESS,", UNKNOWN, BAD },
    { "NOTIFY=,", UNKNOWN, BAD },
    { "NOTIFY=MAYBE", UNKNOWN, BAD },
    { "ORCPT=rfc822;a+2Bb@c.example", UNKNOWN, GOOD },
    { "ORCPT=rfc822;a+0Db", UNKNOWN, BAD },
    { "ORCPT=rfc822;a+0Ab", UNKNOWN, BAD },
    { "ORCPT=rfc822;", UNKNOWN, BAD },
    { "ORCPT=rfc822", UNKNOWN, BAD },
    { "ORCPT=;a@b", UNKNOWN, BAD },
    { "ORCPT=rf\"c;a@b", UNKNOWN, BAD },
    { "ORCPT=utf-8;\xc3\xa4@b", UNKNOWN, GOOD },
    { "ORCPT=utf-8;\xc3@b", UNKNOWN, BAD },
    { "ORCPT=rfc822;" X100 X100 X100 X100 X20 X20 X20 X20 "xxxxxxxxxxxxx", UNKNOWN, GOOD },
    { "ORCPT=rfc822;" X100 X100 X100 X100 X20 X20 X20 X20 "xxxxxxxxxxxxxx", UNKNOWN, BAD },
    { "NOTIFY=NEVER ORCPT=rfc822;a@b", UNKNOWN, GOOD },
    { "XYZZY=1", UNKNOWN, UNKNOWN },
    { "XYZZY", UNKNOWN, UNKNOWN },
    { "=1", BAD, BAD },
    { "X_Y=1", BAD, BAD },
    { "\"unterminated", BAD, BAD },
    { "-X=1", BAD, BAD },
    { "SIZE=1\tBODY=7BIT", BAD, BAD },
};

static want said(parse p, const smtp_params *out)
{
    return p == PARSE_DONE ? GOOD : out->is_unknown ? UNKNOWN : BAD;
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        smtp_params out;
        str in = str_c(rows[i].params);
        if (said(smtp_mail_params_parse(in, ALL, &mem, &out), &out) != rows[i].mail)
            fail_msg("MAIL %s", rows[i].params);
        if (said(smtp_rcpt_params_parse(in, ALL, &mem, &out), &out) != rows[i].rcpt)
            fail_msg("RCPT %s", rows[i].params);
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].params); n++) {
            arena mem = arena_new(0), exact = arena_new(0);
            smtp_params out;
            str in = arena_copy(&exact, (str){ rows[i].params, n });
            smtp_mail_params_parse(in, ALL, &mem, &out);
            smtp_rcpt_params_parse(in, ALL, &mem, &out);
            arena_free(&mem);
            arena_free(&exact);
        }
}

static void values_arrive(void **state)
{
    arena mem = arena_new(0);
    smtp_params p;

    (void)state;
    assert_int_equal(smtp_mail_params_parse(STR("SIZE=12 BODY=8bitmime AUTH=a+2Bb+40c RET=HDRS ENVID=x+20y SMTPUTF8"),
                                            ALL, &mem, &p),
                     PARSE_DONE);
    assert_int_equal(p.size_bytes, 12);
    assert_int_equal(p.body, SMTP_BODY_8BITMIME);
    assert_int_equal(p.ret, SMTP_RET_HDRS);
    assert_true(str_equal(p.auth, STR("a+b@c")));
    assert_true(str_equal(p.envid, STR("x y")));
    assert_true(p.given & SMTP_PARAM_SMTPUTF8);
    assert_int_equal(smtp_mail_params_parse(STR("AUTH=<>"), ALL, &mem, &p), PARSE_DONE);
    assert_true((p.given & SMTP_PARAM_AUTH) && p.auth.n == 0);
    assert_int_equal(smtp_rcpt_params_parse(STR("NOTIFY=DELAY,SUCCESS ORCPT=rfc822;a+3Db@c"), ALL, &mem, &p),
                     PARSE_DONE);
    assert_int_equal(p.notify, SMTP_NOTIFY_DELAY | SMTP_NOTIFY_SUCCESS);
    assert_true(str_equal(p.orcpt_type, STR("rfc822")));
    assert_true(str_equal(p.orcpt, STR("a=b@c")));
    arena_free(&mem);
}

static void what_is_not_offered_is_unknown(void **state)
{
    arena mem = arena_new(0);
    smtp_params p;

    (void)state;
    assert_int_equal(smtp_mail_params_parse(STR("RET=FULL"), SMTP_PARAM_SIZE, &mem, &p), PARSE_BAD);
    assert_true(p.is_unknown);
    assert_true(str_equal(p.problem, STR("RET")));
    assert_int_equal(smtp_mail_params_parse(STR("BODY=BINARYMIME"), ALL | SMTP_PARAM_BINARYMIME, &mem, &p), PARSE_DONE);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(what_is_not_offered_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
