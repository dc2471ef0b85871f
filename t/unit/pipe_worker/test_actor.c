/* SOURCES: pipe/worker/actor.c pipe/worker/command.c pipe/worker/environment.c pipe/worker/file.c pipe/worker/letter.c pipe/worker/list.c pipe/worker/outcome.c pipe/worker/words.c  NEEDS: store worker */
/* What pipe may say to its worker, and in which order. */
#include "t/unit/pipe_worker/world.h"
#include <signal.h>

static void without_rules_nothing_is_done(void **state)
{
    (void)state;
    w->a.has_rules = false;
    ask(1, "|", "true >got", "\r\nmark\r\n");
    rounds();
    assert_false(channel_is_open(&w->worker.pool));
    assert_false(is_there("got"));
    assert_int_equal(w->worker.busy, 0);
}

/* A command that may run for ever would hold its message for ever. */
static void a_limit_of_no_time_is_no_rule(void **state)
{
    program_rules none = { .account = STR("jo") };
    (void)state;
    channel_put(&pool.channel, PROGRAM_RULES, 0, program_rules, &none);
    rounds();
    assert_false(channel_is_open(&w->worker.pool));
}

static void a_member_has_a_name(void **state)
{
    (void)state;
    request(1, (deliver_request){ .member = STR("|") }, "\r\nmark\r\n");
    rounds();
    assert_false(channel_is_open(&w->worker.pool));
}

static void each_kind_of_member_is_done(void **state)
{
    (void)state;
    text_put(w->worker.home_fd, "list", "ann\n", 0600);
    ask(1, "/", "box", "\r\nmark\r\n");
    rounds();
    ask(2, ":include:/", "list", "\r\nmark\r\n");
    rounds();
    ask(3, "|", "true", "\r\nmark\r\n");
    until_told(3);
    assert_int_equal(strncmp(pool.told[0].text, "delivered to file: ", 19), 0);
    is_told(1, DELIVER_WANT, 2, 0, "");
    is_told(2, DELIVER_RESULT, 3, FAULT_NONE, "delivered to command: true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_rules_nothing_is_done),
        TEST(a_limit_of_no_time_is_no_rule),
        TEST(a_member_has_a_name),
        TEST(each_kind_of_member_is_done),
    };
    signal(SIGPIPE, SIG_IGN); /* as lib/worker has it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
