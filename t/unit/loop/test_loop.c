/* Timers, watches and tasks happen when they should, and a round ends. */
#include "loop/loop.h"
#include "base/str.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
    loop *loop;
    char order[16];
    size_t n;
    timer timer, late;
    watch watch;
    task a, b, c;
    int pipe[2];
} fixture;

static void note(fixture *f, char what)
{
    assert_true(f->n < sizeof f->order - 1);
    f->order[f->n++] = what;
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .loop = loop_new() };
    assert_int_equal(pipe2(f.pipe, O_NONBLOCK | O_CLOEXEC), 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    close(f->pipe[0]);
    close(f->pipe[1]);
    loop_free(f->loop);
    return 0;
}

static void on_a(void *context)
{
    note(context, 'a');
}

static void on_stop(void *context)
{
    fixture *f = context;
    note(f, 's');
    loop_stop(f->loop);
}

static void timers_fire_in_order(void **state)
{
    fixture *f = *state;
    timer_open(&f->timer, f->loop, on_a, f);
    timer_open(&f->late, f->loop, on_stop, f);
    timer_set(&f->late, 20);
    timer_set(&f->timer, 1);
    loop_run(f->loop);
    assert_string_equal(f->order, "as");
}

static void a_second_call_moves_a_timer_and_a_stop_ends_it(void **state)
{
    fixture *f = *state;
    timer_open(&f->timer, f->loop, on_a, f);
    timer_open(&f->late, f->loop, on_stop, f);
    timer_set(&f->timer, 3600 * 1000);
    timer_set(&f->timer, 1);
    timer_set(&f->late, 20);
    timer_stop(&f->late);
    loop_run(f->loop); /* ends: nothing is left to wait for */
    assert_string_equal(f->order, "a");
}

static void on_b_again(void *context)
{
    fixture *f = context;
    note(f, 'b');
    if (f->n < 4)
        task_put(f->loop, &f->b, on_b_again, f);
}

static void tasks_run_once_each_in_order_and_again_when_put_again(void **state)
{
    fixture *f = *state;
    task_put(f->loop, &f->a, on_a, f);
    task_put(f->loop, &f->a, on_a, f);
    task_put(f->loop, &f->b, on_b_again, f);
    loop_run(f->loop);
    assert_string_equal(f->order, "abbb");
}

static void on_c_cancels_all(void *context)
{
    fixture *f = context;
    note(f, 'c');
    task_cancel(f->loop, &f->a);
    task_cancel(f->loop, &f->b);
}

static void a_cancelled_task_does_not_run(void **state)
{
    fixture *f = *state;
    task_put(f->loop, &f->c, on_c_cancels_all, f);
    task_put(f->loop, &f->a, on_a, f);
    task_put(f->loop, &f->b, on_b_again, f);
    loop_run(f->loop);
    assert_string_equal(f->order, "c");
    task_put(f->loop, &f->a, on_a, f); /* the list is whole */
    loop_run(f->loop);
    assert_string_equal(f->order, "ca");
}

static void on_ready(void *context, unsigned ready)
{
    fixture *f = context;
    note(f, ready & WATCH_READ ? 'r' : 'w');
    watch_want(&f->watch, 0);
}

static void a_watch_tells_what_was_wanted_only(void **state)
{
    fixture *f = *state;
    watch_open(&f->watch, f->loop, f->pipe[0], on_ready, f);
    loop_run(f->loop); /* wants nothing */
    assert_int_equal(f->n, 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    watch_want(&f->watch, WATCH_READ);
    loop_run(f->loop);
    assert_string_equal(f->order, "r");
    watch_want(&f->watch, WATCH_READ);
    watch_close(&f->watch);
    loop_run(f->loop);
    assert_string_equal(f->order, "r");
}

static void a_signal_is_an_event(void **state)
{
    fixture *f = *state;
    signal_open(&f->timer, f->loop, SIGUSR1, on_stop, f);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(f->loop);
    assert_string_equal(f->order, "s");
    timer_close(&f->timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_call_moves_a_timer_and_a_stop_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(tasks_run_once_each_in_order_and_again_when_put_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_task_does_not_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_watch_tells_what_was_wanted_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signal_is_an_event, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
