/* SOURCES: pipe/accounts.c pipe/jobs.c pipe/workers.c  NEEDS: daemon db queue */
/* What pipe tells its workers, and what it believes of what they say. */
#include "t/unit/pipe_process/world.h"

static worker_end *worker_of_alice(const char *member)
{
    request_member(1, 10, "alice", member);
    answer(&w->auth[0], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
    return &w->workers[0];
}

static worker_end *copying_worker(void)
{
    worker_end *e = worker_of_alice(":include:/a/list");
    want(e);
    assert_int_equal(e->papers, 1);
    assert_int_equal(e->paper_outcome, FAULT_NONE);
    return e;
}

static void dropped(const worker_end *e)
{
    rounds();
    assert_false(channel_is_open(&e->channel));
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
    assert_int_equal(w->result.queue_id, 10);
}

static void again(void **state)
{
    world_close(state);
    setup(state);
}

/* The rules come before the first request: deliveries.h looks. */
static void a_worker_hears_the_rules_once_and_at_a_reload(void **state)
{
    (void)state;
    worker_end *e = worker_of_alice("|/bin/command");
    const program_rules *m = &e->program_rules;
    assert_int_equal(e->rule_count, 1);
    assert_string_equal(e->account, "alice");
    assert_string_equal(e->shell, "/bin/sh");
    assert_string_equal(e->filter, "abc");
    assert_int_equal(m->flags, PROGRAM_LOCKS_FCNTL | PROGRAM_LOCKS_DOT);
    assert_int_equal(m->time_limit_s, 77);
    assert_int_equal(m->mailbox_bytes, 1000);
    assert_int_equal(m->lock_attempts, 3);
    assert_int_equal(m->lock_delay_s, 2);
    assert_int_equal(m->stale_lock_s, 500);
    result(e, FAULT_NONE);
    request_member(2, 11, "alice", "|/bin/command");
    assert_int_equal(e->rule_count, 1);
    w->generation.snapshot.base.allow_mail_to_commands = STR("alias, include");
    w->generation.snapshot.base.allow_mail_to_files = STR("include");
    w->generation.snapshot.base.mailbox_delivery_lock = STR("fcntl");
    workers_rules(&w->state);
    rounds();
    assert_int_equal(e->rule_count, 2);
    assert_int_equal(m->flags, PROGRAM_LOCKS_FCNTL | PROGRAM_LISTS_COMMANDS | PROGRAM_LISTS_FILES);
}

static void an_account_is_told_its_name(void **state)
{
    (void)state;
    request_member(1, 10, "#nobody", "|/bin/command");
    assert_string_not_equal(w->workers[0].account, "#nobody");
    assert_string_not_equal(w->workers[0].account, "");
}

/* Of another's delivery, of another message, of a kind that does not exist: that worker is dropped, what it had is deferred. */
static void a_worker_speaks_for_itself_alone(void **state)
{
    static const struct {
        bool is_own;
        uint64_t id;
        uint32_t outcome;
    } rows[] = { { false, 11, FAULT_NONE }, { true, 99, FAULT_NONE }, { true, 10, FAULT_BUG + 1 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        request_member(1, 10, "alice", "|/bin/command");
        request_member(2, 11, "bob", "|/bin/command");
        answer(&w->auth[0], 0, "alice", 1000);
        answer(&w->auth[0], 1, "bob", 1001);
        worker_end *bad = &w->workers[0];
        deliver_result m = { .queue_id = rows[i].id, .outcome = rows[i].outcome };
        channel_put(&bad->channel, DELIVER_RESULT, rows[i].is_own ? bad->ref : w->workers[1].ref, deliver_result, &m);
        dropped(bad);
        assert_true(channel_is_open(&w->workers[1].channel));
        again(state);
    }
}

static void a_lost_worker_defers_all_it_had(void **state)
{
    (void)state;
    worker_end *e = worker_of_alice("|/bin/command");
    request_member(2, 11, "alice", "/file");
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->results, 2);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
}

static void a_list_becomes_a_message_and_its_end_the_result(void **state)
{
    (void)state;
    worker_end *e = copying_worker();
    say_member(e, "bob@example.test", false);
    copied(e, 1);
    assert_int_equal(w->commits, 1);
    assert_string_equal(w->forwarders, "carol alice");
    assert_string_equal(w->last_address, "bob@example.test");
    assert_int_equal(w->results, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
    assert_int_equal(w->result.action, DELIVER_PASSED_ON);
    assert_int_equal(w->process.sessions, 0);
}

static void a_copy_outlives_its_worker_once_cleanup_has_it(void **state)
{
    worker_end *e = copying_worker();
    say_member(e, "bob@example.test", false);
    copied(e, 1);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->results + w->aborts, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
    again(state);
    e = copying_worker();
    say_member(e, "bob@example.test", false);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->aborts, 1);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

/* Not for a command or a file, and not twice. */
static void only_a_list_wants_a_copy(void **state)
{
    deliver_result m = { .queue_id = 10 };
    worker_end *e = worker_of_alice("|/bin/command");
    channel_put(&e->channel, DELIVER_WANT, e->ref, deliver_result, &m);
    dropped(e);
    assert_int_equal(w->begins, 0);
    again(state);
    e = copying_worker();
    channel_put(&e->channel, DELIVER_WANT, e->ref, deliver_result, &m);
    dropped(e);
}

static void members_without_a_copy_drop_it(void **state)
{
    worker_end *e = worker_of_alice(":include:/a/list");
    say_member(e, "bob@example.test", false);
    dropped(e);
    again(state);
    e = worker_of_alice(":include:/a/list");
    deliver_copied m = { .member_count = 0 };
    channel_put(&e->channel, DELIVER_COPIED, e->ref, deliver_copied, &m);
    dropped(e);
}

/* A worker that was taken over starts no programs: lists name them only where the configuration says so. */
static void what_a_list_may_not_name_drops_it(void **state)
{
    static const char *const bad[] = { "|/bin/command", "/file", "", "a\nb" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        worker_end *e = copying_worker();
        say_member(e, bad[i], false);
        dropped(e);
        again(state);
    }
    w->generation.snapshot.base.allow_mail_to_commands = STR("include");
    worker_end *e = copying_worker();
    say_member(e, "|/bin/command", false);
    copied(e, 1);
    assert_string_equal(w->last_nexthop, "pipe alice |/bin/command");
}

static void an_account_has_no_mailbox_of_its_own(void **state)
{
    worker_end *e = copying_worker();
    say_member(e, "", true);
    copied(e, 1);
    assert_int_equal(w->commits, 1);
    again(state);
    request_member(1, 10, "#nobody", ":include:/a/list");
    e = &w->workers[0];
    want(e);
    say_member(e, "", true);
    dropped(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIPE_TEST(a_worker_hears_the_rules_once_and_at_a_reload),
        PIPE_TEST(an_account_is_told_its_name),
        PIPE_TEST(a_worker_speaks_for_itself_alone),
        PIPE_TEST(a_lost_worker_defers_all_it_had),
        PIPE_TEST(a_list_becomes_a_message_and_its_end_the_result),
        PIPE_TEST(a_copy_outlives_its_worker_once_cleanup_has_it),
        PIPE_TEST(only_a_list_wants_a_copy),
        PIPE_TEST(members_without_a_copy_drop_it),
        PIPE_TEST(what_a_list_may_not_name_drops_it),
        PIPE_TEST(an_account_has_no_mailbox_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
