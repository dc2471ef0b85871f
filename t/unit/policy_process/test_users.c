/* SOURCES: policy/users.c  NEEDS: daemon db mail policy_engine */
/* What policy learns of users from one auth, from two while one replaces the other, and from none. */
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "policy/policy.h"
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct auth_end {
    channel channel;
    uint32_t refs[4];
    char names[4][20];
    size_t n;
} auth_end;

static struct world {
    process process;
    program program;
    policy policy;
    timer stop;
    auth_end auth[2];
    unsigned resumed_all, resumed;
} * w;

/* In the place of policy/ask.c. */
void questions_resume(policy *p, str name)
{
    (void)p;
    w->resumed_all += name.p == NULL;
    w->resumed += name.p != NULL;
}

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
    auth_end *a = context;
    auth_find m;
    (void)c;
    assert_int_equal(auth_find_decode(r->bytes, &m), PARSE_DONE);
    assert_true(a->n < 4);
    a->refs[a->n] = r->ref;
    snprintf(a->names[a->n++], sizeof a->names[0], "%.*s", STR_ARG(m.user));
    return true;
}

static const talk_row rows[] = { { AUTH_FIND, 0, 0, on_find } };
static const talk end_talk = { "auth", rows, COUNT_OF(rows), NULL };

static void attach(size_t which)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&w->auth[which].channel, w->process.loop, pair[1], &end_talk, &w->auth[which]);
    daemon_peer_add(&w->process, STR("auth"), (uint32_t)which, pair[0]);
    rounds();
}

static int setup(void **state)
{
    static peer_row peers[] = { { "auth", { 0 }, users_auth_opened, users_auth_lost } };
    (void)state;
    peers[0].talk = auth_talk;
    w = calloc(1, sizeof *w);
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .state = &w->policy, .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->policy.process = &w->process;
    users_start(&w->policy);
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&w->auth[0].channel);
    channel_close(&w->auth[1].channel);
    rounds();
    assert_null(w->process.peers);
    assert_int_equal(w->policy.asked.n, 0);
    map_free(&w->policy.asked);
    map_free(&w->policy.users);
    refs_free(&w->policy.asks);
    timer_close(&w->policy.patience);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void answer(auth_end *a, size_t which, fault_kind outcome)
{
    auth_user m = { .outcome = outcome, .user = str_c(a->names[which]) };
    channel_put(&a->channel, AUTH_USER, a->refs[which], auth_user, &m);
    rounds();
}

static user_result lookup(const char *name)
{
    arena a = arena_new(0);
    str found;
    fault f;
    user_result r = users_lookup(&w->policy, str_c(name), &a, &found, &f);
    arena_free(&a);
    return r;
}

static void ask(const char *name)
{
    users_ask(&w->policy, str_c(name));
    rounds();
}

static void asks_once_and_remembers(void **state)
{
    (void)state;
    attach(0);
    assert_int_equal(lookup("Alice"), USER_WAIT);
    ask("Alice");
    ask("alice");
    assert_int_equal(w->auth[0].n, 1);
    assert_string_equal(w->auth[0].names[0], "alice");
    answer(&w->auth[0], 0, FAULT_NONE);
    assert_int_equal(w->resumed, 1);
    assert_int_equal(lookup("ALICE"), USER_FOUND);
    ask("nobody");
    answer(&w->auth[0], 1, FAULT_REFUSED);
    assert_int_equal(lookup("nobody"), USER_ABSENT);
    ask("somebody");
    answer(&w->auth[0], 2, FAULT_TRY_LATER);
    assert_int_equal(lookup("somebody"), USER_WAIT); /* the next one asks again */
}

static void the_end_of_one_auth_is_not_that_of_the_other(void **state)
{
    (void)state;
    attach(0);
    ask("alice");
    attach(1);
    ask("bob");
    assert_int_equal(w->auth[1].n, 1);
    channel_close(&w->auth[0].channel);
    rounds();
    ask("bob"); /* is being asked for */
    assert_int_equal(w->auth[1].n, 1);
    answer(&w->auth[1], 0, FAULT_NONE);
    assert_true(channel_is_open(&w->auth[1].channel));
    assert_int_equal(lookup("bob"), USER_FOUND);
    ask("alice");
    assert_int_equal(w->auth[1].n, 2);
}

static void a_second_answer_and_anothers_are_nothing(void **state)
{
    (void)state;
    attach(0);
    ask("alice");
    attach(1);
    w->auth[1].refs[0] = w->auth[0].refs[0];
    answer(&w->auth[1], 0, FAULT_REFUSED);
    assert_int_equal(lookup("alice"), USER_WAIT);
    answer(&w->auth[0], 0, FAULT_NONE);
    answer(&w->auth[0], 0, FAULT_REFUSED);
    assert_int_equal(lookup("alice"), USER_FOUND);
    assert_true(channel_is_open(&w->auth[0].channel));
    assert_true(channel_is_open(&w->auth[1].channel));
}

/* Those who come behind do not make those who wait wait longer. */
static void patience_is_not_renewed(void **state)
{
    struct timeval first, then;
    (void)state;
    ask("alice");
    assert_true(event_pending(&w->policy.patience.event, EV_TIMEOUT, &first));
    ask("bob");
    assert_true(event_pending(&w->policy.patience.event, EV_TIMEOUT, &then));
    assert_memory_equal(&first, &then, sizeof first);
    assert_int_equal(lookup("alice"), USER_WAIT);
    w->policy.patience.on_time(w->policy.patience.context);
    assert_int_equal(w->resumed_all, 1);
    assert_int_equal(lookup("alice"), USER_FAILED);
    attach(0);
    assert_int_equal(lookup("alice"), USER_WAIT);
    assert_int_equal(w->resumed_all, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_once_and_remembers),
        TEST(the_end_of_one_auth_is_not_that_of_the_other),
        TEST(a_second_answer_and_anothers_are_nothing),
        TEST(patience_is_not_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
