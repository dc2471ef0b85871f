/* A pool starts nobody outside the allowed ids, keeps one worker a user, and notices the end of one. */
#include "parts.h"
#include "daemon/pool.h"
#include "os/spawn.h"
#include <fcntl.h>

static const contract plain = { .role = "plain" };
static const program the_program = { .contract = &plain };
static unsigned lost;

static void on_lost(pool_worker *w)
{
    lost++;
    loop_stop(w->pool->process->loop);
}

static const talk_row no_rows[] = { { 900, 0, 0, NULL } };
static const pool_program workers = { .role = "test-worker", .calls = CALLS_LOOP, .rows = no_rows, .row_count = 1,
                                      .on_lost = on_lost };

static void pool_begin(pool *p, process *d, const char *executable)
{
    static daemon_file_entry entry;
    parts_open(d, &the_program, "worker_limit = 2\n");
    entry = (daemon_file_entry){ .name = "worker", .fd = open(executable, O_PATH | O_CLOEXEC) };
    assert_true(entry.fd >= 0);
    d->files = &entry;
    d->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(pool_open(p, d, &workers, 10));
}

static void pool_end(pool *p, process *d)
{
    map_free(&p->by_user);
    close(p->exec_fd);
    close(p->filter_fd);
    close(d->log_fd);
    parts_close(d);
}

static void ids_outside_the_ranges_are_not_started(void **state)
{
    pool p;
    process d;
    pool_worker *w;
    static const gid_t gids[] = { 8 };
    static const struct { uid_t uid; gid_t gid; } rows[] = {
        { 0, 1500 }, { 999, 1500 }, { 2001, 1500 }, { 1500, 0 }, { 1500, 999 }, { 1500, 2001 }, { (uid_t)-1, 1500 },
        { 65534, 1500 }, { 1500, 65533 }, { 65533, 65533 }, { 65534, 65534 },
    };
    (void)state;
    pool_begin(&p, &d, "/bin/false");
    d.identity.is_privileged = true;
    d.identity.ids = (id_ranges){ .uid_min = 1000, .uid_max = 2000, .gid_min = 1000, .gid_max = 2000, .gids = gids,
                                  .gid_count = 1, .extra_uid = 65534, .extra_gid = 65533 }; /* a pair, not two ranges */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pool_user u = { .user = STR("joe"), .uid = rows[i].uid, .gid = rows[i].gid, .home = STR("/tmp"), .mail = STR("/tmp") };
        fault f = pool_get(&p, &u, &w);
        assert_true(is_fault(f));
        assert_non_null(strstr(f.text, "minimum_uid"));
    }
    assert_int_equal(p.started, 0);
    pool_end(&p, &d);
}

static void an_ordinary_master_starts_only_itself(void **state)
{
    pool p;
    process d;
    pool_worker *w;
    pool_user u = { .user = STR("joe"), .uid = geteuid() + 1, .gid = getegid(), .home = STR("/tmp"), .mail = STR("/tmp") };
    (void)state;
    pool_begin(&p, &d, "/bin/false");
    assert_true(is_fault(pool_get(&p, &u, &w)));
    pool_end(&p, &d);
}

/* It ends at once, with work open: the program hears of it, and the next call starts another. */
static void a_worker_that_ends_is_noticed(void **state)
{
    pool p;
    process d;
    pool_worker *w, *again;
    pool_user u = { .user = STR("joe"), .uid = geteuid(), .gid = getegid(), .home = STR("/tmp"), .mail = STR("/tmp") };
    (void)state;
    lost = 0;
    pool_begin(&p, &d, "/bin/false");
    assert_false(is_fault(pool_get(&p, &u, &w)));
    assert_false(is_fault(pool_get(&p, &u, &again)));
    assert_ptr_equal(w, again);
    u.key = STR("joe 2");
    assert_false(is_fault(pool_get(&p, &u, &again)));
    assert_ptr_not_equal(w, again);
    assert_true(str_equal(again->user, STR("joe")));
    assert_ptr_equal(map_get(&p.by_user, STR("joe")), w);
    assert_int_equal(p.count, 2);
    w->open = again->open = 1;
    while (p.count > 0)
        loop_run(d.loop);
    assert_int_equal(lost, 2);
    assert_null(map_get(&p.by_user, STR("joe 2")));
    assert_int_equal(p.crashed, 2);
    assert_int_equal(d.sessions, 0);
    pool_end(&p, &d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_outside_the_ranges_are_not_started),
        cmocka_unit_test(an_ordinary_master_starts_only_itself),
        cmocka_unit_test(a_worker_that_ends_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
