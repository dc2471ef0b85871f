/* Several processes with the same listeners: who accepts, who is called, and who stands in. */
#include "daemon/relief.h"
#include "ipc/talk/relief.h"
#include "parts.h"
#include <netinet/in.h>

static const contract plain = { .role = "plain" };
static const program the_program = { .contract = &plain };

enum { BUSY_US = 60000, HALF_US = 40000, EASE_US = 19000, LOOK = 100 };

/* One of the role, and what it says to the process. */
typedef struct sibling {
    process *d;
    channel channel;
    unsigned calls, ends;
} sibling;

static bool on_call(void *context, channel *c, received *r)
{
    sibling *s = context;
    relief_call m;
    (void)c;
    assert_int_equal(relief_call_decode(r->bytes, &m), PARSE_DONE);
    s->calls += m.is_wanted;
    s->ends += !m.is_wanted;
    return true;
}

static const talk_row rows[] = { { RELIEF_CALL, 0, 0, on_call } };
static const talk its_talk = { "relief", rows, COUNT_OF(rows), NULL };

static void on_round(void *context)
{
    loop_stop(context);
}

static void rounds(process *d)
{
    timer t;
    timer_open(&t, d->loop, on_round, d->loop);
    for (int i = 0; i < 5; i++) {
        timer_set(&t, 1);
        loop_run(d->loop);
    }
    timer_close(&t);
}

static void sibling_open(sibling *s, process *d, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    *s = (sibling){ .d = d };
    channel_open(&s->channel, d->loop, pair[1], &its_talk, s);
    daemon_peer_add(d, STR("plain"), instance, pair[0]);
    rounds(d);
}

static void sibling_says(sibling *s, bool is_wanted)
{
    relief_call m = { .is_wanted = is_wanted };
    channel_put(&s->channel, RELIEF_CALL, 0, relief_call, &m);
    rounds(s->d);
}

static void sibling_leaves(sibling *s)
{
    channel_close(&s->channel);
    rounds(s->d);
}

/* A process at work with one listener: what master would open is opened here. */
static void process_open(process *d, uint32_t instance)
{
    static const talk nothing = { "control", NULL, 0, NULL };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int pair[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    parts_open(d, &the_program, "");
    d->instance = instance;
    assert_true(channel_pair(pair));
    channel_open(&d->control, d->loop, pair[0], &nothing, d);
    close(pair[1]);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    daemon_listener_add(d, STR("one/inet"), fd);
}

static void process_close(process *d)
{
    daemon_listeners_close(d);
    while (d->peers) {
        peer *p = d->peers;
        d->peers = p->next;
        channel_close(&p->channel);
        free(p);
    }
    channel_close(&d->control);
    parts_close(d);
}

static bool is_accepting(const process *d)
{
    bool watches = d->listeners->watch.wanted == WATCH_READ;
    assert_int_equal(watches, relief_is_on_duty(d));
    return watches;
}

static void the_first_accepts_and_the_next_when_it_is_called(void **state)
{
    process d;
    sibling first, last;
    (void)state;
    process_open(&d, 1);
    assert_true(is_accepting(&d));
    sibling_open(&first, &d, 0);
    assert_false(is_accepting(&d));
    sibling_open(&last, &d, 2);
    assert_false(is_accepting(&d));
    sibling_says(&first, true);
    assert_true(is_accepting(&d));
    sibling_says(&first, false);
    assert_false(is_accepting(&d));
    sibling_leaves(&first);
    assert_true(is_accepting(&d));
    sibling_open(&first, &d, 0);
    assert_false(is_accepting(&d));
    sibling_leaves(&first);
    sibling_leaves(&last);
    process_close(&d);
}

static void a_call_from_behind_changes_nothing(void **state)
{
    process d;
    sibling first, last;
    (void)state;
    process_open(&d, 1);
    sibling_open(&first, &d, 0);
    sibling_open(&last, &d, 2);
    sibling_says(&last, true);
    assert_false(is_accepting(&d));
    sibling_leaves(&last);
    assert_false(is_accepting(&d));
    sibling_leaves(&first);
    process_close(&d);
}

static void load_is_judged_with_some_patience(void **state)
{
    relief r = { 0 };
    (void)state;
    assert_false(relief_judge(&r, LOOK - 1, BUSY_US));
    assert_false(relief_judge(&r, LOOK, BUSY_US - 1000));
    assert_true(relief_judge(&r, 2 * LOOK, 2 * BUSY_US - 1000));
    assert_true(r.is_busy);
    assert_false(relief_judge(&r, 3 * LOOK, r.cpu_us + HALF_US));
    assert_true(r.is_busy);
    assert_true(relief_judge(&r, 4 * LOOK, r.cpu_us + EASE_US));
    assert_false(r.is_busy);
    assert_false(relief_judge(&r, 5 * LOOK, r.cpu_us + HALF_US));
    assert_false(r.is_busy);
}

/* Uses CPU until a look finds so. */
static void gets_busy(process *d)
{
    relief_accepted(d);
    while (!d->relief.is_busy)
        relief_accepted(d);
    rounds(d);
}

/* And not the one behind it. */
static void who_has_no_time_calls_the_next(void **state)
{
    process d;
    sibling next, last;
    (void)state;
    process_open(&d, 0);
    sibling_open(&last, &d, 2);
    sibling_open(&next, &d, 1);
    gets_busy(&d);
    assert_int_equal(next.calls, 1);
    assert_int_equal(last.calls, 0);
    sibling_leaves(&next);
    sibling_open(&next, &d, 1);
    assert_int_equal(next.calls, 1);
    d.relief.looked_ms -= 1000000; /* as after a long rest */
    relief_accepted(&d);
    rounds(&d);
    assert_int_equal(next.ends, 1);
    sibling_leaves(&next);
    sibling_leaves(&last);
    process_close(&d);
}

/* Else the one behind it would accept for ever: who does not accept looks at no load. */
static void who_is_called_off_calls_off_the_next(void **state)
{
    process d;
    sibling first, last;
    (void)state;
    process_open(&d, 1);
    sibling_open(&first, &d, 0);
    sibling_open(&last, &d, 2);
    sibling_says(&first, true);
    gets_busy(&d);
    assert_int_equal(last.calls, 1);
    sibling_says(&first, false);
    assert_int_equal(last.ends, 1);
    assert_false(d.relief.is_busy);
    sibling_leaves(&first);
    sibling_leaves(&last);
    process_close(&d);
}

static void who_leaves_calls_the_next(void **state)
{
    process d;
    sibling next;
    (void)state;
    process_open(&d, 0);
    sibling_open(&next, &d, 1);
    daemon_drain(&d);
    rounds(&d);
    assert_int_equal(next.calls, 1);
    assert_null(d.listeners);
    sibling_leaves(&next);
    process_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_accepts_and_the_next_when_it_is_called),
        cmocka_unit_test(a_call_from_behind_changes_nothing),
        cmocka_unit_test(load_is_judged_with_some_patience),
        cmocka_unit_test(who_has_no_time_calls_the_next),
        cmocka_unit_test(who_is_called_off_calls_off_the_next),
        cmocka_unit_test(who_leaves_calls_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
