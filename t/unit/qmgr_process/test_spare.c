/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Files that are used again: emptied, under a new name, and never while somebody may see what a new message writes there. And those
 * that are prepared. */
#include "t/unit/qmgr_process/world.h"
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

enum { AGING = 8 };

static ino_t inode_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

/* So many messages come and go; the descriptors of cleanup are closed, or kept. */
static void messages_pass(size_t count, bool is_closed)
{
    take((uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        message_write(i, 0, 1);
        say(QUEUE_DURABLE, w->ids[i]);
        if (is_closed) {
            close(w->fds[i]);
            w->fds[i] = -1;
        }
        deliver(FAULT_NONE);
    }
    assert_int_equal(w->qmgr.messages.n, 0);
}

static bool is_there(uint64_t id)
{
    int fd = queue_tree_open(w->qmgr.root_fd, QUEUE_ACTIVE, id, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void a_file_is_used_again_empty_and_under_its_new_name(void **state)
{
    (void)state;
    messages_pass(AGING + 1, true);
    ino_t was = inode_of(w->qmgr.spares.p[0].fd);
    uint64_t old = w->ids[0];
    w->given = 0;
    take(1);
    assert_int_equal(inode_of(w->fds[0]), was);
    assert_int_equal(w->qmgr.spares.n, AGING);
    assert_int_equal(lseek(w->fds[0], 0, SEEK_END), 0);
    assert_false(is_there(old));
    assert_true(is_there(w->ids[0]));
    message_write(0, 0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_int_equal(w->delivering, w->ids[0]);
    deliver(FAULT_NONE);
}

static void those_that_came_last_wait(void **state)
{
    (void)state;
    messages_pass(AGING, true);
    w->given = 0;
    take(1);
    assert_int_equal(w->qmgr.spares.n, AGING);
}

/* Whoever delivered the last message could read the next one. */
static void one_that_somebody_has_open_is_not_used_again(void **state)
{
    (void)state;
    messages_pass(AGING + 1, false);
    int kept = w->fds[0];
    ino_t was = inode_of(kept);
    uint64_t old = w->ids[0];
    for (size_t i = 1; i < AGING + 1; i++)
        close(w->fds[i]);
    w->given = 0;
    take(1);
    assert_true(inode_of(w->fds[0]) != was);
    assert_false(is_there(old));
    close(kept);
}

static void what_failed_or_stays_is_not_emptied(void **state)
{
    (void)state;
    take(1);
    message_write(0, 0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    deliver(FAULT_TRY_LATER);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
    message_remove(&w->qmgr, message_find(&w->qmgr, w->ids[0])); /* in another folder it has another name */
    assert_false(is_in(QUEUE_DEFERRED, w->ids[0]));
    assert_int_equal(w->qmgr.spares.n, 0);
}

static void where_old_names_may_come_back_none_is_kept(void **state)
{
    (void)state;
    w->qmgr.mixes_names = true;
    messages_pass(AGING, true);
    assert_int_equal(w->qmgr.spares.n, 0);
    for (size_t i = 0; i < AGING; i++)
        assert_false(is_there(w->ids[i]));
}

static void a_qmgr_that_leaves_keeps_none(void **state)
{
    (void)state;
    messages_pass(AGING, true);
    spares_remove(&w->process);
    for (size_t i = 0; i < AGING; i++)
        assert_false(is_there(w->ids[i]));
    w->process.is_draining = true;
}

/* A second descriptor is made when somebody else than cleanup writes the content, and cannot read what is there. */
static void who_brings_the_content_may_only_write(void **state)
{
    char octet;
    (void)state;
    w->writer = -1;
    take(1);
    assert_int_equal(w->writer, -1);
    take_such((queue_take){ .count = 1, .kind = FRESH_WRITABLE });
    assert_true(w->writer >= 0);
    assert_int_equal(inode_of(w->writer), inode_of(w->fds[1]));
    assert_int_equal(lseek(w->writer, 0, SEEK_CUR), QUEUE_CONTENT_START);
    assert_int_equal(write(w->writer, "x", 1), 1);
    assert_int_equal(read(w->writer, &octet, 1), -1);
    close(w->writer);
}

static bool is_zero(int fd, size_t bytes)
{
    static char got[QUEUE_PREPARED_MAX];
    size_t zeros = 0;
    if (lseek(fd, 0, SEEK_END) != (off_t)bytes || pread(fd, got, bytes, 0) != (ssize_t)bytes)
        return false;
    while (zeros < bytes && got[zeros] == '\0')
        zeros++;
    return zeros == bytes;
}

/* A new one as well as one that is used again; of a message that was in it nothing is left. */
static void a_prepared_file_has_zeros(void **state)
{
    (void)state;
    w->qmgr.has_journal = true;
    messages_pass(AGING + 1, true);
    w->given = 0;
    take_such((queue_take){ .count = 2, .kind = FRESH_PLAIN, .prepared_bytes = QUEUE_PREPARED_MAX });
    assert_int_equal(w->given, 2);
    assert_int_equal(w->prepared_bytes, QUEUE_PREPARED_MAX);
    assert_true(is_zero(w->fds[0], QUEUE_PREPARED_MAX));
    assert_true(is_zero(w->fds[1], QUEUE_PREPARED_MAX));
    take(1);
    assert_true(is_zero(w->fds[2], 0));
}

static void without_a_journal_or_for_who_writes_the_content_none_is_prepared(void **state)
{
    (void)state;
    take_such((queue_take){ .count = 1, .kind = FRESH_PLAIN, .prepared_bytes = 4096 });
    w->qmgr.has_journal = true;
    take_such((queue_take){ .count = 1, .kind = FRESH_WRITABLE, .prepared_bytes = 4096 });
    close(w->writer);
    assert_int_equal(w->given, 2);
    assert_int_equal(w->prepared_bytes, 0);
    assert_true(is_zero(w->fds[0], 0) && is_zero(w->fds[1], 0));
}

static size_t names_in_active(void)
{
    size_t n = 0;
    int fd = openat(w->qmgr.root_fd, "active", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fdopendir(fd);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* The disk has no room for the zeros. */
static void what_cannot_be_prepared_is_not_given(void **state)
{
    struct rlimit was, little;
    (void)state;
    w->qmgr.has_journal = true;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    little = (struct rlimit){ .rlim_cur = 4096, .rlim_max = was.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    take_such((queue_take){ .count = 3, .kind = FRESH_PLAIN, .prepared_bytes = 2 * 4096 });
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(w->given, 0);
    assert_int_equal(w->full, 1);
    assert_int_equal(names_in_active(), 0);
    take_such((queue_take){ .count = 1, .kind = FRESH_PLAIN, .prepared_bytes = 2 * 4096 });
    assert_int_equal(w->given, 1);
}

static void who_wants_too_much_is_dropped(void **state)
{
    (void)state;
    take_such((queue_take){ .count = 1, .kind = FRESH_PLAIN, .prepared_bytes = QUEUE_PREPARED_MAX + 1 });
    assert_int_equal(w->given, 0);
    assert_false(channel_is_open(&w->cleanup));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_used_again_empty_and_under_its_new_name),
        TEST(those_that_came_last_wait),
        TEST(one_that_somebody_has_open_is_not_used_again),
        TEST(what_failed_or_stays_is_not_emptied),
        TEST(a_qmgr_that_leaves_keeps_none),
        TEST(who_brings_the_content_may_only_write),
        TEST(a_prepared_file_has_zeros),
        TEST(without_a_journal_or_for_who_writes_the_content_none_is_prepared),
        TEST(what_cannot_be_prepared_is_not_given),
        TEST(who_wants_too_much_is_dropped),
        TEST(where_old_names_may_come_back_none_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
