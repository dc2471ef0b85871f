/* SOURCES: pipe/accounts.c pipe/jobs.c pipe/workers.c  NEEDS: daemon db queue */
/* Who acts for a request of qmgr, and what becomes of it. */
#include "t/unit/pipe_process/world.h"

static void ends_as(fault_kind outcome, unsigned results)
{
    assert_int_equal(w->results, results);
    assert_int_equal(w->result.outcome, outcome);
    assert_int_equal(w->process.sessions, 0);
}

static void the_users_worker_acts(void **state)
{
    (void)state;
    request_member(7, 70, "alice", "|/bin/command");
    assert_string_equal(w->auth[0].asked[0].user, "alice");
    assert_int_equal(w->process.sessions, 1); /* keeps a draining pipe */
    answer(&w->auth[0], 0, "alice", 1000);
    assert_int_equal(w->workers[0].uid, 1000);
    assert_int_equal(w->workers[0].requests, 1);
    assert_string_equal(w->workers[0].member, "|/bin/command");
    assert_string_equal(w->workers[0].forwarders, "carol");
    result(&w->workers[0], FAULT_NONE);
    ends_as(FAULT_NONE, 1);
    assert_int_equal(w->result_ref, 7);
    assert_int_equal(w->result.queue_id, 70);
    request_member(8, 71, "alice", "/file"); /* the worker is there: nobody is asked */
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 2);
    assert_int_equal(w->workers[0].worker.open, 1);
}

static void default_privs_acts_for_an_alias(void **state)
{
    (void)state;
    request_member(1, 10, "#nobody", "|/bin/command");
    assert_int_equal(w->auth[0].n, 0);
    assert_string_equal(w->workers[0].user, "#nobody");
    assert_int_equal(w->workers[0].uid, geteuid());
    result(&w->workers[0], FAULT_REFUSED);
    ends_as(FAULT_REFUSED, 1);
}

/* Whatever stands in a queue file: nobody becomes root, or an account that owns no table, by a name. */
static void no_other_account_acts(void **state)
{
    static const char *const names[] = { "#0", "#root", "#1000", "#", "#nobodyelse" };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        request_member(i, 10, names[i], "|/bin/command");
        ends_as(FAULT_TRY_LATER, i + 1);
    }
    assert_int_equal(w->worker_count, 0);
    assert_int_equal(w->auth[0].n, 0);
}

static void what_is_no_member_is_refused(void **state)
{
    static const char *const members[] = { "", "|", "/", "alice", ":include:", ":include:list", "\\alice" };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(members); i++) {
        request_member(i, 10, "alice", members[i]);
        ends_as(FAULT_REFUSED, i + 1);
    }
    assert_int_equal(w->auth[0].n, 0);
    request_member(9, 10, "", "|/bin/command"); /* nobody: that is no request */
    assert_false(channel_is_open(&w->qmgr));
}

/* Users of one uid are told apart by their folders only: their commands would not be. */
static void a_virtual_user_runs_nothing(void **state)
{
    auth_user m = {
        .outcome = FAULT_NONE, .user = STR("alice"), .uid = 1000, .gid = 1000, .home = STR("/h"), .mail = STR("/m")
    };
    (void)state;
    w->process.identity.is_privileged = true;
    request_member(1, 10, "alice", "|/bin/command");
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    ends_as(FAULT_REFUSED, 1);
    assert_int_equal(w->worker_count, 0);
}

static void who_is_not_found_is_told(void **state)
{
    auth_user m = { .outcome = FAULT_REFUSED };
    (void)state;
    request_member(1, 10, "nobody", "|/bin/command");
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    ends_as(FAULT_REFUSED, 1);
    request_member(2, 11, "somebody", "|/bin/command");
    m.outcome = FAULT_TRY_LATER;
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[1].ref, auth_user, &m);
    rounds();
    ends_as(FAULT_TRY_LATER, 2);
}

static void waits_for_an_auth_that_restarts(void **state)
{
    (void)state;
    channel_close(&w->auth[0].channel);
    rounds();
    request_member(1, 10, "alice", "|/bin/command");
    assert_int_equal(w->results, 0);
    attach(&w->auth[1].channel, &auth_end_talk, &w->auth[1], "auth", 0);
    rounds();
    answer(&w->auth[1], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
}

static void without_a_worker_it_is_for_later(void **state)
{
    static const char *const users[WORKERS] = { "alice", "bob", "carol", "erik" };
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        request_member(i, 10 + i, users[i], "|/bin/command");
        answer(&w->auth[0], i, users[i], 1000 + i);
    }
    request_member(9, 20, "dora", "|/bin/command");
    answer(&w->auth[0], WORKERS, "dora", 1010);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
    assert_int_equal(w->result.queue_id, 20);
}

static void a_qmgr_that_went_away_hears_nothing(void **state)
{
    (void)state;
    request_member(1, 10, "alice", "|/bin/command");
    answer(&w->auth[0], 0, "alice", 1000);
    channel_close(&w->qmgr);
    rounds();
    attach(&w->qmgr, &qmgr_end_talk, NULL, "qmgr", 0);
    result(&w->workers[0], FAULT_NONE);
    assert_int_equal(w->results, 0);
    assert_int_equal(w->process.sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIPE_TEST(the_users_worker_acts),
        PIPE_TEST(default_privs_acts_for_an_alias),
        PIPE_TEST(no_other_account_acts),
        PIPE_TEST(what_is_no_member_is_refused),
        PIPE_TEST(a_virtual_user_runs_nothing),
        PIPE_TEST(who_is_not_found_is_told),
        PIPE_TEST(waits_for_an_auth_that_restarts),
        PIPE_TEST(without_a_worker_it_is_for_later),
        PIPE_TEST(a_qmgr_that_went_away_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
