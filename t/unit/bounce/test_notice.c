/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* Notices of smtpd: what the letter says and to whom, what is no notice, and what becomes of one that cannot be brought. */
#include "t/unit/bounce/world.h"

#define TRANSCRIPT "Out: 220 mx\nIn:  RCPT TO:<a@b>\nOut: 451 4.3.0 later\n"

static notice_session notice(unsigned classes)
{
    return (notice_session){ .session = STR("5F-1"),
                             .client = STR("192.0.2.1"),
                             .helo = STR("c.example"),
                             .service = STR("smtp"),
                             .reason = STR("later"),
                             .transcript = STR(TRANSCRIPT),
                             .classes = classes };
}

static void tell(const notice_session *m)
{
    channel_put(&w->smtpd, NOTICE_SESSION, 0, notice_session, m);
    rounds();
}

static void tell_classes(unsigned classes)
{
    notice_session m = notice(classes);
    tell(&m);
}

static bool says(const char *text)
{
    return strstr(w->content, text) != NULL;
}

static void a_letter_with_the_transcript(void **state)
{
    (void)state;
    tell_classes(NOTICE_DATA | NOTICE_SOFTWARE);
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->begins, 0);
    assert_int_equal(w->recipients, 1);
    assert_int_equal(w->bytes, strlen(w->content));
    assert_int_equal(w->sum, checksum(0, str_c(w->content)));
    assert_string_equal(w->from, "double-bounce@origin.example");
    assert_string_equal(w->to, "errors@e.example");
    assert_true(says("\r\nFrom: MAILER-DAEMON@origin.example"));
    assert_true(says("\r\nTo: errors@e.example\r\n"));
    assert_true(says("\r\nSubject: SMTP session of 192.0.2.1: error of class data, software\r\n"));
    assert_true(says("\r\nMessage-ID: <notice.5F-1@mx.example>\r\n"));
    assert_true(says(
        "\r\nReason: later\r\nClass: data, software\r\nClient: 192.0.2.1\r\nHELO: c.example\r\nService: smtp\r\n"));
    assert_true(says("\r\n\r\nOut: 220 mx\r\nIn:  RCPT TO:<a@b>\r\nOut: 451 4.3.0 later\r\n"));
    assert_int_equal(w->process.sessions, 1);
    say_done(FAULT_NONE);
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->dones, 0);
}

static void each_class_has_its_reader(void **state)
{
    (void)state;
    tell_classes(NOTICE_BOUNCE);
    assert_int_equal(w->recipients, 1);
    assert_string_equal(w->to, "postmaster");
    say_done(FAULT_NONE);
    tell_classes(NOTICE_BOUNCE | NOTICE_POLICY);
    assert_int_equal(w->recipients, 2);
    assert_string_equal(w->also_to, "errors@e.example");
    assert_string_equal(w->to, "postmaster");
    assert_true(says("\r\nTo: errors@e.example, postmaster\r\n"));
    say_done(FAULT_NONE);
    w->generation.snapshot.base.error_notice_recipient = STR("postmaster");
    tell_classes(NOTICE_BOUNCE | NOTICE_POLICY);
    assert_int_equal(w->recipients, 1);
    say_done(FAULT_NONE);
}

/* A smtpd that lost its mind writes no field and no line of its own. */
static void what_is_not_clean_is_cleaned(void **state)
{
    (void)state;
    notice_session m = notice(NOTICE_POLICY);
    m.session = STR("5F\r\nBcc: x");
    m.client = STR("192.0.2.1\r\nBcc: x");
    m.transcript = STR("In:  \r\x1b[2J\xff\x7f\n");
    tell(&m);
    assert_false(says("\nBcc"));
    assert_true(says("In:  ??[2J??\r\n"));
    say_done(FAULT_NONE);
}

static void refused(const notice_session *m)
{
    tell(m);
    assert_int_equal(w->commits, 0);
    assert_int_equal(w->process.sessions, 0);
    channel_close(&w->smtpd);
    attach_smtpd();
}

static void what_is_no_notice_ends_the_conversation(void **state)
{
    static char much[NOTICE_TRANSCRIPT_MAX + 1];
    (void)state;
    notice_session m = notice(0);
    refused(&m);
    m = notice(64);
    refused(&m);
    m = notice(NOTICE_DATA);
    m.session = STR_NONE;
    refused(&m);
    m = notice(NOTICE_DATA);
    memset(much, 'x', sizeof much);
    m.transcript = (str){ much, sizeof much };
    refused(&m);
    tell_classes(NOTICE_DATA);
    assert_int_equal(w->commits, 1);
    say_done(FAULT_NONE);
}

/* Many short lines are the worst that fits. */
static void the_longest_transcript_fits_into_a_letter(void **state)
{
    static char much[NOTICE_TRANSCRIPT_MAX];
    (void)state;
    notice_session m = notice(NOTICE_DATA);
    for (size_t i = 0; i < sizeof much; i++)
        much[i] = i % 8 == 7 ? '\n' : 'x';
    m.transcript = (str){ much, sizeof much };
    tell(&m);
    assert_int_equal(w->commits, 1);
    say_done(FAULT_NONE);
}

static void one_that_fails_is_dropped(void **state)
{
    (void)state;
    tell_classes(NOTICE_DATA);
    say_done(FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
    tell_classes(NOTICE_DATA);
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->process.sessions, 0);
    tell_classes(NOTICE_DATA);
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->commits, 2);
    assert_int_equal(w->dones, 0);
    assert_int_equal(w->bounce.notices, 0);
}

static void of_a_flood_some_are_told(void **state)
{
    (void)state;
    notice_session m = notice(NOTICE_DATA);
    for (int i = 0; i < 300; i++) {
        channel_put(&w->smtpd, NOTICE_SESSION, 0, notice_session, &m);
        if (i % 20 == 0)
            rounds();
    }
    rounds();
    assert_int_equal(w->commits, 100);
    assert_int_equal(w->process.sessions, 100);
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->bounce.notices, 0);
}

/* A letter that came enclosed needs no file: one that comes all the same is closed. */
static void a_file_that_nobody_asked_for(void **state)
{
    (void)state;
    tell_classes(NOTICE_DATA);
    give();
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->aborts, 0);
    say_done(FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_letter_with_the_transcript),
        TEST(each_class_has_its_reader),
        TEST(what_is_not_clean_is_cleaned),
        TEST(what_is_no_notice_ends_the_conversation),
        TEST(the_longest_transcript_fits_into_a_letter),
        TEST(one_that_fails_is_dropped),
        TEST(of_a_flood_some_are_told),
        TEST(a_file_that_nobody_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
