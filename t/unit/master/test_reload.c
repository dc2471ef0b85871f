/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* What runs becomes what the configuration asks for; a stop goes from those who take mail to those who are asked. */
#include "t/unit/master/world.h"

static void start_all(void)
{
    world_load();
    assert_false(is_fault(master_sockets_bind(&w->master)));
    children_match(&w->master);
    rounds();
    ready_all();
}

static void reload(void)
{
    buf words = buf_new(10000);
    fault f = master_reload(&w->master, &words);
    assert_string_equal(f.text, "");
    buf_free(&words);
    rounds();
}

static void each_role_runs_as_often_as_it_should(void **state)
{
    (void)state;
    start_all();
    for (size_t i = 0; i < role_count; i++)
        assert_int_equal(end_spawns(roles[i].name), roles[i].count(w->master.parsed, 1));
    assert_int_equal(end_spawns("cleanup"), 2);
    assert_int_equal(end_last("smtpd")->listeners, 1);
    assert_int_equal(end_last("cleanup")->listeners, 1);
    assert_true(children_are_up(&w->master));
}

static void a_reload_reaches_all(void **state)
{
    (void)state;
    start_all();
    reload();
    assert_int_equal(w->master.generation, 2);
    process_end *smtpd = end_last("smtpd"), *policy = end_last("policy");
    assert_int_equal(end_spawns("smtpd"), 1);
    assert_int_equal(smtpd->reloads, 1);
    assert_int_equal(smtpd->generation, 2);
    assert_int_equal(smtpd->listeners, 2); /* it comes again: what does not is closed */
    assert_int_equal(smtpd->logs, 1);
    assert_int_equal(end_spawns("policy"), 2); /* what it may read depends on the configuration */
    assert_int_equal(policy->generation, 2);
    say_ready(policy);
    for (size_t i = 0; i < w->end_count; i++)
        if (strcmp(w->ends[i]->role, "policy") == 0)
            assert_int_equal(w->ends[i]->drains, w->ends[i] != policy);
}

static unsigned drained(const char *name)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->end_count; i++)
        n += strcmp(w->ends[i]->role, name) == 0 && w->ends[i]->drains;
    return n;
}

/* cleanup has no files: edited checks are those of another one, and those before it leave when it is up. */
static void cleanup_is_replaced_while_there_are_checks(void **state)
{
    (void)state;
    start_all();
    file_put("main.cf", MAIN_CF "header_checks = inline:{x=WARN}\n", MAIN_CF_ARGS);
    reload();
    assert_int_equal(end_spawns("cleanup"), 4);
    assert_int_equal(drained("cleanup"), 0);
    ready_all();
    assert_int_equal(drained("cleanup"), 2);
    reload();
    assert_int_equal(end_spawns("cleanup"), 6);
    ready_all();
    assert_int_equal(drained("cleanup"), 4);
    file_put("main.cf", MAIN_CF, MAIN_CF_ARGS);
    reload();
    ready_all();
    assert_int_equal(end_spawns("cleanup"), 8);
    assert_int_equal(drained("cleanup"), 6);
    assert_int_equal(end_last("cleanup")->generation, 4);
}

static void the_number_of_a_role_changes(void **state)
{
    (void)state;
    start_all();
    file_put("master.cf", OTHERS_CF "cleanup unix y - y - 4 cleanup\n127.0.0.1:%u inet n - y - - smtpd\n", w->port);
    reload();
    assert_int_equal(end_spawns("cleanup"), 4);
    ready_all();
    file_put("master.cf", OTHERS_CF "cleanup unix y - y - 1 cleanup\n127.0.0.1:%u inet n - y - - smtpd\n", w->port);
    reload();
    assert_int_equal(drained("cleanup"), 3);
}

static void a_bad_configuration_reaches_nobody(void **state)
{
    buf words = buf_new(10000);
    (void)state;
    start_all();
    file_put("main.cf", MAIN_CF "smtpd_timeout = soon\n", MAIN_CF_ARGS);
    assert_true(is_fault(master_reload(&w->master, &words)));
    buf_free(&words);
    rounds();
    assert_int_equal(end_last("smtpd")->reloads, 0);
    end_kill(end_last("smtpd"));
    for (int i = 0; i < 1000 && end_spawns("smtpd") == 1; i++)
        rounds();
    rounds();
    assert_int_equal(end_last("smtpd")->generation, 1);
}

/* All that were told to leave, and nobody else, is of these ranks. */
static void assert_leaving_upto(role_rank most)
{
    for (size_t i = 0; i < w->end_count; i++) {
        const role *r = role_by_name(w->ends[i]->role);
        assert_int_equal(w->ends[i]->drains, r->rank <= most);
    }
}

static void kill_rank(role_rank rank)
{
    for (size_t i = 0; i < w->end_count; i++)
        if (role_by_name(w->ends[i]->role)->rank == rank && child_of(w->ends[i]))
            end_kill(w->ends[i]);
    rounds();
}

static void a_stop_goes_rank_by_rank(void **state)
{
    (void)state;
    start_all();
    master_stop(&w->master);
    rounds();
    for (role_rank rank = 0; rank < RANKS; rank++) {
        assert_leaving_upto(rank);
        kill_rank(rank);
    }
    assert_int_equal(children_count(&w->master), 0);
}

/* One that dies in a stop is not started again, and does not hold it up. */
static void a_crash_in_a_stop_is_not_mended(void **state)
{
    (void)state;
    start_all();
    size_t spawns = w->end_count;
    master_stop(&w->master);
    end_kill(end_last("policy"));
    for (role_rank rank = 0; rank < RANKS; rank++)
        kill_rank(rank);
    assert_int_equal(w->end_count, spawns);
    assert_int_equal(children_count(&w->master), 0);
}

static void a_stop_is_not_followed_by_a_reload(void **state)
{
    buf words = buf_new(10000);
    (void)state;
    start_all();
    size_t spawns = w->end_count;
    master_stop(&w->master);
    assert_true(is_fault(master_reload(&w->master, &words)));
    rounds();
    assert_int_equal(w->end_count, spawns);
    buf_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_role_runs_as_often_as_it_should),
        TEST(a_reload_reaches_all),
        TEST(cleanup_is_replaced_while_there_are_checks),
        TEST(the_number_of_a_role_changes),
        TEST(a_bad_configuration_reaches_nobody),
        TEST(a_stop_goes_rank_by_rank),
        TEST(a_crash_in_a_stop_is_not_mended),
        TEST(a_stop_is_not_followed_by_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
