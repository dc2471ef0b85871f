/* SOURCES: meter/counter.c meter/events.c  NEEDS: daemon */
/* Questions to meter and its answers, over a real channel. */
#include "meter/events.h"
#include "ipc/talk/meter.h"
#include "meter/counter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static struct world {
    loop *loop;
    process process;
    counter counter;
    holder holder;
    peer peer;
    talk talk;
    channel asker;
    timer stop;
    meter_answer answer;
    unsigned answers;
    uint32_t ref;
} * w;

static bool on_answer(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    assert_int_equal(meter_answer_decode(r->bytes, &w->answer), PARSE_DONE);
    w->ref = r->ref;
    w->answers++;
    return true;
}

static const talk_row asker_rows[] = { { METER_ANSWER, 0, 0, on_answer } };
static const talk asker_talk = { "asker", asker_rows, COUNT_OF(asker_rows), NULL };

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->loop);
    }
}

static int setup(void **state)
{
    int pair[2];
    (void)state;
    w = calloc(1, sizeof *w);
    w->loop = loop_new();
    w->counter = counter_new(100);
    w->process = (process){ .loop = w->loop, .state = &w->counter };
    w->peer = (peer){ .daemon = &w->process, .context = &w->holder };
    w->talk = (talk){ "meter", event_rows, EVENT_ROWS, NULL };
    timer_open(&w->stop, w->loop, on_stop, w->loop);
    assert_true(channel_pair(pair));
    channel_open(&w->peer.channel, w->loop, pair[0], &w->talk, &w->peer);
    channel_open(&w->asker, w->loop, pair[1], &asker_talk, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&w->asker);
    channel_close(&w->peer.channel);
    rounds();
    timer_close(&w->stop);
    counter_close_all(&w->counter, &w->holder);
    counter_free(&w->counter);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void say(uint16_t type, enum meter_kind kind)
{
    meter_event m = { .service = STR("smtp"),
                      .client_address = STR("192.0.2.1"),
                      .kind = kind,
                      .count_limit = 1,
                      .rate_limit = 2,
                      .rate_unit_s = 3600 };
    channel_put(&w->asker, type, 7, meter_event, &m);
    rounds();
}

static void connections_are_open_until_they_are_closed(void **state)
{
    (void)state;
    say(METER_OPEN, METER_CONNECTIONS);
    assert_true(w->answers == 1 && w->answer.is_allowed && w->ref == 7);
    say(METER_OPEN, METER_CONNECTIONS);
    assert_false(w->answer.is_allowed);
    assert_int_equal(w->answer.count, 2);
    say(METER_CLOSE, METER_CONNECTIONS);
    say(METER_CLOSE, METER_CONNECTIONS);
    assert_int_equal(w->answers, 2);
    assert_int_equal(w->holder.open.n, 0);
}

static void other_things_have_a_rate_alone(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 4; i++) {
        say(METER_COUNT, METER_MESSAGES);
        assert_int_equal(w->answer.is_allowed, i <= 2);
        assert_int_equal(w->answer.count, 0);
    }
    say(METER_UNCOUNT, METER_MESSAGES);
    assert_int_equal(w->answers, 4);
    say(METER_COUNT, METER_MESSAGES);
    assert_true(w->answer.is_allowed);
    say(METER_COUNT, METER_AUTHS);
    assert_true(w->answer.is_allowed);
    assert_int_equal(w->holder.open.n, 0);
}

static void what_is_no_kind_drops_the_peer(void **state)
{
    (void)state;
    say(METER_COUNT, METER_KINDS);
    assert_int_equal(w->answers, 0);
    assert_false(channel_is_open(&w->peer.channel));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connections_are_open_until_they_are_closed),
        TEST(other_things_have_a_rate_alone),
        TEST(what_is_no_kind_drops_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
