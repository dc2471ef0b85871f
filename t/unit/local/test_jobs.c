/* SOURCES: local/extension.c local/jobs.c local/locks.c local/users.c local/workers.c  NEEDS: daemon queue */
#include "local/local.h"
typedef local deliverer;
#include "t/unit/daemon/deliveries.h"

static void world_begin(void)
{
    w->generation.snapshot.base = (config){ .recipient_delimiter = STR("+"), .allow_mail_to_commands = STR("alias, forward"),
                                            .allow_mail_to_files = STR("alias"), .mailbox_delivery_lock = STR("fcntl"),
                                            .mail_spool_directory = STR("/nowhere/mail"), .deliver_lock_attempts = 3 };
}

static void auth_opened(peer *p)
{
    users_auth_opened(p);
}

static void worker_gone(pool_worker *p)
{
    workers_gone(p);
}

static void request(uint32_t ref, uint64_t id, const char *user)
{
    request_member(ref, id, user, "");
}

static void delivers_by_the_users_worker(void **state)
{
    (void)state;
    request(7, 70, "alice");
    assert_int_equal(w->auth[0].n, 1);
    assert_string_equal(w->auth[0].asked[0].user, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
    assert_int_equal(w->workers[0].uid, 1000);
    assert_int_equal(w->process.sessions, 1); /* keeps a draining local */
    result(&w->workers[0], FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result_ref, 7);
    assert_int_equal(w->result.queue_id, 70);
    assert_int_equal(w->process.sessions, 0);
    request(8, 71, "alice"); /* the worker is there: nobody is asked */
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 2);
}

/* So many deliveries as one worker is left alone with; the next one is asked for. */
static void requests_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        request(100 + i, 1000 + i, "alice");
}

static void a_user_with_much_mail_has_more_workers(void **state)
{
    (void)state;
    request(7, 70, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    requests_many(9);
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 10);
    request(8, 80, "alice");
    assert_int_equal(w->auth[0].n, 2);
    answer(&w->auth[0], 1, "alice", 1000);
    assert_int_equal(w->worker_count, 2);
    assert_string_equal(w->workers[1].user, "alice");
    assert_int_equal(w->workers[1].uid, 1000);
    requests_many(3); /* who has less to do gets them */
    assert_int_equal(w->auth[0].n, 2);
    assert_int_equal(w->workers[1].requests, 4);
    result(&w->workers[0], FAULT_NONE);
    requests_many(1); /* the first one is not busy any more: it batches */
    assert_int_equal(w->workers[0].requests, 11);
    result(&w->workers[1], FAULT_NONE);
    assert_int_equal(w->result.queue_id, w->workers[1].queue_id);
    channel_close(&w->workers[1].channel);
    rounds();
    assert_int_equal(w->results, 5); /* the others of that one are tried later */
}

static void request_large(uint32_t ref)
{
    request_of_bytes(ref, 10 * ref, "alice", "", 1 << 20);
}

/* 16 times 64 KiB weigh more than what keeps one busy; more than four do not begin. */
static void each_large_message_has_a_worker_up_to_four(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        request_large(10 + i);
        assert_int_equal(w->auth[0].n, i + 1);
        answer(&w->auth[0], i, "alice", 1000);
        assert_int_equal(w->worker_count, i + 1);
        assert_int_equal(w->workers[i].requests, 1);
    }
    request_of_bytes(20, 200, "alice", "", 2 << 20);
    assert_int_equal(w->auth[0].n, 4);
    assert_int_equal(w->workers[0].requests, 2);
    request(21, 201, "alice"); /* the first one has three times as much to do */
    assert_int_equal(w->workers[1].requests, 2);
    result(&w->workers[3], FAULT_NONE);
    request(22, 202, "alice");
    assert_int_equal(w->workers[3].requests, 2);
}

/* The workers of others take the room, or auth has no answer: the ones that are there do it. */
static void without_another_worker_the_first_ones_do_it(void **state)
{
    static const char *const users[WORKERS - 1] = { "alice", "bob", "carol" };
    auth_user later = { .outcome = FAULT_TRY_LATER };
    (void)state;
    for (unsigned i = 0; i < WORKERS - 1; i++) {
        request(i, i, users[i]);
        answer(&w->auth[0], i, users[i], 1000 + i);
    }
    request_large(20);
    assert_int_equal(w->workers[0].requests, 2); /* it was not busy yet */
    request_large(21);
    answer(&w->auth[0], WORKERS - 1, "alice", 1000);
    assert_int_equal(w->worker_count, WORKERS);
    request_large(22);
    answer(&w->auth[0], WORKERS, "alice", 1000);
    assert_int_equal(w->workers[WORKERS - 1].requests, 2);
    request_large(23);
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[WORKERS + 1].ref, auth_user, &later);
    rounds();
    assert_int_equal(w->workers[0].requests, 3);
    assert_int_equal(w->results, 0);
}

