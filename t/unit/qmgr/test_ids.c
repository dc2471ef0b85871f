/* SOURCES: qmgr/ids.c  NEEDS: daemon queue */
/* Ids only grow: within a run, over restarts, when the clock jumps back, when the mark is lost or unreadable. */
#include "base/num.h"
#include "os/file.h"
#include "qmgr/qmgr.h"
#include "t/unit/base/moved_clock.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char root_path[64];
static qmgr q;

static int setup(void **state)
{
    (void)state;
    snprintf(root_path, sizeof root_path, "/tmp/qmgr-ids-XXXXXX");
    assert_non_null(mkdtemp(root_path));
    q = (qmgr){ .root_fd = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlinkat(q.root_fd, "id-mark", 0);
    close(q.root_fd);
    return rmdir(root_path);
}

static void mark_set(const char *text)
{
    int fd = openat(q.root_fd, "id-mark", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static uint64_t mark_get(void)
{
    char text[64] = { 0 };
    int fd = openat(q.root_fd, "id-mark", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    uint64_t mark = 0;
    assert_true(num_parse(str_trim(str_c(text)), 0, UINT64_MAX, &mark));
    return mark;
}

static uint64_t next(void)
{
    uint64_t id = 0;
    assert_false(is_fault(ids_next(&q, &id)));
    return id;
}

static void they_grow_and_stay_behind_the_mark(void **state)
{
    uint64_t last = 0;
    (void)state;
    assert_false(is_fault(ids_open(&q)));
    for (int i = 0; i < 1000; i++) {
        uint64_t id = next();
        assert_true(id > last);
        assert_true(mark_get() > id);
        last = id;
    }
}

static void a_restart_begins_behind_the_mark(void **state)
{
    (void)state;
    assert_false(is_fault(ids_open(&q)));
    uint64_t before = next(), mark = mark_get();
    for (int i = 0; i < 5; i++) {
        assert_false(is_fault(ids_open(&q)));
        uint64_t id = next();
        assert_true(id > before && id >= mark);
        before = id;
        mark = mark_get();
    }
}

static void a_clock_that_went_back_does_not_matter(void **state)
{
    char text[32];
    uint64_t day_ahead = clock_us() + UINT64_C(86400) * 1000000;
    (void)state;
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)day_ahead);
    mark_set(text);
    assert_false(is_fault(ids_open(&q)));
    assert_true(next() >= day_ahead);
    assert_true(next() > day_ahead);
}

/* HOSTILE 43: within a run and over restarts. */
static void a_clock_that_jumps_gives_none_twice(void **state)
{
    static const int64_t jumps[] = { 0, DAY_S, -DAY_S, 0, -2 * DAY_S, 2 * DAY_S, 1, 0 };
    uint64_t last = 0;
    (void)state;
    for (size_t i = 0; i < 4 * COUNT_OF(jumps); i++) {
        moved_s = jumps[i / 2 % COUNT_OF(jumps)];
        if (i % 4 == 0)
            assert_false(is_fault(ids_open(&q)));
        for (int n = 0; n < 3; n++) {
            uint64_t id = next();
            assert_true(id > last && id < mark_get());
            last = id;
        }
    }
    moved_s = 0;
}

static void a_mark_of_nonsense_is_none(void **state)
{
    static const char *const marks[] = { "", "x\n", "-1\n", "99999999999999999999999\n", "18446744073709551615\n" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        mark_set(marks[i]);
        assert_false(is_fault(ids_open(&q)));
        uint64_t id = next();
        assert_true(id >= clock_us() - 60000000 && id <= clock_us() + 60000000);
    }
}

static void no_id_without_a_durable_mark(void **state)
{
    uint64_t id;
    int real = q.root_fd;
    (void)state;
    assert_false(is_fault(ids_open(&q)));
    q.root_fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(is_fault(ids_next(&q, &id)));
    close(q.root_fd);
    q.root_fd = real;
    assert_false(is_fault(ids_next(&q, &id)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(they_grow_and_stay_behind_the_mark),     TEST(a_restart_begins_behind_the_mark),
        TEST(a_clock_that_went_back_does_not_matter), TEST(a_mark_of_nonsense_is_none),
        TEST(a_clock_that_jumps_gives_none_twice),
        TEST(no_id_without_a_durable_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
