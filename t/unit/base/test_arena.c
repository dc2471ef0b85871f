/* Memory of one lifetime: zeroed, aligned, apart from each other, counted, given back at once. */
#include "base/arena.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    arena a = arena_new(0);
    unsigned char *pieces[500];
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(pieces); i++) {
            pieces[i] = arena_get(&a, i);
            assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < i; k++)
                assert_int_equal(pieces[i][k], 0);
            memset(pieces[i], (int)(i & 0xff), i);
        }
        for (size_t i = 0; i < COUNT_OF(pieces); i++)
            for (size_t k = 0; k < i; k++)
                assert_int_equal(pieces[i][k], i & 0xff);
        arena_clear(&a);
    }
    arena_free(&a);
}

static void past_the_limit_it_says_so(void **state)
{
    arena a = arena_new(1024);
    (void)state;
    assert_non_null(arena_get(&a, 1024));
    assert_false(a.is_over);
    assert_non_null(arena_get(&a, 1));
    assert_true(a.is_over);
    arena_clear(&a);
    assert_false(a.is_over);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.max, 1024);
    arena_free(&a);

    arena unlimited = arena_new(0);
    arena_get(&unlimited, 1 << 20);
    assert_false(unlimited.is_over);
    arena_free(&unlimited);
}

static void clearing_keeps_one_small_chunk_at_most(void **state)
{
    arena a = arena_new(0);
    (void)state;
    void *first = arena_get(&a, 10);
    arena_clear(&a);
    assert_ptr_equal(arena_get(&a, 10), first);
    arena_get(&a, 1 << 20);
    arena_clear(&a);
    assert_null(a.chunks);
    arena_clear(&a);
    arena_free(&a);
    arena_free(&a);
}

static void copies_end_in_nul(void **state)
{
    arena a = arena_new(0);
    char source[] = "abc\0def";
    (void)state;
    str copy = arena_copy(&a, (str){ source, 7 });
    source[0] = 'x';
    assert_true(str_equal(copy, STR("abc\0def")));
    assert_int_equal(copy.p[7], 0);
    assert_string_equal(arena_c(&a, STR("name")), "name");
    assert_string_equal(arena_c(&a, STR_NONE), "");
    assert_int_equal(arena_copy(&a, STR_NONE).n, 0);
    arena_free(&a);
}

static void prints_at_any_length(void **state)
{
    arena a = arena_new(0);
    (void)state;
    for (int width = 0; width < 3000; width += 37) {
        str s = arena_printf(&a, "%*s", width, "");
        assert_int_equal(s.n, width);
        assert_int_equal(s.p[s.n], 0);
    }
    assert_true(str_equal(arena_printf(&a, "%s=%d", "x", 7), STR("x=7")));
    arena_free(&a);
}

static void arrays_are_zeroed(void **state)
{
    arena a = arena_new(0);
    (void)state;
    uint64_t *numbers = ARENA_ARRAY(&a, uint64_t, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    assert_non_null(ARENA_NEW(&a, str));
    assert_non_null(ARENA_ARRAY(&a, uint64_t, 0));
    arena_free(&a);
}

/* The product wraps to 0 and would fit: the process must end instead (memory.h). */
static void a_wrapping_array_ends_the_process(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        arena a = arena_new(0);
        close(2);
        ARENA_ARRAY(&a, uint64_t, SIZE_MAX / 8 + 1);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(past_the_limit_it_says_so),
        cmocka_unit_test(clearing_keeps_one_small_chunk_at_most),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(prints_at_any_length),
        cmocka_unit_test(arrays_are_zeroed),
        cmocka_unit_test(a_wrapping_array_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
