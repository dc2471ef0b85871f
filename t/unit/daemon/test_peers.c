/* Conversations and listeners: who is asked next, what is refused, what a reload keeps. */
#include "parts.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

static const contract plain = { .role = "plain" };
static unsigned lost, connections;

static void on_lost(peer *p)
{
    (void)p;
    lost++;
}

static void on_connection(listener *l, const accepted *a)
{
    connections++;
    close(a->fd);
    loop_stop(l->daemon->loop);
}

static const peer_row peers[] = { { "policy", { "policy", NULL, 0, NULL }, NULL, on_lost } };
static const program the_program = { .contract = &plain, .peers = peers, .peer_count = COUNT_OF(peers),
                                     .on_connection = on_connection };

static void peers_drop(process *d)
{
    while (d->peers) {
        peer *p = d->peers;
        d->peers = p->next;
        channel_close(&p->channel);
        free(p);
    }
}

static void the_least_asked_is_next(void **state)
{
    process d;
    int a[2], b[2];
    (void)state;
    parts_open(&d, &the_program, "");
    assert_null(daemon_peer(&d, "policy"));
    assert_true(channel_pair(a) && channel_pair(b));
    daemon_peer_add(&d, STR("policy"), 0, a[0]);
    daemon_peer_add(&d, STR("policy"), 1, b[0]);
    daemon_peers_open(&d);
    peer *first = daemon_peer_instance(&d, "policy", 0), *second = daemon_peer_instance(&d, "policy", 1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(daemon_peer_instance(&d, "policy", 2));
    first->asked = 1;
    assert_ptr_equal(daemon_peer(&d, "policy"), second);
    second->asked = 2;
    assert_ptr_equal(daemon_peer(&d, "policy"), first);
    assert_null(daemon_peer(&d, "auth"));
    peers_drop(&d);
    close(a[1]);
    close(b[1]);
    parts_close(&d);
}

static void who_the_contract_does_not_name_is_closed(void **state)
{
    process d;
    int pair[2];
    (void)state;
    parts_open(&d, &the_program, "");
    assert_true(channel_pair(pair));
    daemon_peer_add(&d, STR("stranger"), 0, pair[0]);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
    assert_null(d.peers);
    close(pair[1]);
    parts_close(&d);
}

static int listening(struct sockaddr_in *at)
{
    socklen_t n = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
    return fd;
}

static void a_listener_that_does_not_come_again_is_closed(void **state)
{
    process d;
    struct sockaddr_in one, two;
    (void)state;
    parts_open(&d, &the_program, "");
    daemon_listener_add(&d, STR("one/inet"), listening(&one));
    daemon_listeners_open(&d);
    daemon_listeners_renew(&d);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&one, sizeof one), 0);
    loop_run(d.loop);
    assert_int_equal(connections, 1);
    close(client);
    daemon_listener_add(&d, STR("two/inet"), listening(&two));
    daemon_listeners_renew(&d);
    assert_non_null(d.listeners);
    assert_true(str_equal(d.listeners->service, STR("two/inet")));
    assert_null(d.listeners->next);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&one, sizeof one), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(client);
    daemon_listeners_close(&d);
    parts_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_asked_is_next),
        cmocka_unit_test(who_the_contract_does_not_name_is_closed),
        cmocka_unit_test(a_listener_that_does_not_come_again_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
