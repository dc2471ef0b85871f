/* SOURCES: ctl/common/ask.c ctl/common/public.c  NEEDS: conf ipc */
#include "ctl/common/ask.h"
#include "ipc/channel.h"
#include "ipc/talk/admin.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], public_folder[100], socket_path[100];
static config conf;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_ask.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(public_folder, sizeof public_folder, "%s/public", folder);
    snprintf(socket_path, sizeof socket_path, "%s/public/queue", folder);
    assert_int_equal(mkdir(public_folder, 0700), 0);
    conf.queue_directory = str_c(folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(socket_path);
    return rmdir(public_folder) || rmdir(folder);
}

static int listen_here(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* The peer, in its own process. The first word that is asked says how it answers. */
static void row_put(channel *ch, str row, const char *file_text)
{
    admin_row m = { .row = row };
    int ends[2];
    if (file_text == NULL) {
        channel_put(ch, ADMIN_ROW, 0, admin_row, &m);
        return;
    }
    if (pipe(ends) || write(ends[1], file_text, strlen(file_text)) < 0)
        _exit(9);
    close(ends[1]);
    channel_put_fds(ch, ADMIN_ROW, 0, admin_row, &m, ends, 1);
}

static void end_put(channel *ch, uint32_t outcome, uint32_t count, str reason)
{
    admin_end m = { .outcome = outcome, .count = count, .status = STR("7.1"), .reason = reason };
    channel_put(ch, ADMIN_END, 0, admin_end, &m);
}

static bool on_ask(void *context, channel *ch, received *r)
{
    admin_ask m;
    (void)context;
    if (admin_ask_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (str_equal(m.verb, STR("list"))) {
        row_put(ch, STR("first"), NULL);
        row_put(ch, m.argument, "in the file");
        end_put(ch, FAULT_NONE, 2, STR("more"));
    } else if (str_equal(m.verb, STR("more"))) {
        row_put(ch, STR("third"), NULL);
        end_put(ch, FAULT_NONE, 1, STR_NONE);
    } else if (str_equal(m.verb, STR("hold"))) {
        end_put(ch, FAULT_REFUSED, 0, STR("no such message"));
    } else if (str_equal(m.verb, STR("wrong"))) {
        end_put(ch, FAULT_BUG + 1, 0, STR_NONE);
    } else {
        row_put(ch, STR("first"), NULL);
        channel_flush(ch);
        return false;
    }
    return true;
}

static void on_closed(void *context, channel *ch)
{
    (void)ch;
    loop_stop(context);
}

static pid_t peer_start(void)
{
    static const talk_row rows[] = { { ADMIN_ASK, 0, 0, on_ask } };
    static const talk peer_talk = { "test", rows, COUNT_OF(rows), on_closed };
    int listening = listen_here();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        channel ch = { .fd = -1 };
        loop *l = loop_new();
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        alarm(20);
        if (fd < 0)
            _exit(9);
        channel_open(&ch, l, fd, &peer_talk, l);
        loop_run(l);
        _exit(0);
    }
    close(listening);
    return pid;
}

static void peer_end(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

typedef struct seen {
    char rows[100], file[32];
    size_t count, files;
    int kept;
} seen;

static void on_row(void *context, str row, int *fds, size_t fd_count)
{
    seen *s = context;
    size_t n = strlen(s->rows);
    snprintf(s->rows + n, sizeof s->rows - n, "%.*s;", STR_ARG(row));
    s->count++;
    if (fd_count == 0)
        return;
    s->files++;
    s->kept = fds[0];
    fds[0] = -1;
    assert_true(read(s->kept, s->file, sizeof s->file - 1) > 0);
}

static void a_list_comes_in_parts(void **state)
{
    seen s = { 0 };
    pid_t pid = peer_start();
    ask_answer a = ask(&conf, "queue", STR("list"), STR("argument"), on_row, &s);
    (void)state;
    peer_end(pid);
    assert_true(a.is_running);
    assert_true(a.is_ended);
    assert_false(is_fault(a.fault));
    assert_int_equal(a.count, 3);
    assert_string_equal(s.rows, "first;argument;third;");
    assert_int_equal(s.files, 1);
    assert_string_equal(s.file, "in the file");
    assert_int_equal(close(s.kept), 0); /* a descriptor that was kept is still ours */
}

static void rows_may_go_unheard(void **state)
{
    pid_t pid = peer_start();
    ask_answer a = ask(&conf, "queue", STR("list"), STR("x"), NULL, NULL);
    (void)state;
    peer_end(pid);
    assert_true(a.is_ended);
    assert_int_equal(a.count, 3);
}

static void a_refusal_is_told(void **state)
{
    pid_t pid = peer_start();
    ask_answer a = ask(&conf, "queue", STR("hold"), STR("x"), NULL, NULL);
    (void)state;
    peer_end(pid);
    assert_true(a.is_running);
    assert_true(a.is_ended);
    assert_int_equal(a.fault.kind, FAULT_REFUSED);
    assert_string_equal(a.fault.text, "no such message");
    assert_string_equal(a.fault.status, "7.1");
}

static void a_line_takes_more_than_one_question(void **state)
{
    seen s = { 0 };
    pid_t pid = peer_start();
    ask_answer a;
    ask_line *l = ask_open(&conf, "queue", &a);
    (void)state;
    assert_non_null(l);
    assert_int_equal(ask_next(l, STR("list"), STR("x"), on_row, &s).count, 3);
    close(s.kept);
    assert_int_equal(ask_next(l, STR("hold"), STR("x"), NULL, NULL).fault.kind, FAULT_REFUSED);
    a = ask_next(l, STR("close"), STR("x"), NULL, NULL);
    assert_int_equal(a.fault.kind, FAULT_TRY_LATER);
    a = ask_next(l, STR("list"), STR("x"), NULL, NULL); /* nobody is there any more */
    assert_int_equal(a.fault.kind, FAULT_TRY_LATER);
    ask_close(l);
    ask_close(NULL);
    peer_end(pid);
}

static void cut_off_is_a_fault(void **state)
{
    static const char *const verbs[] = { "wrong", "close" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        seen s = { 0 };
        pid_t pid = peer_start();
        ask_answer a = ask(&conf, "queue", str_c(verbs[i]), STR_NONE, on_row, &s);
        peer_end(pid);
        assert_true(a.is_running);
        assert_false(a.is_ended);
        assert_int_equal(a.fault.kind, FAULT_TRY_LATER);
        assert_int_equal(s.count, i);
        unlink(socket_path);
    }
}

static void nobody_listens(void **state)
{
    fault f = NO_FAULT;
    int fd = 0;
    (void)state;
    assert_int_equal(public_connect(&conf, "queue", &fd, &f), PUBLIC_NOT_RUNNING);
    assert_int_equal(fd, -1);
    assert_true(is_fault(f));
    close(listen_here()); /* the socket is left behind */
    assert_int_equal(public_connect(&conf, "queue", &fd, &f), PUBLIC_NOT_RUNNING);
    ask_answer a = ask(&conf, "queue", STR("list"), STR_NONE, NULL, NULL);
    assert_false(a.is_running);
    assert_false(a.is_ended);
}

static void connected_does_not_block(void **state)
{
    fault f = NO_FAULT;
    int fd = -1, listening = listen_here();
    (void)state;
    assert_int_equal(public_connect(&conf, "queue", &fd, &f), PUBLIC_CONNECTED);
    assert_false(is_fault(f));
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    close(listening);
}

static void a_long_folder_is_refused(void **state)
{
    static char longer[200];
    config c = { 0 };
    fault f = NO_FAULT;
    int fd = 0;
    (void)state;
    memset(longer, 'x', sizeof longer);
    c.queue_directory = (str){ longer, sizeof longer };
    assert_int_equal(public_connect(&c, "queue", &fd, &f), PUBLIC_FAILED);
    assert_int_equal(fd, -1);
    assert_int_equal(f.kind, FAULT_REFUSED);
    ask_answer a = ask(&c, "queue", STR("list"), STR_NONE, NULL, NULL);
    assert_true(a.is_running); /* not known to be down: nobody may change the queue behind its back */
    assert_int_equal(a.fault.kind, FAULT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_comes_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_may_go_unheard, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_takes_more_than_one_question, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_off_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(connected_does_not_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_folder_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
