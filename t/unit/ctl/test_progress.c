/* SOURCES: ctl/queue/progress.c  NEEDS: ctl_common */
/* What a person at the terminal sees while much is done: a line after half a second, ten times a second at most, and gone at the end. */
#include "ctl/queue/progress.h"
#include "base/clock.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { SHOWN = 60 };

static uint64_t now_ms;
static int main_fd, terminal_fd, stderr_fd;

/* In the place of lib/base/clock.c. */
uint64_t clock_us(void)
{
    return now_ms * 1000;
}

uint64_t clock_s(void)
{
    return now_ms / 1000;
}

uint64_t clock_monotonic_ms(void)
{
    return now_ms;
}

uint64_t clock_cpu_us(void)
{
    return 0;
}

static int setup(void **state)
{
    (void)state;
    now_ms = 1000000;
    stderr_fd = dup(STDERR_FILENO);
    main_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(main_fd >= 0 && grantpt(main_fd) == 0 && unlockpt(main_fd) == 0);
    terminal_fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal_fd >= 0);
    fcntl(main_fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(main_fd);
    close(terminal_fd);
    close(stderr_fd);
    return 0;
}

static void begin_on(int fd)
{
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
}

static void end(void)
{
    fflush(stderr);
    dup2(stderr_fd, STDERR_FILENO);
}

/* What the terminal was sent since the last look. */
static void look(char out[SHOWN])
{
    ssize_t n = read(main_fd, out, SHOWN - 1);
    out[n < 0 ? 0 : n] = '\0';
}

static void a_line_is_written_over_and_over(void **state)
{
    static const struct {
        uint64_t after_ms;
        const char *line;
    } rows[] = {
        { 499, "" }, { 1, "\rhold: 4 of 5000\033[K" }, { 99, "" }, { 1, "\rhold: 8 of 5000\033[K" }, { 300, "\rhold: 10 of 5000\033[K" },
    };
    char seen[COUNT_OF(rows)][SHOWN], last[SHOWN];
    (void)state;
    begin_on(terminal_fd);
    progress p = progress_begin("hold", 5000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        now_ms += rows[i].after_ms;
        progress_add(&p, 2);
        look(seen[i]);
    }
    progress_end(&p);
    look(last);
    end();
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(seen[i], rows[i].line);
    assert_string_equal(last, "\r\033[K");
}

static void what_is_done_at_once_shows_nothing(void **state)
{
    char seen[SHOWN];
    (void)state;
    begin_on(terminal_fd);
    progress p = progress_begin("hold", 1);
    progress_add(&p, 1);
    progress_end(&p);
    look(seen);
    end();
    assert_string_equal(seen, "");
}

static void a_file_gets_no_such_line(void **state)
{
    char text[10];
    int file = memfd_create("stderr", MFD_CLOEXEC);
    (void)state;
    begin_on(file);
    progress p = progress_begin("hold", 5000);
    now_ms += 60000;
    progress_add(&p, 1);
    progress_end(&p);
    end();
    assert_int_equal(pread(file, text, sizeof text, 0), 0);
    close(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_written_over_and_over),
        TEST(what_is_done_at_once_shows_nothing),
        TEST(a_file_gets_no_such_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
