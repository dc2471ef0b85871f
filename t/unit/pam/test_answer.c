/* SOURCES: pam/account.c pam/answer.c pam/check.c  NEEDS: daemon outside_pam */
/* What auth asks, answered over a real channel: an account that mail may not be for is none, and its password is not tried. */
#include "daemon/daemon.h"
#include "ipc/talk/auth.h"
#include "pam/answer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct world {
    process process;
    generation generation;
    peer peer;
    channel auth;
    talk talk;
    unsigned checks, users;
    uint32_t ref, outcome;
} * w;

static bool on_checked(void *context, channel *c, received *r)
{
    auth_checked m;
    (void)context, (void)c;
    assert_int_equal(auth_checked_decode(r->bytes, &m), PARSE_DONE);
    w->checks++;
    w->ref = r->ref;
    w->outcome = m.outcome;
    loop_stop(w->process.loop);
    return true;
}

static bool on_user(void *context, channel *c, received *r)
{
    auth_user m;
    (void)context, (void)c;
    assert_int_equal(auth_user_decode(r->bytes, &m), PARSE_DONE);
    w->users++;
    w->ref = r->ref;
    w->outcome = m.outcome;
    loop_stop(w->process.loop);
    return true;
}

static const talk_row auth_rows[] = { { AUTH_CHECKED, 0, 0, on_checked }, { AUTH_USER, 0, 0, on_user } };
static const talk auth_end_talk = { "auth", auth_rows, COUNT_OF(auth_rows), NULL };

static int setup(void **state)
{
    int pair[2];
    (void)state;
    w = calloc(1, sizeof *w);
    w->generation.snapshot.base =
        (config){ .minimum_uid = 1000, .maximum_uid = 60000, .mydestination = STR("l.example") };
    w->process = (process){ .loop = loop_new(), .current = &w->generation };
    w->peer = (peer){ .daemon = &w->process };
    w->talk = (talk){ "auth-pam", answer_rows, answer_row_count, NULL };
    assert_true(channel_pair(pair));
    channel_open(&w->peer.channel, w->process.loop, pair[0], &w->talk, &w->peer);
    channel_open(&w->auth, w->process.loop, pair[1], &auth_end_talk, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&w->auth);
    channel_close(&w->peer.channel);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void a_stranger_is_refused(void **state)
{
    auth_check m = { .user = STR("no-such-account@elsewhere.example"), .password = { STR("x") } };
    (void)state;
    channel_put(&w->auth, AUTH_CHECK, 5, auth_check, &m);
    loop_run(w->process.loop);
    assert_int_equal(w->checks, 1);
    assert_int_equal(w->ref, 5);
    assert_int_equal(w->outcome, FAULT_REFUSED);
}

static void who_is_not_there_is_not_found(void **state)
{
    auth_find m = { .user = STR("no-such-account") };
    (void)state;
    channel_put(&w->auth, AUTH_FIND, 6, auth_find, &m);
    loop_run(w->process.loop);
    assert_int_equal(w->users, 1);
    assert_int_equal(w->ref, 6);
    assert_int_equal(w->outcome, FAULT_REFUSED);
}

static void root_gets_no_mail(void **state)
{
    auth_find m = { .user = STR("root") };
    (void)state;
    channel_put(&w->auth, AUTH_FIND, 7, auth_find, &m);
    loop_run(w->process.loop);
    assert_int_not_equal(w->outcome, FAULT_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(a_stranger_is_refused), TEST(who_is_not_there_is_not_found),
                                        TEST(root_gets_no_mail) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
