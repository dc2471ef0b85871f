/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* Who is given conversations with whom, and when one is made again. */
#include "t/unit/master/world.h"
#include <sys/resource.h>

static bool has_peer(const process_end *e, const char *peer)
{
    for (size_t i = 0; i < e->peer_count; i++)
        if (strcmp(e->peers[i], peer) == 0)
            return true;
    return false;
}

static child *start_one(const char *name, uint32_t instance)
{
    child *c = child_add(&w->master, role_by_name(name), instance);
    child_event_put(c, EVENT_SPAWN);
    rounds();
    return c;
}

static void both_ends_get_one(void **state)
{
    (void)state;
    world_load();
    start_one("cleanup", 3);
    start_one("qmgr", 0);
    start_one("meter", 0);
    assert_int_equal(end_last("cleanup")->peer_count, 1);
    assert_true(has_peer(end_last("cleanup"), "qmgr/0"));
    assert_true(has_peer(end_last("qmgr"), "cleanup/3"));
    assert_int_equal(end_last("meter")->peer_count, 0);
}

/* They tell each other when one has no time left (daemon/relief.h). */
static void two_of_smtpd_talk_with_each_other_and_two_of_others_do_not(void **state)
{
    (void)state;
    world_load();
    start_one("smtpd", 0);
    process_end *first = end_last("smtpd");
    start_one("smtpd", 1);
    start_one("cleanup", 0);
    process_end *cleanup = end_last("cleanup");
    start_one("cleanup", 1);
    assert_true(has_peer(first, "smtpd/1"));
    assert_true(has_peer(end_last("smtpd"), "smtpd/0"));
    assert_int_equal(first->peer_count, 3);
    assert_int_equal(cleanup->peer_count, 2);
}

static void who_leaves_gets_no_new_one(void **state)
{
    (void)state;
    world_load();
    child *c = start_one("cleanup", 0);
    say_ready(end_last("cleanup"));
    child_event_put(c, EVENT_DRAIN);
    start_one("qmgr", 0);
    assert_int_equal(end_last("cleanup")->peer_count, 0);
    assert_int_equal(end_last("qmgr")->peer_count, 0);
}

static void lost(process_end *e, const char *name, uint32_t instance)
{
    control_name m = { .name = str_c(name), .instance = instance };
    channel_put(&e->channel, CONTROL_PEER_LOST, 0, control_name, &m);
}

static void wait_peers(const process_end *e, size_t count)
{
    for (int i = 0; i < 1000 && e->peer_count < count; i++)
        rounds();
    assert_int_equal(e->peer_count, count);
}

/* Both report it, again and again: there is one new one, after a while. */
static void a_lost_one_is_made_again_once(void **state)
{
    (void)state;
    world_load();
    start_one("cleanup", 0);
    start_one("qmgr", 0);
    process_end *cleanup = end_last("cleanup"), *qmgr = end_last("qmgr");
    ready_all();
    for (int i = 0; i < 20; i++) {
        lost(cleanup, "qmgr", 0);
        lost(qmgr, "cleanup", 0);
    }
    wait_peers(cleanup, 2);
    for (int i = 0; i < 60; i++) /* longer than it takes */
        rounds();
    assert_int_equal(cleanup->peer_count, 2);
    assert_int_equal(qmgr->peer_count, 2);
}

/* Right at its start, before master has heard that it is there. */
static void one_that_is_lost_at_the_start_is_made_again(void **state)
{
    (void)state;
    world_load();
    start_one("qmgr", 0);
    ready_all();
    start_one("cleanup", 0);
    process_end *cleanup = end_last("cleanup"), *qmgr = end_last("qmgr");
    rounds();
    assert_int_equal(cleanup->peer_count, 1);
    lost(cleanup, "qmgr", 0);
    lost(qmgr, "cleanup", 0);
    wait_peers(cleanup, 2);
    wait_peers(qmgr, 2);
}

static void one_that_cannot_be_made_is_made_later(void **state)
{
    struct rlimit usual, none;
    (void)state;
    world_load();
    start_one("cleanup", 0);
    start_one("qmgr", 0);
    process_end *cleanup = end_last("cleanup");
    ready_all();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = usual.rlim_max };
    lost(cleanup, "qmgr", 0);
    lost(end_last("qmgr"), "cleanup", 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 100; i++) /* longer than it takes */
        rounds();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(cleanup->peer_count, 1);
    wait_peers(cleanup, 2);
}

static void nobody_gets_one_that_is_not_in_the_table(void **state)
{
    (void)state;
    world_load();
    start_one("meter", 0);
    start_one("qmgr", 0);
    start_one("cleanup", 0);
    ready_all();
    lost(end_last("meter"), "qmgr", 0);
    lost(end_last("qmgr"), "meter", 0);
    lost(end_last("qmgr"), "nonsense", 0);
    lost(end_last("qmgr"), "cleanup", 77);
    rounds();
    assert_int_equal(w->master.relinks.n, 0);
    assert_int_equal(end_last("meter")->peer_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ends_get_one),
        TEST(two_of_smtpd_talk_with_each_other_and_two_of_others_do_not),
        TEST(who_leaves_gets_no_new_one),
        TEST(a_lost_one_is_made_again_once),
        TEST(one_that_is_lost_at_the_start_is_made_again),
        TEST(one_that_cannot_be_made_is_made_later),
        TEST(nobody_gets_one_that_is_not_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
