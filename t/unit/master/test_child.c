/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* A process's states and events, and what its end of the conversation gets. */
#include "base/clock.h"
#include "t/unit/master/world.h"

static child *start_one(const char *name)
{
    child *c = child_add(&w->master, role_by_name(name), 0);
    child_event_put(c, EVENT_SPAWN);
    rounds();
    return c;
}

static void gets_what_it_needs_and_comes_up(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    process_end *e = end_last("meter");
    assert_int_equal(c->state, CHILD_STARTING);
    assert_int_equal(e->starts, 1);
    assert_int_equal(e->gos, 1);
    assert_int_equal(e->generation, 1);
    say_ready(e);
    assert_int_equal(c->state, CHILD_UP);
}

static void has_little_in_its_environment(void **state)
{
    (void)state;
    world_load();
    setenv("SECRET", "of the admin's shell", 1);
    unsetenv("OPENSSL_ia32cap");
    start_one("meter");
    assert_non_null(strstr(w->environment, "PATH=/usr/bin:/bin\nTZ=UTC0\n"));
    assert_null(strstr(w->environment, "SECRET"));
    const char *cpu = strstr(w->environment, "OPENSSL_ia32cap=");
    assert_true(cpu == NULL || strncmp(cpu, "OPENSSL_ia32cap=:~0x80000\n", 26) == 0);
}

static void openssl_gets_what_the_admin_says_of_the_cpu(void **state)
{
    (void)state;
    world_load();
    setenv("OPENSSL_ia32cap", "~0x200000200000000", 1);
    start_one("meter");
    unsetenv("OPENSSL_ia32cap");
    assert_non_null(strstr(w->environment, "OPENSSL_ia32cap=~0x200000200000000\n"));
}

static void is_started_again_with_growing_pauses(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    uint64_t before = 0;
    for (unsigned i = 1; i <= 4; i++) {
        uint64_t began = clock_monotonic_ms();
        assert_int_equal(end_spawns("meter"), i);
        end_kill(end_last("meter"));
        assert_int_equal(c->restarts, i);
        for (int k = 0; k < 1000 && end_spawns("meter") == i; k++)
            rounds();
        assert_int_equal(end_spawns("meter"), i + 1);
        assert_true(clock_monotonic_ms() - began >= before);
        before = i < 2 ? 0 : 50u << (i - 2);
        assert_true(c->backoff_ms >= 50 && c->backoff_ms <= 1000);
    }
    assert_int_equal(c->state, CHILD_STARTING);
}

static void a_start_that_fails_is_tried_again(void **state)
{
    (void)state;
    world_load();
    w->spawn_fails = true;
    child *c = start_one("meter");
    assert_int_equal(c->state, CHILD_DOWN);
    w->spawn_fails = false;
    for (int k = 0; k < 1000 && c->state == CHILD_DOWN; k++)
        rounds();
    assert_int_equal(c->state, CHILD_STARTING);
}

static void one_that_is_drained_is_forgotten(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    process_end *e = end_last("meter");
    say_ready(e);
    child_event_put(c, EVENT_DRAIN);
    rounds();
    assert_int_equal(c->state, CHILD_DRAINING);
    assert_int_equal(e->drains, 1);
    end_kill(e);
    rounds();
    assert_null(w->master.children);
    assert_int_equal(w->end_count, 1);
}

static void one_that_does_not_leave_is_killed(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    child_event_put(c, EVENT_DRAIN); /* while it starts, too */
    child_event_put(c, EVENT_KILL);
    for (int k = 0; k < 1000 && w->master.children; k++)
        rounds();
    assert_null(w->master.children);
    channel_close(&end_last("meter")->channel);
}

static void one_that_is_down_and_not_wanted_stays_down(void **state)
{
    (void)state;
    world_load();
    w->spawn_fails = true;
    child *c = start_one("meter");
    w->spawn_fails = false;
    child_event_put(c, EVENT_DRAIN);
    for (int k = 0; k < 100; k++)
        rounds();
    assert_null(w->master.children);
    assert_int_equal(w->end_count, 0);
}

