/* Allocation never returns NULL: what cannot be had ends the process with status 71. */
#include "base/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void memory_is_zeroed(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2000; n += 7) {
        unsigned char *p = memory_get(n);
        assert_non_null(p);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        free(p);
    }
}

static void resizing_keeps_what_was_there(void **state)
{
    (void)state;
    int *p = memory_resize(NULL, 1, sizeof *p);
    p[0] = 0;
    for (size_t n = 2; n < 1000; n++) {
        p = memory_resize(p, n, sizeof *p);
        p[n - 1] = (int)n - 1;
    }
    for (int i = 0; i < 999; i++)
        assert_int_equal(p[i], i);
    p = memory_resize(p, 0, sizeof *p);
    assert_non_null(p);
    free(p);
}

static int exit_status(void (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        close(2);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void resize_with_a_product_that_wraps(void)
{
    memory_resize(NULL, SIZE_MAX / 4 + 1, 4);
}

static void a_product_that_wraps_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(exit_status(resize_with_a_product_that_wraps), EXIT_OUT_OF_MEMORY);
}

#ifndef POSTRIDER_SANITIZED /* whose allocator ends the process in its own way */
static void get_more_than_allowed(void)
{
    struct rlimit limit = { 64 << 20, 64 << 20 };
    setrlimit(RLIMIT_AS, &limit);
    for (int i = 0; i < 100; i++)
        if (memory_get(1 << 20) == NULL)
            _exit(1);
}

static void running_out_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(exit_status(get_more_than_allowed), EXIT_OUT_OF_MEMORY);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(resizing_keeps_what_was_there),
        cmocka_unit_test(a_product_that_wraps_ends_the_process),
#ifndef POSTRIDER_SANITIZED
        cmocka_unit_test(running_out_ends_the_process),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
