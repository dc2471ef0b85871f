/* SOURCES:  NEEDS: daemon worker */
/* A pool with real workers, which are this program once more: one a user, idle ones leave, crashes are told, limits
 * hold. */
#include "daemon/control.h"
#include "daemon/pool.h"
#include "worker/worker.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORK = 1, WORK_DONE, CRASH, CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES };

/* ---- the worker ---- */

static bool do_work(void *context, channel *c, received *r)
{
    worker_ready m;
    (void)context;
    return worker_ready_decode(r->bytes, &m) == PARSE_DONE && channel_put(c, WORK_DONE, r->ref, worker_ready, &m);
}

static bool do_crash(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    _exit(77);
}

static const talk_row work_rows[] = { { WORK, 0, 0, do_work }, { CRASH, 0, 0, do_crash } };
static const worker_program work = {
    .role = "test-worker", .calls = CALLS, .rows = work_rows, .row_count = COUNT_OF(work_rows)
};

/* ---- the pool's process ---- */

static generation g;
static process d;
static pool p;
static timer stop, poll;
static daemon_file_entry executable;
static unsigned done, lost, wanted;
static const unsigned *awaited;
static const size_t *awaited_count;
static bool had_no_folder, is_late;
static char folder[64];

static bool on_done(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    done++;
    return true;
}

static void on_lost(pool_worker *w)
{
    lost++;
    had_no_folder = w->had_no_folder;
}

static const talk_row pool_rows[] = { { WORK_DONE, 0, 0, on_done } };
static const pool_program workers = {
    .role = "test-worker", .calls = CALLS, .rows = pool_rows, .row_count = COUNT_OF(pool_rows), .on_lost = on_lost
};

static void on_stop(void *context)
{
    is_late = true;
    loop_stop(context);
}

static void on_poll(void *context)
{
    if ((awaited && *awaited >= wanted) || (awaited_count && *awaited_count == wanted))
        loop_stop(context);
    else
        timer_set(&poll, 2);
}

static void wait_until(const unsigned *what, const size_t *count, unsigned value)
{
    awaited = what;
    awaited_count = count;
    wanted = value;
    is_late = false;
    timer_set(&stop, 60000);
    timer_set(&poll, 0);
    loop_run(d.loop);
    timer_stop(&stop);
    timer_stop(&poll);
    if (is_late)
        fail_msg("nothing happens");
}

static const program no_program;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pool-XXXXXX");
    assert_non_null(mkdtemp(folder));
    g.snapshot.base = (config){ .worker_limit = 2, .myhostname = STR("mx.example") };
    executable = (daemon_file_entry){ .name = "worker", .fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC) };
    d = (process){
        .program = &no_program, .loop = loop_new(), .current = &g, .files = &executable, .log_fd = dup(2)
    };
    timer_open(&stop, d.loop, on_stop, d.loop);
    timer_open(&poll, d.loop, on_poll, d.loop);
    assert_true(pool_open(&p, &d, &workers, 1000));
    done = lost = 0;
    return 0;
}

static int teardown(void **state)
{
    char command[100];
    (void)state;
    pool_leave_all(&p);
    wait_until(NULL, &p.count, 0);
    assert_int_equal(d.sessions, 0);
    map_free(&p.by_user);
    close(p.filter_fd);
    close(executable.fd);
    close(d.log_fd);
    timer_close(&stop);
    timer_close(&poll);
    loop_free(d.loop);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static fault get(const char *user, pool_worker **out)
{
    static char mail[100];
    snprintf(mail, sizeof mail, "%s/%s", folder, user);
    pool_user u = {
        .user = str_c(user), .uid = geteuid(), .gid = getegid(), .home = str_c(folder), .mail = str_c(mail)
    };
    return pool_get(&p, &u, out);
}

static void say(pool_worker *w, uint16_t type)
{
    worker_ready m = { 0 };
    channel_put(&w->channel, type, 0, worker_ready, &m);
}

static void one_worker_a_user(void **state)
{
    pool_worker *a = NULL, *again = NULL, *b = NULL;
    (void)state;
    assert_false(is_fault(get("a", &a)) || is_fault(get("a", &again)) || is_fault(get("b", &b)));
    assert_ptr_equal(a, again);
    assert_ptr_not_equal(a, b);
    say(a, WORK);
    say(b, WORK);
    wait_until(&done, NULL, 2);
    assert_int_equal(p.count, 2);
    assert_int_equal(d.sessions, 2); /* they keep a process that drains */
}

static void an_idle_one_leaves_unless_it_has_work(void **state)
{
    pool_worker *a = NULL, *b = NULL;
    (void)state;
    p.idle_s = 1;
    assert_false(is_fault(get("a", &a)) || is_fault(get("b", &b)));
    b->open = 1;
    wait_until(NULL, &p.count, 1);
    assert_ptr_equal(p.workers, b);
    assert_int_equal(p.crashed, 0);
    b->open = 0;
}

static void a_crash_is_told_to_those_who_wait(void **state)
{
    pool_worker *a = NULL;
    (void)state;
    assert_false(is_fault(get("a", &a)));
    a->open = 1;
    say(a, CRASH);
    wait_until(&lost, NULL, 1);
    assert_int_equal(p.crashed, 1);
    assert_false(had_no_folder);
    assert_false(is_fault(get("a", &a))); /* a new one comes up */
    say(a, WORK);
    wait_until(&done, NULL, 1);
}

static void a_kill_is_told_too(void **state)
{
    pool_worker *a = NULL;
    (void)state;
    assert_false(is_fault(get("a", &a)));
    a->open = 1;
    assert_int_equal(kill(a->pid, SIGKILL), 0);
    wait_until(&lost, NULL, 1);
}

static void a_folder_that_cannot_be_opened_is_no_crash(void **state)
{
    pool_worker *a = NULL;
    (void)state;
    assert_false(is_fault(get("nonexistent/a", &a)));
    a->open = 1;
    wait_until(&lost, NULL, 1);
    assert_true(had_no_folder);
    assert_int_equal(p.crashed, 0);
}

static void room_is_made_and_there_is_an_end_to_it(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    pool_worker *w = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(is_fault(get(names[i], &w)));
        w->open = 1;
    }
    assert_int_equal(p.count, 4); /* all have work: twice the limit at most */
    assert_int_equal(get("e", &w).kind, FAULT_TRY_LATER);
    for (w = p.workers; w; w = w->next)
        w->open = 0;
    assert_int_equal(get("e", &w).kind, FAULT_TRY_LATER); /* one is asked to leave */
    wait_until(NULL, &p.count, 3);
    assert_false(is_fault(get("e", &w)));
}

int main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "test-worker") == 0)
        return worker_run(&work, NULL);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* of the workers: their filter refuses what a look for leaks needs */
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_worker_a_user),
        TEST(an_idle_one_leaves_unless_it_has_work),
        TEST(a_crash_is_told_to_those_who_wait),
        TEST(a_kill_is_told_too),
        TEST(a_folder_that_cannot_be_opened_is_no_crash),
        TEST(room_is_made_and_there_is_an_end_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
