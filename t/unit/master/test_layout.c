/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* The folders that a start makes. */
#include "t/unit/master/world.h"

static mode_t mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(lstat(file_of(name), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    return st.st_mode & 07777;
}

static void makes_them_with_their_modes(void **state)
{
    (void)state;
    umask(077);
    world_load();
    for (int i = 0; i < 2; i++) { /* a second start finds them */
        assert_int_equal(mode_of("spool"), 0755);
        assert_int_equal(mode_of("spool/queue"), 0711);
        assert_int_equal(mode_of("spool/empty"), 0555);
        assert_int_equal(mode_of("spool/public"), 0755);
        assert_int_equal(mode_of("spool/drop"), 03733);
        assert_int_equal(chmod(file_of("spool/drop"), 0700), 0);
        assert_false(is_fault(layout_make(&w->master)));
    }
}

static void a_file_in_the_way_is_told(void **state)
{
    (void)state;
    file_put("spool", "no folder");
    assert_false(is_fault(master_configuration_load(&w->master)));
    fault f = layout_make(&w->master);
    assert_true(is_fault(f));
    assert_non_null(strstr(f.text, "spool"));
}

static void a_second_master_is_told_of_the_first(void **state)
{
    int lock_fd, log_fd;
    (void)state;
    world_load();
    lock_fd = w->master.lock_fd;
    log_fd = w->master.log_fd;
    w->master.lock_fd = w->master.log_fd = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(is_fault(master_places_make(&w->master)) ? 3 : 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 3);
    w->master.lock_fd = lock_fd;
    w->master.log_fd = log_fd;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_them_with_their_modes),
        TEST(a_file_in_the_way_is_told),
        TEST(a_second_master_is_told_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
