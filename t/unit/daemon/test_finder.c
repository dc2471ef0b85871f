/* Who a user is, asked of auth: answers, an auth that is replaced, one that is away, and a process that leaves. */
#include "daemon/finder.h"
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct world {
    process process;
    program program;
    finder finder;
    channel auth;
    timer stop;
    uint32_t ref;
    unsigned asks, answers;
    fault outcome;
    uid_t uid;
} worlds[4], *w; /* each test has its own: what it leaves stays in reach */

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 10; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static bool on_find(void *context, channel *c, received *r)
{
    auth_find m;
    (void)context, (void)c;
    assert_int_equal(auth_find_decode(r->bytes, &m), PARSE_DONE);
    assert_true(str_equal(m.user, STR("joe")));
    w->ref = r->ref;
    w->asks++;
    return true;
}

static const talk_row end_rows[] = { { AUTH_FIND, 0, 0, on_find } };
static const talk end_talk = { "auth", end_rows, COUNT_OF(end_rows), NULL };

static void on_found(finding *f, fault outcome, const pool_user *u)
{
    (void)f;
    w->answers++;
    w->outcome = outcome;
    w->uid = u ? u->uid : 0;
}

static void auth_opened(peer *p)
{
    finder_auth_opened(&w->finder, p);
}

static void attach(uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&w->auth, w->process.loop, pair[1], &end_talk, NULL);
    daemon_peer_add(&w->process, STR("auth"), instance, pair[0]);
}

static void say(fault_kind outcome)
{
    auth_user m = { .outcome = outcome, .user = STR("joe"), .uid = 1234, .gid = 1234, .reason = STR("because") };
    channel_put(&w->auth, AUTH_USER, w->ref, auth_user, &m);
    rounds();
}

static int setup(void **state)
{
    static peer_row row;
    (void)state;
    static size_t used;
    w = &worlds[used++];
    row = (peer_row){ "auth", finder_talk, auth_opened, finder_auth_lost };
    w->program = (program){ .peers = &row, .peer_count = 1 };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .state = w };
    w->finder = (finder){ .process = &w->process, .on_found = on_found };
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    w->process.control.fd = -1;
    w->process.control.loop = w->process.loop; /* at work: peers are opened as they come */
    return 0;
}

static void each_answer_is_told(void **state)
{
    finding f = { 0 };
    (void)state;
    attach(0);
    finder_ask(&w->finder, &f, STR("joe"));
    rounds();
    assert_int_equal(w->asks, 1);
    say(FAULT_NONE);
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->outcome.kind, FAULT_NONE);
    assert_int_equal(w->uid, 1234);
    finder_ask(&w->finder, &f, STR("joe"));
    rounds();
    say(FAULT_REFUSED);
    assert_int_equal(w->outcome.kind, FAULT_REFUSED);
    assert_string_equal(w->outcome.status, "1.1");
    finder_ask(&w->finder, &f, STR("joe"));
    rounds();
    say(FAULT_TRY_LATER);
    assert_int_equal(w->outcome.kind, FAULT_TRY_LATER);
    assert_non_null(strstr(w->outcome.text, "because"));
}

static void what_is_forgotten_gets_no_answer(void **state)
{
    finding f = { 0 };
    (void)state;
    finder_forget(&f); /* nothing was asked */
    attach(0);
    finder_ask(&w->finder, &f, STR("joe"));
    rounds();
    finder_forget(&f);
    say(FAULT_NONE);
    assert_int_equal(w->answers, 0);
}

static void the_next_auth_is_asked_again(void **state)
{
    finding f = { 0 };
    (void)state;
    finder_ask(&w->finder, &f, STR("joe")); /* there is none yet */
    rounds();
    assert_int_equal(w->asks, 0);
    attach(0);
    rounds();
    assert_int_equal(w->asks, 1);
    channel_close(&w->auth);
    rounds();
    assert_int_equal(w->answers, 0);
    attach(1);
    rounds();
    assert_int_equal(w->asks, 2);
    say(FAULT_NONE);
    assert_int_equal(w->answers, 1);
}

static void a_process_that_leaves_waits_for_none(void **state)
{
    finding f = { 0 };
    (void)state;
    attach(0);
    finder_ask(&w->finder, &f, STR("joe"));
    rounds();
    w->process.is_draining = true;
    channel_close(&w->auth);
    rounds();
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->outcome.kind, FAULT_TRY_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_answer_is_told, setup),
        cmocka_unit_test_setup(what_is_forgotten_gets_no_answer, setup),
        cmocka_unit_test_setup(the_next_auth_is_asked_again, setup),
        cmocka_unit_test_setup(a_process_that_leaves_waits_for_none, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