static void a_mailbox_that_is_one_file_has_one_worker(void **state)
{
    (void)state;
    request(7, 70, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    ((mailbox *)w->workers[0].worker.context)->is_mbox = true;
    requests_many(15);
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 16);
}

/* A reload starts another auth, which is asked again; the late second answer is about a delivery that is over. */
static void a_second_answer_is_nobodys(void **state)
{
    (void)state;
    request(1, 10, "alice");
    attach(&w->auth[1].channel, &auth_end_talk, &w->auth[1], "auth", 1);
    rounds();
    assert_int_equal(w->auth[1].n, 1);
    answer(&w->auth[0], 0, "alice", 1000);
    result(&w->workers[0], FAULT_NONE);
    request(2, 11, "bob");
    answer(&w->auth[1], 0, "alice", 1000);
    assert_int_equal(w->worker_count, 1);
    auth_end *last = w->auth[1].n == 2 ? &w->auth[1] : &w->auth[0];
    assert_string_equal(last->asked[1].user, "bob");
    answer(last, 1, "bob", 1001);
    assert_int_equal(w->worker_count, 2);
    assert_string_equal(w->workers[1].user, "bob");
    assert_int_equal(w->workers[1].uid, 1001);
}

static void waits_for_an_auth_that_restarts(void **state)
{
    (void)state;
    channel_close(&w->auth[0].channel);
    rounds();
    request(1, 10, "alice");
    assert_int_equal(w->results, 0);
    attach(&w->auth[1].channel, &auth_end_talk, &w->auth[1], "auth", 0);
    rounds();
    answer(&w->auth[1], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
}

static void a_lost_worker_defers_all_it_had(void **state)
{
    (void)state;
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    request(2, 11, "alice");
    channel_close(&w->workers[0].channel);
    rounds();
    assert_int_equal(w->results, 2);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
}

/* Of the mailbox is what any other delivery to it would meet; a worker that died may have died of the message. */
static void what_is_of_the_mailbox_is_said(void **state)
{
    static const struct {
        bool had_no_folder, had_moved, is_of_all;
    } rows[] = { { true, false, true }, { false, true, true }, { false, false, false } };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        request(1, 10 + i, "alice");
        answer(&w->auth[0], i, "alice", 1000);
        w->workers[i].worker.had_no_folder = rows[i].had_no_folder;
        w->workers[i].worker.had_moved = rows[i].had_moved;
        channel_close(&w->workers[i].channel);
        rounds();
        assert_int_equal(w->results, i + 1);
        assert_int_equal(w->result.is_destination, rows[i].is_of_all);
    }
    request(1, 20, "bob");
    answer(&w->auth[0], COUNT_OF(rows), "bob", 1001);
    worker_end *bobs = &w->workers[COUNT_OF(rows)];
    deliver_result locked = { .queue_id = 20, .outcome = FAULT_TRY_LATER, .is_destination = true };
    channel_put(&bobs->channel, DELIVER_RESULT, bobs->ref, deliver_result, &locked);
    rounds();
    assert_true(w->result.is_destination);
}

/* Of another's delivery, of another message, of a kind that does not exist: that worker is dropped, what it had is deferred. */
static void a_worker_speaks_for_itself_alone(void **state)
{
    static const struct {
        uint32_t ref;
        uint64_t id;
        uint32_t outcome;
    } rows[] = { { 0, 11, FAULT_NONE }, { 1, 99, FAULT_NONE }, { 1, 10, FAULT_BUG + 1 } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        request(1, 10, "alice");
        request(2, 11, "bob");
        answer(&w->auth[0], 0, "alice", 1000);
        answer(&w->auth[0], 1, "bob", 1001);
        worker_end *bad = &w->workers[0];
        deliver_result m = { .queue_id = rows[i].id, .outcome = rows[i].outcome };
        channel_put(&bad->channel, DELIVER_RESULT, rows[i].ref ? bad->ref : w->workers[1].ref, deliver_result, &m);
        rounds();
        assert_int_equal(w->results, 1);
        assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
        assert_int_equal(w->result.queue_id, 10);
        if (i + 1 < COUNT_OF(rows)) {
            teardown(state);
            setup(state);
        }
    }
}

static void a_qmgr_that_went_away_hears_nothing(void **state)
{
    (void)state;
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    channel_close(&w->qmgr);
    rounds();
    attach(&w->qmgr, &qmgr_end_talk, NULL, "qmgr", 0);
    result(&w->workers[0], FAULT_NONE);
    assert_int_equal(w->results, 0);
    assert_int_equal(w->process.sessions, 0);
}

