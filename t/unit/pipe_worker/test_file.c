/* SOURCES: pipe/worker/actor.c pipe/worker/command.c pipe/worker/environment.c pipe/worker/file.c pipe/worker/letter.c pipe/worker/list.c pipe/worker/outcome.c pipe/worker/words.c  NEEDS: store worker */
/* Files and Maildirs that members of aliases name. */
#include "t/unit/pipe_worker/world.h"
#include "store/mbox.h"
#include <dirent.h>

#define MAIL "A: b\r\n\r\nmark\r\n"

static size_t letters_in(const char *name)
{
    size_t found = 0;
    for (const char *at = text_of(name); (at = strstr(at, "\nmark\n")) != NULL; at++)
        found++;
    return found;
}

static void put(uint32_t ref, const char *name)
{
    ask(ref, "/", name, MAIL);
    rounds();
}

static mbox *locked_box(void)
{
    static char path[60];
    mbox *m;
    snprintf(path, sizeof path, "%s/box", w->folder);
    text_put(w->worker.home_fd, "box", "", 0600);
    assert_false(is_fault(mbox_open(path, 0, &m)));
    assert_true(mbox_lock(m));
    return m;
}

static void it_is_made_and_appended_to(void **state)
{
    struct stat st;
    (void)state;
    put(1, "box");
    put(2, "box");
    assert_int_equal(pool.n, 2);
    assert_int_equal(pool.told[0].outcome + pool.told[1].outcome, 2 * FAULT_NONE);
    assert_int_equal(strncmp(pool.told[1].text, "delivered to file: /tmp/worker.", 31), 0);
    assert_int_equal(letters_in("box"), 2);
    has("box", "From from@y.example ");
    has("box", "\nReturn-Path: <from@y.example>\n");
    assert_int_equal(fstatat(w->worker.home_fd, "box", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(is_there("box.lock"));
    assert_int_equal(w->worker.busy, 0);
}

static size_t names_in(const char *folder)
{
    size_t n = 0;
    int fd = openat(w->worker.home_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fdopendir(fd);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void a_slash_at_the_end_means_a_maildir(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 2; i++)
        put(i, "folder/");
    assert_int_equal(pool.n, 2);
    assert_int_equal(strncmp(pool.told[1].text, "delivered to maildir: /tmp/worker.", 34), 0);
    assert_int_equal(names_in("folder/new"), 2);
    assert_int_equal(names_in("folder/tmp"), 0);
}

/* Whoever may put a name there must not choose what is written to. */
static void what_is_no_plain_file_of_his_own_is_left_alone(void **state)
{
    static const char *const bad[] = { "symlink", "dangling", "fifo", "folder", "nowhere/box", "plain/box" };
    int home = w->worker.home_fd;
    (void)state;
    text_put(home, "plain", "old\n", 0600);
    assert_int_equal(symlinkat("plain", home, "symlink"), 0);
    assert_int_equal(symlinkat("not-there", home, "dangling"), 0);
    assert_int_equal(mkfifoat(home, "fifo", 0600), 0);
    assert_int_equal(mkdirat(home, "folder", 0700), 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        pool.n = 0;
        put(1, bad[i]);
        assert_int_equal(pool.n, 1);
        if (pool.told[0].outcome != FAULT_TRY_LATER)
            fail_msg("%s: %s", bad[i], pool.told[0].text);
    }
    assert_string_equal(text_of("plain"), "old\n");
    assert_false(is_there("not-there"));
}

static void a_maildir_of_somebody_else_is_not_filled(void **state)
{
    (void)state;
    if (geteuid() != 0) /* only root can make one */
        return;
    assert_int_equal(mkdirat(w->worker.home_fd, "folder", 0777), 0);
    assert_int_equal(fchownat(w->worker.home_fd, "folder", 21000, 21000, 0), 0);
    put(1, "folder/");
    assert_int_equal(pool.told[0].outcome, FAULT_TRY_LATER);
    assert_non_null(strstr(pool.told[0].text, "is not the user's own"));
    assert_int_equal(names_in("folder"), 0);
}

static void what_another_program_locked_is_waited_for(void **state)
{
    (void)state;
    mbox *other = locked_box();
    w->a.rules.lock_delay_s = 3600;
    put(1, "box");
    put(2, "next");
    assert_int_equal(pool.n, 0); /* one at a time, in their order */
    mbox_close(other);
    w->a.rules.lock_delay_s = 0;
    timer_set(&w->a.again, 1);
    until_told(2);
    assert_int_equal(pool.told[0].ref, 1);
    assert_int_equal(letters_in("box") + letters_in("next"), 2);
}

static void after_all_attempts_it_is_for_later(void **state)
{
    (void)state;
    mbox *other = locked_box();
    put(1, "box"); /* delay 0: at once again */
    until_told(1);
    is_told(0, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the file is locked by another program");
    assert_true(pool.told[0].is_destination);
    mbox_close(other);
    put(2, "box");
    assert_int_equal(pool.told[1].outcome, FAULT_NONE);
    assert_int_equal(letters_in("box"), 1);
}

static void who_leaves_does_not_wait(void **state)
{
    (void)state;
    mbox *other = locked_box();
    w->a.rules.lock_delay_s = 3600;
    put(1, "box");
    assert_int_equal(pool.n, 0);
    w->worker.is_leaving = true;
    files_leave(&w->a);
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the file is locked by another program");
    mbox_close(other);
}

static void a_dotlock_counts_until_it_is_stale(void **state)
{
    struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    (void)state;
    text_put(w->worker.home_fd, "box.lock", "1\n", 0600);
    put(1, "box");
    until_told(1);
    assert_int_equal(pool.told[0].outcome, FAULT_TRY_LATER);
    assert_int_equal(letters_in("box"), 0);
    assert_int_equal(utimensat(w->worker.home_fd, "box.lock", old, 0), 0);
    put(2, "box");
    assert_int_equal(pool.told[1].outcome, FAULT_NONE);
    assert_int_equal(letters_in("box"), 1);
    text_put(w->worker.home_fd, "box.lock", "1\n", 0600);
    w->a.rules.flags = PROGRAM_LOCKS_FCNTL; /* who does not lock that way does not look */
    put(3, "box");
    assert_int_equal(pool.told[2].outcome, FAULT_NONE);
}

/* More than is written at a time. */
static const char *large(void)
{
    static char text[300001];
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 70; i + 1 < sizeof text; i += 72)
        text[i] = '\r', text[i + 1] = '\n';
    return text;
}

static size_t bytes_of(const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(w->worker.home_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return (size_t)st.st_size;
}

static void what_does_not_go_well_leaves_it_as_it_was(void **state)
{
    char member[80];
    (void)state;
    put(1, "box");
    snprintf(member, sizeof member, "%s/box", w->folder);
    size_t bytes = bytes_of("box");
    damaged_request(2, (deliver_request){ .member = str_c(member) }, large());
    rounds();
    assert_int_equal(pool.told[1].outcome, FAULT_BROKEN);
    ask(3, "/", "box", "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    rounds();
    is_told(2, DELIVER_RESULT, 3, FAULT_REFUSED, "mail forwarding loop for jo@x.example");
    w->a.rules.mailbox_bytes = bytes + 10;
    put(4, "box");
    assert_int_not_equal(pool.told[3].outcome, FAULT_NONE);
    assert_int_equal(bytes_of("box"), bytes);
    damaged_request(5, (deliver_request){ .member = STR("/dev/null") }, MAIL);
    request(6, (deliver_request){ .member = STR("/dev/null") }, MAIL);
    rounds();
    assert_int_equal(pool.told[4].outcome, FAULT_BROKEN);
    is_told(5, DELIVER_RESULT, 6, FAULT_NONE, "discarded: /dev/null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_and_appended_to),
        TEST(a_slash_at_the_end_means_a_maildir),
        TEST(what_is_no_plain_file_of_his_own_is_left_alone),
        TEST(a_maildir_of_somebody_else_is_not_filled),
        TEST(what_another_program_locked_is_waited_for),
        TEST(after_all_attempts_it_is_for_later),
        TEST(who_leaves_does_not_wait),
        TEST(a_dotlock_counts_until_it_is_stale),
        TEST(what_does_not_go_well_leaves_it_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
