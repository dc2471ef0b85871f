/* SOURCES: smtpd/lmtp.c smtpd/replies.c  NEEDS: daemon tls proto queue */
/* Which replies a message by LMTP gets, for what became of its recipients. */
#include "ipc/talk/cleanup.h"
#include "smtpd/replies.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROWS_MAX = 6 };

static session s;
static config rules;
static process p;
static peer from;
static recipient rows[ROWS_MAX];
static char said[1000];

void session_write(session *of, const reply *r)
{
    (void)of;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%u %.*s %.*s;", r->code, STR_ARG(r->status), STR_ARG(r->words));
}

void session_settle(session *of, verdict v)
{
    of->phase = v.next;
    if (v.reply.code)
        session_write(of, &v.reply);
}

session *session_by_tx(smtpd *d, uint32_t ref)
{
    (void)d;
    return ref == 7 ? &s : NULL;
}

/* Recipients of the commands given: "001" are two of the first and one of the second. */
static void begin(const char *commands, uint32_t command_count)
{
    s.tx.accepted = command_count;
    s.tx.count = 0;
    recipient **last = &s.tx.recipients;
    for (; commands[s.tx.count]; s.tx.count++) {
        rows[s.tx.count] = (recipient){ .command = (uint32_t)(commands[s.tx.count] - '0') };
        *last = &rows[s.tx.count];
        last = &rows[s.tx.count].next;
    }
    *last = NULL;
    said[0] = '\0';
    lmtp_begin(&s);
}

static bool result(uint32_t ref, uint32_t index, fault_kind outcome, const char *status, const char *reason)
{
    unsigned char bytes[500];
    frame f = { bytes, 0, sizeof bytes, false };
    cleanup_result m = { .index = index, .outcome = outcome, .status = str_c(status), .reason = str_c(reason) };
    assert_true(cleanup_result_encode(&m, &f));
    received r = { .ref = ref, .bytes = { (const char *)bytes, f.n } };
    return lmtp_on_result(&from, NULL, &r);
}

static int setup(void **state)
{
    (void)state;
    rules = (config){ .smtpd_protocol = PROTOCOL_LMTP };
    from = (peer){ .daemon = &p };
    s = (session){ .config = &rules };
    s.tx.queue_id = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&s.tx.arena);
    return 0;
}

static void each_command_has_its_reply(void **state)
{
    (void)state;
    begin("012", 3);
    assert_true(result(7, 1, FAULT_REFUSED, "1.1", "unknown"));
    assert_true(result(7, 2, FAULT_TRY_LATER, "2.2", "full"));
    assert_true(result(7, 0, FAULT_NONE, "", "delivered"));
    lmtp_results_say(&s);
    assert_non_null(strstr(said, "250 2.1.5 Ok: delivered as "));
    assert_non_null(strstr(said, ";550 5.1.1 unknown;452 4.2.2 full;"));
    assert_int_equal(s.phase, PHASE_MAIL);
}

