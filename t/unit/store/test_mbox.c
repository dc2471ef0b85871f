/* SOURCES:  NEEDS: store */
#include "store/mbox.h"
#include "base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        fault ok_fault = (call);                                                                                       \
        if (is_fault(ok_fault))                                                                                        \
            fail_msg("%s", ok_fault.text);                                                                             \
    } while (0)

static struct {
    char folder[40], path[60], lock[60], other[60];
    mbox *m;
    char bytes[200000];
} w;

static int setup(void **state)
{
    (void)state;
    snprintf(w.folder, sizeof w.folder, "/tmp/mbox.XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/box", w.folder);
    snprintf(w.lock, sizeof w.lock, "%s/box.lock", w.folder);
    snprintf(w.other, sizeof w.other, "%s/other", w.folder);
    int fd = open(w.path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    OK(mbox_open(w.path, 0, &w.m));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mbox_close(w.m);
    unlink(w.path);
    unlink(w.lock);
    unlink(w.other);
    return rmdir(w.folder);
}

/* Its content, the dates of From_ lines taken for "DATE". */
static const char *content(void)
{
    static char text[sizeof w.bytes];
    FILE *f = fopen(w.path, "rb");
    size_t n = fread(w.bytes, 1, sizeof w.bytes - 1, f), out = 0;
    fclose(f);
    w.bytes[n] = '\0';
    for (const char *at = w.bytes; *at;) {
        const char *end = strchr(at, '\n') ? strchr(at, '\n') + 1 : at + strlen(at);
        struct tm t;
        const char *date = strncmp(at, "From ", 5) == 0 ? strstr(at, "  ") : NULL;
        const char *after = date && date < end ? strptime(date, "  %a %b %e %H:%M:%S %Y", &t) : NULL;
        if (after && *after == '\n')
            out += (size_t)snprintf(text + out, sizeof text - out, "%.*s DATE\n", (int)(date - at), at);
        else
            out += (size_t)snprintf(text + out, sizeof text - out, "%.*s", (int)(end - at), at);
        at = end;
    }
    text[out] = '\0';
    return text;
}

static void put(str text, size_t step)
{
    OK(mbox_begin(w.m, STR("a@b.example")));
    for (; text.n; text = str_from(text, step))
        OK(mbox_write(w.m, str_upto(text, step)));
    OK(mbox_end(w.m));
}

static const struct row {
    str wire;
    const char *stored;
} rows[] = {
    { STR_ROW(""), "\n" },
    { STR_ROW("A: b\r\n\r\nc\r\n"), "A: b\n\nc\n\n" },
    { STR_ROW("A: b\r\n\r\nno end"), "A: b\n\nno end\n\n" },
    { STR_ROW("From x\r\nFrom"), ">From x\nFrom\n\n" },
    { STR_ROW("Fro\r\nFrom:\r\nFrom \r\n>From \r\n"), "Fro\nFrom:\n>From \n>From \n\n" },
    { STR_ROW("\r\nFrom \r\n\r\n"), "\n>From \n\n\n" },
    { STR_ROW("aFrom \r\n From \r\nfrom \r\n"), "aFrom \n From \nfrom \n\n" },
    { STR_ROW("FFrom \r\nFroFrom \r\n"), "FFrom \nFroFrom \n\n" },
};

/* Whole, byte by byte, and in pieces of each length. */
static void lines_are_stored_and_quoted(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t step = 1; step <= rows[i].wire.n + 1; step++) {
            char want[200];
            put(rows[i].wire, step);
            OK(mbox_sync(w.m));
            snprintf(want, sizeof want, "From a@b.example DATE\n%s", rows[i].stored);
            if (strcmp(content(), want) != 0)
                fail_msg("row %zu in steps of %zu: %s", i, step, content());
            assert_int_equal(truncate(w.path, 0), 0);
        }
    }
    (void)state;
}

static void the_null_sender_is_mailer_daemon(void **state)
{
    (void)state;
    OK(mbox_begin(w.m, STR("")));
    OK(mbox_write(w.m, STR("x\r\n")));
    OK(mbox_end(w.m));
    OK(mbox_sync(w.m));
    assert_string_equal(content(), "From MAILER-DAEMON DATE\nx\n\n");
}

static void fill(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    fputs(text, f);
    fclose(f);
}