/* Whatever else comes in a state changes nothing. */
static void other_events_are_nothing(void **state)
{
    static const struct {
        child_state state;
        child_event event;
    } rows[] = {
        { CHILD_DOWN, EVENT_READY },     { CHILD_DOWN, EVENT_EXIT },      { CHILD_DOWN, EVENT_KILL },
        { CHILD_STARTING, EVENT_SPAWN }, { CHILD_UP, EVENT_SPAWN },       { CHILD_UP, EVENT_READY },
        { CHILD_DRAINING, EVENT_SPAWN }, { CHILD_DRAINING, EVENT_READY }, { CHILD_DRAINING, EVENT_DRAIN },
    };
    (void)state;
    world_load();
    child *c = start_one("meter");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        c->state = rows[i].state;
        child_event_put(c, rows[i].event);
        assert_int_equal(c->state, rows[i].state);
    }
    rounds();
    assert_int_equal(w->end_count, 1);
    assert_int_equal(end_last("meter")->drains, 0);
    c->state = CHILD_UP;
}

/* policy and auth: who is up sends the ones before it away, and not earlier. */
static void a_successor_takes_over_when_it_is_up(void **state)
{
    (void)state;
    world_load();
    child *old = start_one("policy");
    process_end *old_end = end_last("policy");
    say_ready(old_end);
    w->master.generation++;
    child *new = child_add(&w->master, role_by_name("policy"), 1);
    new->is_successor = true;
    child_event_put(new, EVENT_SPAWN);
    rounds();
    process_end *new_end = end_last("policy");
    end_kill(new_end); /* it does not come up */
    assert_int_equal(old->state, CHILD_UP);
    for (int k = 0; k < 1000 && end_last("policy") == new_end; k++)
        rounds();
    say_ready(end_last("policy"));
    assert_int_equal(new->state, CHILD_UP);
    assert_int_equal(old->state, CHILD_DRAINING);
}

static void words_of_a_process_are_shown_without_control_bytes(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    report_put(end_last("meter"), CONTROL_READY, "a=1\nprocess=x\033[2J\x9b");
    assert_true(str_equal(buf_str(&c->detail), STR("a=1?process=x?[2J?")));
}

static void one_that_breaks_the_conversation_is_dropped(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("meter");
    control_none none = { 0 };
    channel_put(&end_last("meter")->channel, CONTROL_GO, 0, control_none, &none);
    rounds();
    assert_false(channel_is_open(&c->control));
}

static void ready_is_said_when_all_are_up_and_not_in_a_stop(void **state)
{
    int pipe_fds[2];
    char said[10];
    (void)state;
    world_load();
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    w->master.ready_fd = pipe_fds[1];
    child *one = child_add(&w->master, role_by_name("meter"), 0), *two = child_add(&w->master, role_by_name("qmgr"), 0);
    child_event_put(one, EVENT_SPAWN);
    child_event_put(two, EVENT_SPAWN);
    rounds();
    say_ready(end_last("meter"));
    assert_int_equal(read(pipe_fds[0], said, sizeof said), -1);
    w->master.is_stopping = true;
    child_event_put(two, EVENT_DRAIN);
    assert_int_equal(read(pipe_fds[0], said, sizeof said), -1);
    w->master.is_stopping = false;
    end_kill(end_last("qmgr"));
    assert_int_equal(read(pipe_fds[0], said, sizeof said), 3);
    close(pipe_fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gets_what_it_needs_and_comes_up),
        TEST(has_little_in_its_environment),
        TEST(openssl_gets_what_the_admin_says_of_the_cpu),
        TEST(is_started_again_with_growing_pauses),
        TEST(a_start_that_fails_is_tried_again),
        TEST(one_that_is_drained_is_forgotten),
        TEST(one_that_does_not_leave_is_killed),
        TEST(one_that_is_down_and_not_wanted_stays_down),
        TEST(other_events_are_nothing),
        TEST(a_successor_takes_over_when_it_is_up),
        TEST(words_of_a_process_are_shown_without_control_bytes),
        TEST(one_that_breaks_the_conversation_is_dropped),
        TEST(ready_is_said_when_all_are_up_and_not_in_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
