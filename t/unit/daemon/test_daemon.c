/* A whole process under a master: start, confinement, listeners, peers, reload by generation, report, drain. */
#include "master.h"
#include "base/log.h"
#include <netinet/in.h>

static generation *held; /* in the child */
static unsigned lost, opened;

static void on_connection(listener *l, const accepted *a)
{
    char text[80];
    process *d = l->daemon;
    const config *c = generation_config(d->current, l->service);
    int n = snprintf(text, sizeof text, "%.*s %llu %zu\n", STR_ARG(l->service), (unsigned long long)c->smtpd_timeout,
                     d->sessions);
    if (held == NULL) { /* the first session stays open, under its generation */
        held = generation_hold(d->current);
        daemon_session_opened(d);
    }
    (void)!write(a->fd, text, (size_t)n);
    close(a->fd);
}

static bool on_word(void *context, channel *c, received *r)
{
    peer *p = context;
    control_name m;
    if (control_name_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (str_equal(m.name, STR("close")) && held) {
        generation_release(held);
        held = NULL;
        daemon_session_closed(p->daemon);
    }
    return channel_put(c, 1, r->ref, control_name, &m);
}

static const talk_row rows[] = { { 1, 0, 0, on_word } };

static void on_open(peer *p)
{
    (void)p;
    opened++;
}

static void on_lost(peer *p)
{
    (void)p;
    lost++;
}

static bool prepare(process *d)
{
    return daemon_file(d, "word") >= 0 && daemon_file(d, "nothing") == -1;
}

static void report(process *d, buf *detail)
{
    buf_printf(detail, "opened=%u lost=%u held=%llu best=%u", opened, lost,
               held ? (unsigned long long)held->snapshot.base.smtpd_timeout : 0,
               daemon_peer(d, "friend") ? daemon_peer(d, "friend")->instance : 99);
}

static int run(void)
{
    static const contract words = {
        .role = "words", .root = ROOT_HOST, .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE, .peers = "friend"
    };
    const peer_row peers[] = { { "friend", { "friend", rows, COUNT_OF(rows), NULL }, on_open, on_lost } };
    const program p = { .contract = &words,
                        .peers = peers,
                        .peer_count = 1,
                        .prepare = prepare,
                        .on_connection = on_connection,
                        .report = report };
    return daemon_run(&p, NULL);
}

static uint16_t port;

static int listener_make(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = htons(port) };
    socklen_t n = sizeof a;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 10), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    port = ntohs(a.sin_port);
    return fd;
}

