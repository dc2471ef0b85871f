/* SOURCES: smtpd/notice.c smtpd/transcript.c  NEEDS: daemon tls proto */
/* What bounce is told of a session, and that nobody waits for it. */
#include "daemon/peers.h"
#include "smtpd/session.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static process p;
static smtpd d;
static session s;
static channel bounce;
static timer stop;
static unsigned told;
static char last[400];

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&stop, 1);
        loop_run(p.loop);
    }
}

static bool on_notice(void *context, channel *c, received *r)
{
    notice_session m;
    (void)context, (void)c;
    assert_int_equal(notice_session_decode(r->bytes, &m), PARSE_DONE);
    snprintf(last, sizeof last, "%.*s|%.*s|%.*s|%.*s|%u|%.*s", STR_ARG(m.session), STR_ARG(m.client), STR_ARG(m.helo),
             STR_ARG(m.reason), m.classes, STR_ARG(m.transcript));
    told++;
    return true;
}

static const talk_row rows[] = { { NOTICE_SESSION, 0, 0, on_notice } };
static const talk bounce_talk = { "bounce", rows, COUNT_OF(rows), NULL };

static int setup(void **state)
{
    static peer_row peers[] = { { "bounce", { 0 }, NULL, NULL } };
    static program smtpd_program = { .peers = peers, .peer_count = COUNT_OF(peers) };
    (void)state;
    peers[0].talk = notice_talk;
    p = (process){ .program = &smtpd_program, .loop = loop_new(), .state = &d, .control = { .fd = -1 } };
    p.control.loop = p.loop;
    d.process = &p;
    timer_open(&stop, p.loop, on_stop, p.loop);
    s = (session){ .smtpd = &d, .helo = STR("c.example"), .service = STR("smtp/inet") };
    snprintf(s.id, sizeof s.id, "5F-1");
    snprintf(s.client, sizeof s.client, "192.0.2.1");
    transcript_open(&s.transcript, STR("protocol"));
    told = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&bounce);
    rounds();
    transcript_free(&s.transcript);
    timer_close(&stop);
    loop_free(p.loop);
    return 0;
}

static void bounce_comes(void)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&bounce, p.loop, pair[1], &bounce_talk, NULL);
    daemon_peer_add(&p, STR("bounce"), 0, pair[0]);
    rounds();
}

static void error_occurs(unsigned classes)
{
    transcript_command(&s.transcript, STR("BOGUS"), false);
    transcript_reply(&s.transcript, 500, STR("5.5.2"), STR("what?"));
    transcript_error(&s.transcript, classes, STR("what?"));
}

static void a_session_with_an_error_is_told(void **state)
{
    (void)state;
    bounce_comes();
    error_occurs(NOTICE_PROTOCOL);
    notice_send(&s);
    rounds();
    assert_int_equal(told, 1);
    assert_string_equal(last, "5F-1|192.0.2.1|c.example|what?|8|In:  BOGUS\nOut: 500 5.5.2 what?\n");
}

static void one_without_is_not(void **state)
{
    (void)state;
    bounce_comes();
    notice_send(&s);
    error_occurs(NOTICE_POLICY); /* a class that is not asked for */
    notice_send(&s);
    rounds();
    assert_int_equal(told, 0);
}

static void without_bounce_it_is_dropped(void **state)
{
    (void)state;
    error_occurs(NOTICE_PROTOCOL);
    notice_send(&s);
    bounce_comes();
    assert_int_equal(told, 0);
}

/* One that hangs takes no memory here. */
static void of_a_bounce_that_does_not_read_it_is_dropped(void **state)
{
    (void)state;
    bounce_comes();
    peer *to = daemon_peer(&p, "bounce");
    for (int i = 0; i < 100; i++)
        transcript_command(&s.transcript, STR("BOGUS"), false);
    error_occurs(NOTICE_PROTOCOL);
    for (int i = 0; i < 5000; i++)
        notice_send(&s);
    assert_in_range(to->channel.queued_bytes, 1024 * 1024, 1024 * 1024 + 16 * 1024);
    rounds();
    assert_in_range(told, 100, 2000);
    assert_int_equal(to->channel.queued_bytes, 0);
}

static void of_letters_that_come_back_none_is_written(void **state)
{
    config c = { .double_bounce_sender = STR("double-bounce"), .myorigin = STR("mx.example") };
    (void)state;
    s.config = &c;
    bounce_comes();
    error_occurs(NOTICE_PROTOCOL);
    notice_guard(&s, STR("postmaster@mx.example"));
    notice_send(&s);
    rounds();
    assert_int_equal(told, 1);
    notice_guard(&s, STR("Double-bounce@mx.example"));
    error_occurs(NOTICE_PROTOCOL);
    notice_send(&s);
    rounds();
    assert_int_equal(told, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_session_with_an_error_is_told),
        TEST(one_without_is_not),
        TEST(without_bounce_it_is_dropped),
        TEST(of_a_bounce_that_does_not_read_it_is_dropped),
        TEST(of_letters_that_come_back_none_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