static void an_unknown_user_is_refused_and_a_failed_search_deferred(void **state)
{
    (void)state;
    request(1, 10, "nobody");
    auth_user m = { .outcome = FAULT_REFUSED };
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->result.outcome, FAULT_REFUSED);
    request(2, 11, "somebody");
    m.outcome = FAULT_TRY_LATER;
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[1].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->results, 2);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

/* What the request says of the user: a backslash means that .forward is not asked; the extension is the recipient's. */
static void a_worker_hears_the_rules_and_what_it_needs(void **state)
{
    (void)state;
    request(1, 10, "\\alice");
    assert_string_equal(w->auth[0].asked[0].user, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    worker_end *e = &w->workers[0];
    assert_true(e->was_final);
    assert_string_equal(e->extension, "+lists");
    assert_string_equal(e->forwarders, "carol");
    assert_int_equal(e->rules.flags, DELIVER_MAY_COMMAND | DELIVER_LOCKS_FCNTL);
    assert_int_equal(e->rules.lock_attempts, 3);
    w->generation.snapshot.base.allow_mail_to_commands = STR_NONE;
    e->requests = 0;
    workers_rules(&w->state); /* at a reload */
    rounds();
    assert_int_equal(e->rules.flags, DELIVER_LOCKS_FCNTL);
}

static worker_end *forwarding_worker(void)
{
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    want(&w->workers[0]);
    assert_int_equal(w->workers[0].papers, 1);
    assert_int_equal(w->workers[0].paper_outcome, FAULT_NONE);
    return &w->workers[0];
}

static void a_copy_is_a_message_and_its_end_the_result(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    say_member(e, "|/bin/command with words", false);
    copied(e, 1);
    assert_int_equal(w->commits, 1);
    assert_string_equal(w->forwarders, "carol alice");
    assert_string_equal(w->last_nexthop, "pipe alice |/bin/command with words");
    assert_string_equal(w->last_address, "alice+lists@example.test");
    assert_int_equal(w->results, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
    assert_int_equal(w->result.action, DELIVER_PASSED_ON);
    assert_int_equal(w->process.sessions, 0);
}

/* The worker may go when its copy is with cleanup: what cleanup says counts. */
static void a_copy_outlives_its_worker(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    say_member(e, "bob@example.test", false);
    copied(e, 1);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->results, 0);
    assert_int_equal(w->aborts, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
}

static void a_lost_worker_gives_its_copy_up(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    say_member(e, "bob@example.test", false);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->aborts, 1);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

/* A worker that was taken over must not start programs that its user did not name, and none at all for a virtual user. */
static void what_a_worker_may_not_name_drops_it(void **state)
{
    static const char *const bad[] = { "/file", "", "a\nb", "|" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        worker_end *e = forwarding_worker();
        say_member(e, bad[i], false);
        rounds();
        assert_int_equal(w->results, 1);
        assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
        teardown(state);
        setup(state);
    }
}

static void mailbox_command_is_filled_in_here(void **state)
{
    (void)state;
    w->generation.snapshot.base.mailbox_command = STR("/bin/mda -x");
    worker_end *e = forwarding_worker();
    assert_true(e->rules.flags & DELIVER_HAS_COMMAND);
    say_member(e, "|", false);
    copied(e, 1);
    assert_string_equal(w->last_nexthop, "pipe alice |/bin/mda -x");
}

static void an_account_of_the_system_waits_for_an_alias(void **state)
{
    (void)state;
    request(1, 10, "daemon");
    auth_user m = { .outcome = FAULT_REFUSED, .needs_alias = 1, .user = STR("daemon") };
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_by_the_users_worker),
        TEST(a_user_with_much_mail_has_more_workers),
        TEST(each_large_message_has_a_worker_up_to_four),
        TEST(without_another_worker_the_first_ones_do_it),
        TEST(a_mailbox_that_is_one_file_has_one_worker),
        TEST(a_second_answer_is_nobodys),
        TEST(waits_for_an_auth_that_restarts),
        TEST(a_lost_worker_defers_all_it_had),
        TEST(what_is_of_the_mailbox_is_said),
        TEST(a_worker_speaks_for_itself_alone),
        TEST(a_qmgr_that_went_away_hears_nothing),
        TEST(a_worker_hears_the_rules_and_what_it_needs),
        TEST(a_copy_is_a_message_and_its_end_the_result),
        TEST(a_copy_outlives_its_worker),
        TEST(a_lost_worker_gives_its_copy_up),
        TEST(what_a_worker_may_not_name_drops_it),
        TEST(mailbox_command_is_filled_in_here),
        TEST(an_account_of_the_system_waits_for_an_alias),
        TEST(an_unknown_user_is_refused_and_a_failed_search_deferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