/* What a connection hears; NULL: it is refused. */
static const char *connect_and_hear(void)
{
    static char text[100];
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return NULL;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static int friend_make(uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    master_name(CONTROL_PEER, "friend", instance, pair[1]);
    return pair[0];
}

static void ask(void)
{
    master_say(CONTROL_ASK);
    unsigned before = boss.reports;
    while (boss.reports == before)
        master_wait();
}

static void begin(void)
{
    master_begin(run);
    master_start("smtpd_timeout = 11s\n");
    master_name(CONTROL_FILE, "word", 0, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void a_life(void **state)
{
    (void)state;
    port = 0;
    begin();
    master_name(CONTROL_LISTENER, "smtp/inet", 0, listener_make());
    int one = friend_make(1), two = friend_make(2);
    master_say(CONTROL_GO);
    master_wait();
    assert_int_equal(boss.readies, 1);
    assert_int_equal(boss.generation, 1);
    assert_string_equal(connect_and_hear(), "smtp/inet 11 0\n");
    assert_string_equal(connect_and_hear(), "smtp/inet 11 1\n");
    /* a new generation, with its listeners; the open session keeps the old one */
    master_name(CONTROL_LISTENER, "smtp/inet", 0, listener_make());
    control_reload m = { .generation = 2 };
    int fd = master_snapshot("smtpd_timeout = 22s\n", 2);
    channel_put_fds(&boss.control, CONTROL_RELOAD, 0, control_reload, &m, &fd, 1);
    ask();
    assert_int_equal(boss.generation, 2);
    assert_int_equal(boss.sessions, 1);
    assert_non_null(strstr(boss.detail, "opened=2 lost=0 held=11"));
    assert_string_equal(connect_and_hear(), "smtp/inet 22 1\n");
    /* a peer that goes is told, and another takes over */
    close(one);
    while (boss.lost == 0)
        master_wait();
    assert_string_equal(boss.lost_role, "friend");
    ask();
    assert_non_null(strstr(boss.detail, "lost=1"));
    assert_non_null(strstr(boss.detail, "best=2"));
    int three = friend_make(3);
    ask();
    assert_non_null(strstr(boss.detail, "opened=3"));
    /* draining: nobody new, but what is open stays until it ends */
    master_say(CONTROL_DRAIN);
    ask();
    assert_null(connect_and_hear());
    unsigned char bytes[100];
    frame f = { bytes, 12, sizeof bytes, false };
    control_name word = { .name = STR("close") };
    assert_true(control_name_encode(&word, &f));
    uint32_t head[3] = { (uint32_t)f.n - 12, 1, 0 };
    memcpy(bytes, head, sizeof head);
    assert_int_equal(send(two, bytes, f.n, 0), (ssize_t)f.n);
    assert_int_equal(master_end(), 0);
    assert_true(master_logged("started") && master_logged("stopped"));
    close(two);
    close(three);
}

static void a_snapshot_of_nonsense_is_refused(void **state)
{
    control_start m = { .generation = 1 };
    (void)state;
    master_begin(run);
    int fds[2] = { fcntl(boss.log, F_DUPFD_CLOEXEC, 0), open("/dev/null", O_RDONLY | O_CLOEXEC) };
    channel_put_fds(&boss.control, CONTROL_START, 0, control_start, &m, fds, 2);
    assert_int_equal(master_end(), 2);
    assert_true(master_logged("bad-snapshot"));
}

static void a_bad_reload_keeps_what_is_there(void **state)
{
    (void)state;
    port = 0;
    begin();
    master_name(CONTROL_LISTENER, "smtp/inet", 0, listener_make());
    master_say(CONTROL_GO);
    master_wait();
    master_name(CONTROL_LISTENER, "smtp/inet", 0, listener_make());
    control_reload m = { .generation = 2 };
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    channel_put_fds(&boss.control, CONTROL_RELOAD, 0, control_reload, &m, &fd, 1);
    ask();
    assert_int_equal(boss.generation, 1);
    assert_string_equal(connect_and_hear(), "smtp/inet 11 0\n");
    assert_true(master_logged("bad-snapshot"));
    kill(boss.pid, SIGKILL); /* its session is open; this ends it */
    int status;
    while (boss.closed == 0)
        master_wait();
    assert_int_equal(waitpid(boss.pid, &status, 0), boss.pid);
    timer_close(&boss.deadline);
    loop_free(boss.loop);
}

static void without_master_it_drains(void **state)
{
    (void)state;
    begin();
    master_say(CONTROL_GO);
    master_wait();
    channel_close(&boss.control);
    assert_int_equal(master_end(), 0);
}

static void peers_that_the_contract_does_not_name_are_refused(void **state)
{
    int pair[2];
    (void)state;
    assert_true(channel_pair(pair));
    begin();
    master_name(CONTROL_PEER, "stranger", 0, pair[1]);
    master_say(CONTROL_GO);
    master_wait();
    char c;
    assert_int_equal(recv(pair[0], &c, 1, 0), 0);
    assert_true(master_logged("peer-not-in-contract"));
    master_say(CONTROL_DRAIN);
    assert_int_equal(master_end(), 0);
    close(pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),
        cmocka_unit_test(a_snapshot_of_nonsense_is_refused),
        cmocka_unit_test(a_bad_reload_keeps_what_is_there),
        cmocka_unit_test(without_master_it_drains),
        cmocka_unit_test(peers_that_the_contract_does_not_name_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
