/* SOURCES:  NEEDS: policy_engine */
#include "policy/engine/access.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static arena mem;

static void are(access_keys *keys, const char *want)
{
    str all = STR("");
    for (size_t i = 0; i < keys->n; i++)
        all = arena_printf(&mem, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(keys->p[i]));
    if (!str_equal(all, str_c(want)))
        fail_msg("%.*s, not %s", STR_ARG(all), want);
    vec_free(keys);
}

static void keys_come_in_the_order_of_access5(void **state)
{
    access_keys k = { 0 };
    (void)state;
    access_host_keys(STR("a.b.example"), false, &mem, &k);
    are(&k, "a.b.example b.example example");
    access_host_keys(STR("a.b.example"), true, &mem, &k);
    are(&k, "a.b.example");
    access_host_keys(STR("[192.0.2.1]"), false, &mem, &k);
    are(&k, "[192.0.2.1]");
    access_host_keys(STR("a."), false, &mem, &k);
    are(&k, "a.");
    access_host_keys(STR(""), false, &mem, &k);
    are(&k, "");
    access_address_keys(STR("192.0.2.7"), false, &mem, &k);
    are(&k, "192.0.2.7 192.0.2 192.0 192");
    access_address_keys(STR("2001:db8::7"), false, &mem, &k);
    are(&k, "2001:db8::7 2001:db8 2001");
    access_address_keys(STR("::1"), false, &mem, &k);
    are(&k, "::1");
    access_address_keys(STR("192.0.2.7"), true, &mem, &k);
    are(&k, "192.0.2.7");
    access_mail_keys(STR("u+x@a.example"), STR("+"), false, &mem, &k);
    are(&k, "u+x@a.example u@a.example a.example example u+x@ u@");
    access_mail_keys(STR("+x@a.example"), STR("+"), false, &mem, &k);
    are(&k, "+x@a.example a.example example +x@");
    access_mail_keys(STR("u+x@a.example"), STR(""), true, &mem, &k);
    are(&k, "u+x@a.example");
}

static void results_read_as_access5_says(void **state)
{
    static const struct {
        const char *value;
        access_verb verb;
        unsigned code;
        const char *status, *words;
    } rows[] = {
        { "OK", ACCESS_OK, 0, "", "" },
        { "ok", ACCESS_OK, 0, "", "" },
        { "123456", ACCESS_OK, 0, "", "" },
        { "0", ACCESS_OK, 0, "", "" },
        { "250", ACCESS_OK, 0, "", "" },
        { "550", ACCESS_REPLY, 550, "", "" },
        { "550 Go away", ACCESS_REPLY, 550, "", "Go away" },
        { "550 5.7.9 Go away", ACCESS_REPLY, 550, "5.7.9", "Go away" },
        { "550 4.7.9 Go away", ACCESS_REPLY, 550, "", "4.7.9 Go away" },
        { "450 4.2.0", ACCESS_REPLY, 450, "4.2.0", "" },
        { "450 4.2.", ACCESS_REPLY, 450, "", "4.2." },
        { "450 4.2.1.1 x", ACCESS_REPLY, 450, "", "4.2.1.1 x" },
        { "REJECT", ACCESS_REPLY, 554, "", "" },
        { "reject 5.1.1 no\tsuch", ACCESS_REPLY, 554, "5.1.1", "no\tsuch" },
        { "DEFER wait", ACCESS_REPLY, 450, "", "wait" },
        { "DEFER_IF_PERMIT x", ACCESS_IF_PERMIT, 450, "", "x" },
        { "DEFER_IF_REJECT", ACCESS_IF_REJECT, 450, "", "" },
        { "DUNNO", ACCESS_DUNNO, 0, "", "" },
        { "HOLD look at it", ACCESS_HOLD, 0, "", "look at it" },
        { "DISCARD", ACCESS_DISCARD, 0, "", "" },
        { "WARN x", ACCESS_WARN, 0, "", "x" },
        { "REDIRECT a@b", ACCESS_NOT_SUPPORTED, 0, "", "a@b" },
        { "permit_mynetworks, reject", ACCESS_RESTRICTIONS, 0, "", "permit_mynetworks, reject" },
        { "6500 x", ACCESS_RESTRICTIONS, 0, "", "6500 x" },
        { "250 fine", ACCESS_RESTRICTIONS, 0, "", "250 fine" },
        { "", ACCESS_RESTRICTIONS, 0, "", "" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        access_result r = access_read(str_c(rows[i].value));
        if (r.verb != rows[i].verb || r.code != rows[i].code || !str_equal(r.status, str_c(rows[i].status)) ||
            !str_equal(r.words, str_c(rows[i].words)))
            fail_msg("%s: %d %u %.*s %.*s", rows[i].value, r.verb, r.code, STR_ARG(r.status), STR_ARG(r.words));
        for (size_t n = 0; n < strlen(rows[i].value); n++)
            access_read((str){ rows[i].value, n });
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_the_order_of_access5),
        cmocka_unit_test(results_read_as_access5_says),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&mem);
    return failed;
}
