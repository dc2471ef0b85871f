/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* What qmgr may ask, and what drops it. */
#include "t/unit/bounce/world.h"

static void a_report_is_done_when_it_is_durable(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    m.recipient_count = 2;
    ask(5, &m, STR(MESSAGE));
    ask_row(5, REPORT_FAILED, "u@l.example");
    rounds();
    assert_int_equal(w->begins, 0); /* not before all rows are there */
    ask_row(5, REPORT_FAILED, "v@l.example");
    rounds();
    assert_int_equal(w->begins, 1);
    give();
    assert_int_equal(w->commits, 1);
    assert_string_equal(w->from, "");
    assert_string_equal(w->to, "a@b.example");
    assert_true(w->flags & ENVELOPE_NO_TRACE);
    assert_true(paper_has("<u@l.example>: no such user\r\n") && paper_has("Final-Recipient: rfc822; v@l.example\r\n"));
    assert_int_equal(w->dones, 0);
    assert_int_equal(w->process.sessions, 1); /* one that leaves waits for it */
    say_done(FAULT_NONE);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->done_ref, 5);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_int_equal(w->report_id, 9);
    assert_int_equal(w->bounce.reported, 1);
}

static void two_reports_at_a_time(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    ask(1, &m, STR(MESSAGE));
    ask_row(1, REPORT_FAILED, "u@l.example");
    rounds();
    uint32_t first = w->ref;
    ask(2, &m, STR(MESSAGE));
    ask_row(2, REPORT_DELAYED, "v@l.example");
    rounds();
    assert_int_equal(w->begins, 2);
    assert_int_not_equal(w->ref, first);
    give();
    say_done(FAULT_NONE);
    assert_int_equal(w->done_ref, 2);
    w->ref = first;
    give();
    assert_true(paper_has("u@l.example") && !paper_has("v@l.example"));
    say_done(FAULT_NONE);
    assert_int_equal(w->done_ref, 1);
}

static void dropped(const report_begin *m, enum report_action first, enum report_action second)
{
    ask(1, m, STR(MESSAGE));
    ask_row(1, first, "u@l.example");
    if (second)
        ask_row(1, second, "v@l.example");
    rounds();
    assert_false(channel_is_open(&w->qmgr));
    attach_qmgr();
}

/* A qmgr that says something wrong is dropped; what it had begun is given up. */
static void what_cannot_be_asked(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    dropped(&m, (enum report_action)0, 0);
    dropped(&m, (enum report_action)(REPORT_EXPANDED + 1), 0);
    dropped(&m, REPORT_FAILED, REPORT_FAILED); /* more than were announced */
    m.recipient_count = 2;
    dropped(&m, REPORT_FAILED, REPORT_DELIVERED); /* kinds are not mixed */
    m.recipient_count = 0;
    dropped(&m, REPORT_FAILED, 0);
    m.recipient_count = REPORT_RECIPIENTS_MAX + 1;
    dropped(&m, REPORT_FAILED, 0);
    ask_row(3, REPORT_FAILED, "u@l.example"); /* of no report */
    rounds();
    assert_false(channel_is_open(&w->qmgr));
    say_done(FAULT_TRY_LATER); /* of the one that cleanup was asked for */
}

static void a_report_twice_under_one_number(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    ask(1, &m, STR(MESSAGE));
    ask(1, &m, STR(MESSAGE));
    rounds();
    assert_false(channel_is_open(&w->qmgr));
}

/* It asks again when it is back; one that is brought already is brought to its end. */
static void a_qmgr_that_is_gone(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    ask(1, &m, STR(MESSAGE));
    ask_row(1, REPORT_FAILED, "u@l.example");
    m.recipient_count = 2;
    ask(2, &m, STR(MESSAGE));
    ask_row(2, REPORT_FAILED, "u@l.example");
    rounds();
    assert_int_equal(w->process.sessions, 2);
    channel_close(&w->qmgr);
    rounds();
    assert_int_equal(w->process.sessions, 1);
    give();
    say_done(FAULT_NONE);
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->bounce.reported, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_report_is_done_when_it_is_durable), TEST(two_reports_at_a_time), TEST(what_cannot_be_asked),
        TEST(a_report_twice_under_one_number),     TEST(a_qmgr_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
