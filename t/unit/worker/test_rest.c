/* A worker that has rested still is what it was: its data, its stack, its code. */
#include "worker/rest.h"
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static int (*const compare_by)(const char *, const char *) = strcmp; /* a relocation */
static char written[3 * 4096];

static unsigned deep(unsigned n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n ? deep(n - 1) + (unsigned)room[0] * 0 + 1 : 0;
}

static void on_round(void *context)
{
    loop_stop(context);
}

static void all_is_there_after_a_rest(void **state)
{
    char here[] = "on the stack";
    char *heap = malloc(100000);
    loop *l = loop_new();
    timer t;
    (void)state;
    timer_open(&t, l, on_round, l);
    memset(written, 'x', sizeof written);
    memset(heap, 'h', 100000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(deep(20), 20);
        worker_rest(l);
        timer_set(&t, 1);
        loop_run(l);
        assert_string_equal(here, "on the stack");
        assert_int_equal(compare_by("a", "a"), 0);
        assert_true(written[0] == 'x' && written[sizeof written - 1] == 'x');
        assert_true(heap[0] == 'h' && heap[99999] == 'h');
    }
    timer_close(&t);
    loop_free(l);
    free(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_is_there_after_a_rest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
