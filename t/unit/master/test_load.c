/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* A configuration takes effect as a whole, or not at all. */
#include "t/unit/master/world.h"

static size_t fds_open(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1000; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static fault read_again(buf *words)
{
    loaded l;
    fault f = loaded_read(&w->master, &l, words);
    if (!is_fault(f))
        loaded_take(&w->master, &l);
    return f;
}

static void a_bad_one_keeps_the_old(void **state)
{
    buf words = buf_new(10000);
    char want[100];
    (void)state;
    world_load();
    const parsed *before = w->master.parsed;
    size_t open_count = fds_open();
    file_put("main.cf", MAIN_CF "smtpd_timeout = soon\n", MAIN_CF_ARGS);
    assert_true(is_fault(read_again(&words)));
    snprintf(want, sizeof want, "%s/main.cf:14: error: ", w->folder);
    assert_non_null(strstr(buf_c(&words), want));
    assert_ptr_equal(w->master.parsed, before);
    assert_int_equal(w->master.generation, 1);
    assert_int_equal(fds_open(), open_count);
    buf_free(&words);
}

static void a_key_that_cannot_be_read_keeps_the_old(void **state)
{
    buf words = buf_new(10000);
    (void)state;
    world_load();
    size_t open_count = fds_open();
    const parsed *before = w->master.parsed;
    file_put("cert", "certificate");
    file_put("main.cf", MAIN_CF "smtpd_tls_cert_file = %s/cert\nsmtpd_tls_key_file = %s/nothing\n", MAIN_CF_ARGS,
             w->folder, w->folder);
    fault f = read_again(&words);
    assert_true(is_fault(f));
    assert_ptr_equal(w->master.parsed, before);
    assert_int_equal(fds_open(), open_count);
    buf_free(&words);
}

static void a_good_one_replaces_it(void **state)
{
    buf words = buf_new(10000);
    (void)state;
    world_load();
    size_t open_count = fds_open();
    for (unsigned i = 2; i < 5; i++) {
        assert_false(is_fault(read_again(&words)));
        assert_int_equal(w->master.generation, i);
        assert_int_equal(fds_open(), open_count);
    }
    buf_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bad_one_keeps_the_old),
        TEST(a_key_that_cannot_be_read_keeps_the_old),
        TEST(a_good_one_replaces_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
