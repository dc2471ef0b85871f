/* The control conversation from the process's side: what must come before GO, what a broken master may send, the log. */
#include "master.h"

static bool prepare(process *d)
{
    return daemon_file(d, "word") >= 0;
}

static void report(process *d, buf *detail)
{
    buf_printf(detail, "instance=%u draining=%d", d->instance, d->is_draining);
}

static int run(void)
{
    static const contract nothing = { .role = "nothing", .root = ROOT_HOST, .calls = CALLS_LOOP | CALLS_RECEIVE };
    const program p = { .contract = &nothing, .prepare = prepare, .report = report };
    return daemon_run(&p, NULL);
}

static void whole_start(void)
{
    master_begin(run);
    master_start("");
    master_name(CONTROL_FILE, "word", 0, open("/dev/null", O_RDONLY | O_CLOEXEC));
    master_say(CONTROL_GO);
    master_wait();
    assert_int_equal(boss.readies, 1);
}

static void it_reports_when_asked(void **state)
{
    (void)state;
    whole_start();
    for (unsigned i = 1; i < 4; i++) {
        master_say(CONTROL_ASK);
        master_wait();
        assert_int_equal(boss.reports, i);
        assert_string_equal(boss.detail, "instance=0 draining=0");
    }
    master_say(CONTROL_DRAIN);
    assert_int_equal(master_end(), 0);
}

static void the_log_moves(void **state)
{
    int fresh = memfd_create("log", MFD_CLOEXEC), fd = fcntl(fresh, F_DUPFD_CLOEXEC, 0);
    control_none m = { 0 };
    (void)state;
    whole_start();
    channel_put_fds(&boss.control, CONTROL_LOG, 0, control_none, &m, &fd, 1);
    master_say(CONTROL_DRAIN);
    assert_int_equal(master_end(), 0);
    assert_true(master_logged("started"));
    assert_false(master_logged("stopped"));
    boss.log = fresh;
    assert_true(master_logged("stopped"));
}

static void go_alone_is_no_start(void **state)
{
    (void)state;
    master_begin(run);
    master_say(CONTROL_GO);
    assert_int_equal(master_end(), 2);
}

static void a_master_that_goes_before_it_said_go(void **state)
{
    (void)state;
    master_begin(run);
    channel_close(&boss.control);
    assert_int_equal(master_end(), 2);
    master_begin(run);
    master_start("");
    channel_flush(&boss.control);
    channel_close(&boss.control);
    assert_int_equal(master_end(), 2);
}

static void frames_of_another_shape(void **state)
{
    control_none m = { 0 };
    (void)state;
    for (uint16_t type = CONTROL_START; type <= CONTROL_PEER_LOST + 1; type++) {
        if (type == CONTROL_GO || type == CONTROL_ASK || type == CONTROL_DRAIN)
            continue;
        master_begin(run); /* without the descriptors that it must have */
        channel_put(&boss.control, type, 0, control_none, &m);
        assert_int_equal(master_end(), 2);
    }
}

static void what_the_program_needs_must_come(void **state)
{
    (void)state;
    master_begin(run);
    master_start("");
    master_say(CONTROL_GO);
    assert_int_equal(master_end(), 5);
}

static void a_root_that_is_not_there(void **state)
{
    control_start m = { .generation = 1, .root = STR("/nonexistent/folder") };
    (void)state;
    master_begin(run);
    int fds[2] = { fcntl(boss.log, F_DUPFD_CLOEXEC, 0), master_snapshot("", 1) };
    channel_put_fds(&boss.control, CONTROL_START, 0, control_start, &m, fds, 2);
    assert_int_equal(master_end(), 2);
    assert_true(master_logged("no-identity"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reports_when_asked),    cmocka_unit_test(the_log_moves),
        cmocka_unit_test(go_alone_is_no_start),     cmocka_unit_test(a_master_that_goes_before_it_said_go),
        cmocka_unit_test(frames_of_another_shape),  cmocka_unit_test(what_the_program_needs_must_come),
        cmocka_unit_test(a_root_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