static void the_worst_of_several_mailboxes_counts(void **state)
{
    static const struct {
        fault_kind first, second;
        const char *want;
    } cases[] = {
        { FAULT_NONE, FAULT_NONE, "250 " },
        { FAULT_NONE, FAULT_REFUSED, "550 5.0.2 b;" },
        { FAULT_REFUSED, FAULT_NONE, "550 5.0.1 a;" },
        { FAULT_REFUSED, FAULT_TRY_LATER, "451 4.0.2 b;" },
        { FAULT_TRY_LATER, FAULT_REFUSED, "451 4.0.1 a;" },
        { FAULT_BROKEN, FAULT_REFUSED, "451 4.0.1 a;" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin("00", 1);
        assert_true(result(7, 0, cases[i].first, "0.1", "a"));
        assert_true(result(7, 1, cases[i].second, "0.2", "b"));
        lmtp_results_say(&s);
        assert_int_equal(strncmp(said, cases[i].want, strlen(cases[i].want)), 0);
    }
}

static void classes_of_what_became_of_it(void **state)
{
    static const struct {
        fault_kind kind;
        const char *status;
        unsigned classes;
    } cases[] = {
        { FAULT_NONE, "", 0 },
        { FAULT_REFUSED, "7.1", NOTICE_BOUNCE | NOTICE_POLICY },
        { FAULT_TRY_LATER, "7.1", NOTICE_BOUNCE | NOTICE_POLICY },
        { FAULT_REFUSED, "3.4", NOTICE_BOUNCE | NOTICE_POLICY },
        { FAULT_REFUSED, "4.6", NOTICE_BOUNCE },
        { FAULT_REFUSED, "1.1", NOTICE_BOUNCE },
        { FAULT_TRY_LATER, "3.1", NOTICE_RESOURCE },
        { FAULT_TRY_LATER, "3.0", NOTICE_SOFTWARE },
        { FAULT_BUG, "3.0", NOTICE_SOFTWARE },
        { FAULT_TRY_LATER, "", NOTICE_SOFTWARE },
        { FAULT_TRY_LATER, "2.2", 0 }, /* a user's mailbox is full */
        { FAULT_TRY_LATER, "2.0", 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(
            result_reply(&s, fault_make(cases[i].kind, cases[i].status, "words"), STR("well")).classes, cases[i].classes);
}

static void what_was_not_said_is_tried_again(void **state)
{
    (void)state;
    begin("01", 2);
    assert_true(result(7, 0, FAULT_NONE, "", ""));
    lmtp_results_say(&s);
    assert_non_null(strstr(said, ";451 4.3.0 No result was said;"));
}

static void a_command_without_mailboxes_is_well(void **state)
{
    (void)state;
    begin("1", 3); /* of the first and the last nothing is left: DISCARD */
    assert_true(result(7, 0, FAULT_REFUSED, "1.1", "no"));
    lmtp_results_say(&s);
    assert_int_equal(strncmp(said, "250 ", 4), 0);
    assert_non_null(strstr(said, ";550 5.1.1 no;250 "));
}

static void one_answer_for_all_is_said_to_each(void **state)
{
    (void)state;
    begin("001", 2);
    end_of_data_say(&s, reply_of(REPLY_TOO_BIG));
    assert_string_equal(said, "552 5.3.4 Message size exceeds fixed limit;552 5.3.4 Message size exceeds fixed limit;");
    said[0] = '\0';
    rules.smtpd_protocol = PROTOCOL_SMTP;
    end_of_data_say(&s, reply_of(REPLY_TOO_BIG));
    assert_string_equal(said, "552 5.3.4 Message size exceeds fixed limit;");
}

static void soft_bounce_makes_a_refusal_a_delay(void **state)
{
    (void)state;
    rules.soft_bounce = true;
    begin("0", 1);
    assert_true(result(7, 0, FAULT_REFUSED, "1.1", "unknown"));
    lmtp_results_say(&s);
    assert_string_equal(said, "451 4.1.1 unknown;");
}

static void results_that_cannot_be_drop_the_peer(void **state)
{
    received cut = { .ref = 7, .bytes = STR("abc") };
    (void)state;
    begin("0", 1);
    assert_false(result(7, 1, FAULT_NONE, "", ""));
    assert_false(result(7, 0, (fault_kind)(FAULT_BUG + 1), "", ""));
    assert_false(lmtp_on_result(&from, NULL, &cut));
    assert_true(result(8, 0, FAULT_NONE, "", "")); /* the client went away */
    s.tx.told = NULL;
    assert_false(result(7, 0, FAULT_NONE, "", "")); /* nobody waits for one */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_command_has_its_reply),           TEST(the_worst_of_several_mailboxes_counts),
        TEST(classes_of_what_became_of_it),     TEST(a_command_without_mailboxes_is_well),
        TEST(what_was_not_said_is_tried_again),     TEST(a_command_without_mailboxes_is_well),
        TEST(one_answer_for_all_is_said_to_each),   TEST(soft_bounce_makes_a_refusal_a_delay),
        TEST(results_that_cannot_be_drop_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
