/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* What a report is made of. */
#include "t/unit/bounce/world.h"

static void compose_one(report_begin *m, enum report_action action, str content)
{
    w->commits = 0;
    m->content_bytes = content.n;
    ask(1, m, content);
    ask_row(1, action, "u@l.example");
    rounds();
    give();
    assert_int_equal(w->commits, 1);
}

static void compose_and_end(report_begin *m, enum report_action action, str content)
{
    compose_one(m, action, content);
    say_done(FAULT_NONE);
}

static void the_whole_message_or_its_header(void **state)
{
    static const struct {
        const char *returns;
        enum report_action action;
        uint64_t limit;
        bool is_whole;
    } rows[] = {
        { "", REPORT_FAILED, 50000, true },
        { "FULL", REPORT_FAILED, 50000, true },
        { "HDRS", REPORT_FAILED, 50000, false },
        { "FULL", REPORT_DELAYED, 50000, false },
        { "", REPORT_DELIVERED, 50000, false },
        { "FULL", REPORT_EXPANDED, 50000, false },
        { "FULL", REPORT_FAILED, sizeof MESSAGE - 1, true },
        { "FULL", REPORT_FAILED, sizeof MESSAGE - 2, false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        report_begin m = begin_of(STR(MESSAGE));
        m.returns = str_c(rows[i].returns);
        w->generation.snapshot.base.bounce_size_limit = rows[i].limit;
        compose_and_end(&m, rows[i].action, STR(MESSAGE));
        assert_int_equal(paper_has("Content-Type: message/rfc822\r\n\r\nReceived: here\r\n"), rows[i].is_whole);
        assert_int_equal(paper_has("Content-Type: text/rfc822-headers\r\n\r\nReceived: here\r\n"), !rows[i].is_whole);
        assert_int_equal(paper_has("\r\nbody\r\n"), rows[i].is_whole);
        assert_true(paper_has("\r\nReferences: <m@b.example>\r\n"));
    }
}

static void a_header_is_cut_at_the_limit(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    w->generation.snapshot.base.bounce_size_limit = 20;
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_true(paper_has("\r\n\r\nReceived: here\r\n\r\n--"));
    assert_false(paper_has("Subject: s\r\n"));
}

static void bytes_above_127_are_declared(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_false(paper_has("8bit"));
    assert_int_equal(w->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8), 0);
    compose_and_end(&m, REPORT_FAILED, STR("Subject: s\r\n\r\n\xe9\r\n"));
    assert_true(paper_has("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"));
    assert_int_equal(w->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8), ENVELOPE_8BIT);
    m.returns = STR("HDRS"); /* which has none of them */
    compose_and_end(&m, REPORT_FAILED, STR("Subject: s\r\n\r\n\xe9\r\n"));
    assert_false(paper_has("8bit"));
}

/* RFC 6533 */
static void a_message_that_needs_utf8(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    m.flags = ENVELOPE_UTF8;
    m.sender = m.reverse_path = STR("j\xc3\xb6rg@b.example");
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_true(paper_has("Content-Type: message/global-delivery-status\r\n") &&
                paper_has("Content-Type: message/global\r\n"));
    assert_true(paper_has("text/plain; charset=utf-8\r\n") &&
                paper_has("X-Postrider-Sender: utf-8; j\xc3\xb6rg@b.example\r\n"));
    assert_int_equal(w->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8), ENVELOPE_8BIT | ENVELOPE_UTF8);
    m.returns = STR("HDRS");
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_true(paper_has("Content-Type: message/global-headers\r\n"));
}

static void a_message_without_a_last_line_end(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    compose_and_end(&m, REPORT_FAILED, STR("Subject: s\r\n\r\nno end"));
    assert_true(paper_has("\r\nno end\r\n\r\n--"));
    compose_and_end(&m, REPORT_FAILED, STR(""));
    assert_true(paper_has("Content-Type: message/rfc822\r\n\r\n\r\n--"));
}

static void two_reports_have_two_boundaries(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    char first[100];
    (void)state;
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    snprintf(first, sizeof first, "%.60s", strstr(paper(), "boundary="));
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_null(strstr(paper(), first));
}

static void names_come_from_the_configuration(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    assert_true(paper_has("\r\nFrom: MAILER-DAEMON@origin.example (X)\r\n"));
    assert_true(paper_has("This is the mail system (X) of mx.example.\r\n"));
    assert_true(paper_has("\r\nTo: a@b.example\r\n") && paper_has("\r\nReporting-MTA: dns; mx.example\r\n"));
}

static void a_postmaster_hears_who_brought_it(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    w->generation.snapshot.base.notify_classes = STR("bounce");
    compose_and_end(&m, REPORT_FAILED, STR(MESSAGE));
    give();
    assert_true(paper_has("\r\nSubject: Postmaster copy: mail could not be delivered\r\n"));
    assert_true(paper_has("from <a@b.example>, brought by unknown [192.0.2.1]:\r\n"));
    assert_false(paper_has("This is the mail system"));
    say_done(FAULT_NONE);
}

/* Larger than what is kept in memory at a time. */
static void many_rows(void **state)
{
    enum { ROWS = REPORT_RECIPIENTS_MAX };
    report_begin m = begin_of(STR(MESSAGE));
    char name[40];
    (void)state;
    m.recipient_count = ROWS;
    ask(1, &m, STR(MESSAGE));
    for (int i = 0; i < ROWS; i++) {
        snprintf(name, sizeof name, "u%d@l.example", i);
        ask_row(1, REPORT_FAILED, name);
    }
    while (w->begins == 0)
        rounds();
    give();
    assert_int_equal(w->commits, 1);
    assert_true(w->bytes > 1000000);
    say_done(FAULT_NONE);
    assert_int_equal(w->outcome, FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_whole_message_or_its_header),
        TEST(a_header_is_cut_at_the_limit),
        TEST(bytes_above_127_are_declared),
        TEST(a_message_that_needs_utf8),
        TEST(a_message_without_a_last_line_end),
        TEST(two_reports_have_two_boundaries),
        TEST(names_come_from_the_configuration),
        TEST(a_postmaster_hears_who_brought_it),
        TEST(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
