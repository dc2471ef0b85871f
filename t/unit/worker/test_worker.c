/* A worker in a child under a pool: start, folders, work, idle, leave; and what it refuses to begin with. */
#include "worker/worker.h"
#include "base/log.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORK = 1, WORK_DONE, CHILD_UID = 20000, POOL_FD = 3, DEADLINE_MS = 30000 };

static struct pool_end {
    loop *loop;
    channel channel;
    timer deadline;
    pid_t pid;
    int log;
    unsigned readies, idles, done, closed;
    uint32_t file_bytes;
    bool is_late;
} pool;

static char folder[64], mail[80];

/* ---- the worker's program, in the child ---- */

static bool on_work(void *context, channel *c, received *r)
{
    worker *w = context;
    worker_ready m;
    if (worker_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    worker_begin(w);
    int fd = openat(w->mail_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    m.busy = fd >= 0 && write(fd, w->user.p, w->user.n) == (ssize_t)w->user.n ? (uint32_t)w->user.n : 0;
    close(fd);
    worker_end(w);
    return channel_put(c, WORK_DONE, r->ref, worker_ready, &m);
}

static bool start_ok(worker *w)
{
    return w->mail_fd >= 0 && str_equal(w->host, STR("mx.example"));
}

static const talk_row work_rows[] = { { WORK, 0, 0, on_work } };

static int run(void)
{
    static const worker_program p = { .role = "test-worker",
                                      .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_FILES,
                                      .rows = work_rows,
                                      .row_count = COUNT_OF(work_rows),
                                      .start = start_ok };
    return worker_run(&p, NULL);
}

/* ---- the pool ---- */

static bool on_ready(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    pool.readies++;
    loop_stop(pool.loop);
    return true;
}

static bool on_idle(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    pool.idles++;
    loop_stop(pool.loop);
    return true;
}

static bool on_done(void *context, channel *c, received *r)
{
    worker_ready m;
    (void)context, (void)c;
    assert_int_equal(worker_ready_decode(r->bytes, &m), PARSE_DONE);
    pool.file_bytes = m.busy;
    pool.done++;
    loop_stop(pool.loop);
    return true;
}

static void on_closed(void *context, channel *c)
{
    (void)context, (void)c;
    pool.closed++;
    loop_stop(pool.loop);
}

static void on_late(void *context)
{
    (void)context;
    pool.is_late = true;
    loop_stop(pool.loop);
}

static void wait_for(const unsigned *what)
{
    unsigned before = *what;
    timer_set(&pool.deadline, DEADLINE_MS);
    while (*what == before && !pool.is_late)
        loop_run(pool.loop);
    timer_stop(&pool.deadline);
    if (pool.is_late)
        fail_msg("the worker says nothing");
}

static const talk_row pool_rows[] = { { WORKER_READY, 0, 0, on_ready },
                                      { WORKER_IDLE, 0, 0, on_idle },
                                      { WORK_DONE, 0, 0, on_done } };
static const talk pool_talk = { "pool", pool_rows, COUNT_OF(pool_rows), on_closed };

static int setup(void **state)
{
    int pair[2];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/worker-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(mail, sizeof mail, "%s/mail", folder);
    if (geteuid() == 0)
        assert_int_equal(chown(folder, CHILD_UID, CHILD_UID), 0);
    assert_true(channel_pair(pair));
    pool = (struct pool_end){ .loop = loop_new(), .log = memfd_create("log", MFD_CLOEXEC) };
    pool.pid = fork();
    if (pool.pid == 0) {
        if (geteuid() == 0 &&
            (setresgid(CHILD_UID, CHILD_UID, CHILD_UID) != 0 || setresuid(CHILD_UID, CHILD_UID, CHILD_UID) != 0))
            _exit(90);
        dup2(pool.log, 2);
        dup2(pair[1], POOL_FD);
        close_range(POOL_FD + 1, ~0u, 0);
        _exit(run());
    }
    close(pair[1]);
    timer_open(&pool.deadline, pool.loop, on_late, NULL);
    channel_open(&pool.channel, pool.loop, pair[0], &pool_talk, NULL);
    return 0;
}

static void send_start(uint32_t idle_s)
{
    worker_start m = {
        .user = STR("user"), .mail = str_c(mail), .home = str_c(folder), .host = STR("mx.example"), .idle_s = idle_s
    };
    int fd = fcntl(pool.log, F_DUPFD_CLOEXEC, 0);
    channel_put_fds(&pool.channel, WORKER_START, 0, worker_start, &m, &fd, 1);
    channel_flush(&pool.channel);
}

static void say(uint16_t type)
{
    worker_ready m = { 0 };
    channel_put(&pool.channel, type, 0, worker_ready, &m);
}

static int end(void)
{
    int status = 0;
    if (channel_is_open(&pool.channel))
        wait_for(&pool.closed);
    assert_int_equal(waitpid(pool.pid, &status, 0), pool.pid);
    if (!WIFEXITED(status))
        fail_msg("the worker ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int teardown(void **state)
{
    char command[100];
    (void)state;
    channel_close(&pool.channel);
    timer_close(&pool.deadline);
    loop_free(pool.loop);
    close(pool.log);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void it_works_and_leaves(void **state)
{
    struct stat st;
    char file[100];
    (void)state;
    send_start(1000);
    wait_for(&pool.readies);
    say(WORK);
    wait_for(&pool.done);
    assert_int_equal(pool.file_bytes, 4);
    snprintf(file, sizeof file, "%s/file", mail);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(stat(mail, &st), 0); /* made, as only its name was missing */
    assert_int_equal(st.st_mode & 0777, 0700);
    say(WORKER_LEAVE);
    assert_int_equal(end(), 0);
}

static void it_says_when_it_is_idle_and_stays(void **state)
{
    (void)state;
    send_start(1);
    wait_for(&pool.readies);
    wait_for(&pool.idles);
    say(WORK); /* sent before it heard that: it is served */
    wait_for(&pool.done);
    wait_for(&pool.idles);
    assert_int_equal(pool.idles, 2);
    say(WORKER_LEAVE);
    assert_int_equal(end(), 0);
}

static void without_a_pool_it_goes(void **state)
{
    (void)state;
    send_start(1000);
    wait_for(&pool.readies);
    channel_close(&pool.channel);
    assert_int_equal(end(), 0);
}

static void without_a_start_it_does_not_begin(void **state)
{
    (void)state;
    channel_close(&pool.channel);
    assert_int_equal(end(), 2);
}

static void something_else_than_a_start(void **state)
{
    (void)state;
    say(WORKER_LEAVE);
    assert_int_equal(end(), 2);
}

static void a_folder_that_cannot_be_opened(void **state)
{
    (void)state;
    snprintf(mail, sizeof mail, "/proc/nonexistent/mail");
    send_start(1000);
    assert_int_equal(end(), WORKER_EXIT_NO_FOLDER);
}

static void a_wrong_frame_ends_it(void **state)
{
    (void)state;
    send_start(1000);
    wait_for(&pool.readies);
    say(WORKER_START); /* twice is not permitted */
    assert_int_equal(end(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_works_and_leaves),         TEST(it_says_when_it_is_idle_and_stays),
        TEST(without_a_pool_it_goes),      TEST(without_a_start_it_does_not_begin),
        TEST(something_else_than_a_start), TEST(a_folder_that_cannot_be_opened),
        TEST(a_wrong_frame_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