static void an_unfinished_end_is_finished(void **state)
{
    static const char *const ends[][2] = { { "x", "x\n\n" }, { "x\n", "x\n\n" }, { "x\n\n", "x\n\n" }, { "\n", "\n" }, { "y", "y\n\n" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char want[100];
        fill(w.path, ends[i][0]);
        put(STR("m\r\n"), 10);
        OK(mbox_sync(w.m));
        snprintf(want, sizeof want, "%sFrom a@b.example DATE\nm\n\n", ends[i][1]);
        assert_string_equal(content(), want);
    }
}

static void a_message_that_fails_is_cut_off_again(void **state)
{
    (void)state;
    put(STR("one\r\n"), 10);
    OK(mbox_begin(w.m, STR("x@y.example")));
    for (int i = 0; i < 40; i++)
        OK(mbox_write(w.m, STR("a line that is long enough to be written out before the end of it all comes, more than once, so that there "
                               "is something to be cut off, and a little more of it, and again something, and then it ends\r\n")));
    static char much[100000];
    memset(much, 'x', sizeof much);
    OK(mbox_write(w.m, (str){ much, sizeof much })); /* is on the disk, in part */
    struct stat st;
    assert_int_equal(stat(w.path, &st), 0);
    assert_true(st.st_size > 60000);
    mbox_cancel(w.m);
    put(STR("three\r\n"), 10);
    OK(mbox_sync(w.m));
    assert_string_equal(content(), "From a@b.example DATE\none\n\nFrom a@b.example DATE\nthree\n\n");
}

static void the_limit_refuses_and_leaves_the_rest(void **state)
{
    (void)state;
    put(STR("one\r\n"), 10);
    OK(mbox_sync(w.m));
    mbox_limit(w.m, 100);
    static char much[200];
    memset(much, 'x', sizeof much);
    OK(mbox_begin(w.m, STR("x@y.example")));
    OK(mbox_write(w.m, (str){ much, sizeof much }));
    fault f = mbox_end(w.m);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_string_equal(f.status, "2.2");
    mbox_cancel(w.m);
    OK(mbox_sync(w.m));
    assert_string_equal(content(), "From a@b.example DATE\none\n\n");
}

/* A file-size limit stands for a full disk: part of a write goes through. */
static void what_the_disk_cut_short_is_cut_off(void **state)
{
    struct rlimit before, small = { .rlim_cur = 70000 };
    static char much[150000];
    (void)state;
    memset(much, 'x', sizeof much);
    put(STR("one\r\n"), 10);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    OK(mbox_begin(w.m, STR("x@y.example")));
    fault f = mbox_write(w.m, (str){ much, sizeof much });
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(f.kind, FAULT_REFUSED);
    OK(mbox_sync(w.m));
    assert_string_equal(content(), "From a@b.example DATE\none\n\n");
}

static void odd_files_are_not_opened(void **state)
{
    mbox *m;
    (void)state;
    assert_int_equal(symlink(w.path, w.other), 0);
    assert_int_equal(mbox_open(w.other, 0, &m).kind, FAULT_TRY_LATER);
    assert_null(m);
    unlink(w.other);
    assert_int_equal(link(w.path, w.other), 0);
    assert_non_null(strstr(mbox_open(w.other, 0, &m).text, "another name"));
    unlink(w.other);
    assert_int_equal(mkfifo(w.other, 0600), 0);
    assert_non_null(strstr(mbox_open(w.other, 0, &m).text, "not a plain file"));
    unlink(w.other);
    assert_int_equal(mbox_open(w.folder, 0, &m).kind, FAULT_TRY_LATER);
    assert_int_equal(mbox_open("/dev/null", 0, &m).kind, FAULT_TRY_LATER);
    assert_int_equal(mbox_open(w.other, 0, &m).kind, FAULT_REFUSED);
}

static void a_file_that_was_replaced_is_noticed(void **state)
{
    (void)state;
    assert_true(mbox_is_current(w.m));
    assert_int_equal(rename(w.path, w.other), 0);
    assert_false(mbox_is_current(w.m));
    fill(w.path, "");
    assert_false(mbox_is_current(w.m));
    assert_int_equal(rename(w.other, w.path), 0);
    assert_true(mbox_is_current(w.m));
}

static void one_has_the_lock(void **state)
{
    mbox *other;
    (void)state;
    OK(mbox_open(w.path, 0, &other));
    assert_true(mbox_lock(w.m));
    assert_false(mbox_lock(other));
    mbox_unlock(w.m);
    assert_true(mbox_lock(other));
    assert_false(mbox_lock(w.m));
    mbox_close(other); /* lets go */
    assert_true(mbox_lock(w.m));
}

static void one_has_the_dotlock_until_it_is_old(void **state)
{
    mbox *other;
    struct stat st;
    struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    (void)state;
    OK(mbox_open(w.path, 0, &other));
    OK(mbox_dot(w.m, 100));
    assert_int_equal(mbox_dot(other, 100).kind, FAULT_TRY_LATER);
    mbox_undot(other); /* not its own: nothing happens */
    assert_int_equal(stat(w.lock, &st), 0);
    mbox_undot(w.m);
    assert_int_equal(stat(w.lock, &st), -1);
    fill(w.lock, "");
    utimensat(AT_FDCWD, w.lock, old, 0);
    OK(mbox_dot(other, 100));
    mbox_close(other);
    assert_int_equal(stat(w.lock, &st), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_stored_and_quoted),
        TEST(the_null_sender_is_mailer_daemon),
        TEST(an_unfinished_end_is_finished),
        TEST(a_message_that_fails_is_cut_off_again),
        TEST(the_limit_refuses_and_leaves_the_rest),
        TEST(what_the_disk_cut_short_is_cut_off),
        TEST(odd_files_are_not_opened),
        TEST(a_file_that_was_replaced_is_noticed),
        TEST(one_has_the_lock),
        TEST(one_has_the_dotlock_until_it_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
