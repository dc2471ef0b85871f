/* SOURCES: master/admin.c master/begin.c master/child.c master/layout.c master/links.c master/listen.c master/load.c master/notify.c master/reload.c master/roles.c master/socket_file.c master/start.c  NEEDS: daemon tls db */
/* What is bound, and what stays bound when something cannot be. */
#include "t/unit/master/world.h"
#include <sys/un.h>

static bool answers(const char *address, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, address, &a.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return does;
}

/* A listener of somebody else. */
static int other_listen(uint16_t *out_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *out_port = ntohs(a.sin_port);
    return fd;
}

/* The file as it is now, as a reload would take it. */
static fault bind_again(void)
{
    loaded l;
    buf words = buf_new(10000);
    fault f = loaded_read(&w->master, &l, &words);
    if (is_fault(f))
        fail_msg("%s", buf_c(&words));
    buf_free(&words);
    f = listeners_bind(&w->master, l.parsed);
    if (is_fault(f))
        loaded_drop(&l);
    else
        loaded_take(&w->master, &l);
    return f;
}

static size_t listener_count(void)
{
    size_t n = 0;
    for (const net_listener *l = w->master.listeners; l; l = l->next)
        n++;
    return n;
}

static void binds_what_the_services_say(void **state)
{
    (void)state;
    world_load();
    assert_false(is_fault(listeners_bind(&w->master, w->master.parsed)));
    assert_int_equal(listener_count(), 1);
    assert_int_equal(w->master.listeners->role, ROLE_SMTPD);
    assert_true(answers("127.0.0.1", w->port));
}

static void a_port_that_is_taken_is_told_with_its_line(void **state)
{
    uint16_t taken;
    char want[200];
    (void)state;
    int other = other_listen(&taken);
    file_put("master.cf", MASTER_CF "127.0.0.1:%u inet n - y - - smtpd\n", w->port, taken);
    world_load();
    fault f = listeners_bind(&w->master, w->master.parsed);
    snprintf(want, sizeof want,
             "%s/master.cf:9: service 127.0.0.1:%u cannot listen on 127.0.0.1:%u: Address already in use", w->folder,
             taken, taken);
    assert_string_equal(f.text, want);
    assert_int_equal(listener_count(), 0);
    assert_false(answers("127.0.0.1", w->port)); /* what was bound before it is let go */
    close(other);
}

static void what_is_there_is_kept(void **state)
{
    uint16_t more = port_free();
    (void)state;
    world_load();
    assert_false(is_fault(bind_again()));
    int fd = w->master.listeners->fd;
    file_put("master.cf", MASTER_CF "127.0.0.1:%u inet n - y - - smtpd\n", w->port, more);
    assert_false(is_fault(bind_again()));
    assert_int_equal(listener_count(), 2);
    assert_true(answers("127.0.0.1", more));
    file_put("master.cf", MASTER_CF, w->port);
    assert_false(is_fault(bind_again()));
    assert_int_equal(listener_count(), 1);
    assert_int_equal(w->master.listeners->fd, fd);
    assert_false(answers("127.0.0.1", more));
}

static void a_failure_changes_nothing(void **state)
{
    uint16_t taken, more = port_free();
    (void)state;
    int other = other_listen(&taken);
    world_load();
    assert_false(is_fault(bind_again()));
    int fd = w->master.listeners->fd;
    file_put("master.cf",
             OTHERS_CF "cleanup unix y - y - 2 cleanup\n127.0.0.1:%u inet n - y - - smtpd\n"
                       "127.0.0.1:%u inet n - y - - smtpd\n",
             more, taken);
    assert_true(is_fault(bind_again()));
    assert_int_equal(listener_count(), 1);
    assert_int_equal(w->master.listeners->fd, fd);
    assert_true(answers("127.0.0.1", w->port));
    assert_false(answers("127.0.0.1", more));
    close(other);
}

static void an_address_may_widen_and_narrow(void **state)
{
    (void)state;
    world_load();
    assert_false(is_fault(bind_again()));
    file_put("master.cf", OTHERS_CF "cleanup unix y - y - 2 cleanup\n0.0.0.0:%u inet n - y - - smtpd\n", w->port);
    fault f = bind_again();
    assert_string_equal(f.text, "");
    assert_int_equal(listener_count(), 1);
    assert_true(answers("127.0.0.2", w->port));
    file_put("master.cf", MASTER_CF, w->port);
    assert_false(is_fault(bind_again()));
    assert_true(answers("127.0.0.1", w->port));
    assert_false(answers("127.0.0.2", w->port));
}

static void a_service_may_change_its_role(void **state)
{
    (void)state;
    world_load();
    assert_false(is_fault(bind_again()));
    file_put("master.cf",
             OTHERS_CF "cleanup unix y - y - 2 cleanup\nimapd unix y - n - 1 imapd\npop3d unix y - n - 1 pop3d\n"
                       "127.0.0.1:%u inet n - y - - login\n  -o login_protocol=imap\n",
             w->port);
    assert_false(is_fault(bind_again()));
    assert_int_equal(listener_count(), 1);
    assert_int_equal(w->master.listeners->role, ROLE_LOGIN);
}

static bool path_answers(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return does;
}

/* In public/ by its name, elsewhere by its path; kept by a reload, and gone with its service. */
static void a_service_may_listen_in_the_file_system(void **state)
{
    (void)state;
    file_put("master.cf", MASTER_CF "lmtp unix n - y - - smtpd\n%s/store unix n - y - - smtpd\n", w->port, w->folder);
    world_load();
    assert_false(is_fault(layout_make(&w->master)));
    fault f = bind_again();
    assert_string_equal(f.text, "");
    assert_int_equal(listener_count(), 3);
    assert_true(path_answers(file_of("spool/public/lmtp")));
    assert_true(path_answers(file_of("store")));
    int fd = w->master.listeners->fd;
    assert_false(is_fault(bind_again()));
    assert_int_equal(listener_count(), 3);
    assert_int_equal(w->master.listeners->fd, fd);
    file_put("master.cf", MASTER_CF, w->port);
    assert_false(is_fault(bind_again()));
    assert_int_equal(listener_count(), 1);
    assert_int_equal(access(file_of("store"), F_OK), -1);
    assert_int_equal(access(file_of("spool/public/lmtp"), F_OK), -1);
}

static void names_of_our_own_sockets_are_no_services(void **state)
{
    static const char *const names[] = { "ctl", "queue", "submit" };
    (void)state;
    world_load();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        file_put("master.cf", MASTER_CF "%s unix n - y - - smtpd\n", w->port, names[i]);
        fault f = bind_again();
        assert_non_null(strstr(f.text, "the suite has a socket of the name"));
    }
}

static void a_folder_that_is_too_long_for_sockets_is_told(void **state)
{
    char name[120];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    file_put("main.cf", MAIN_CF "queue_directory = %s/%s\n", MAIN_CF_ARGS, w->folder, name);
    world_load();
    fault f = local_sockets_bind(&w->master);
    assert_non_null(strstr(f.text, "queue_directory is too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(binds_what_the_services_say),
        TEST(a_port_that_is_taken_is_told_with_its_line),
        TEST(what_is_there_is_kept),
        TEST(a_failure_changes_nothing),
        TEST(an_address_may_widen_and_narrow),
        TEST(a_service_may_change_its_role),
        TEST(a_service_may_listen_in_the_file_system),
        TEST(names_of_our_own_sockets_are_no_services),
        TEST(a_folder_that_is_too_long_for_sockets_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
