/* imapd and pop3d: a token without a grant is refused, with its connection given back; a grant serves one session and no more. */
#include "daemon/readers.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/session.h"
#include "master.h"

static const contract readers_contract = { .role = "imapd", .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_SPAWN,
                                           .worker_calls = CALLS_LOOP, .is_spawner = true, .files = FILES_UNLIMITED };

static uint64_t idle_s(const config *c)
{
    return c->imap_worker_idle;
}

static int run(void)
{
    const readers_program readers = { .contract = &readers_contract, .worker = "imapd-worker",
                                      .worker_calls = CALLS_LOOP, .idle_s = idle_s };
    return readers_run(&readers);
}

static unsigned refused;
static bool has_connection;

static bool on_refused(void *context, channel *c, received *r)
{
    session_refused m = { 0 };
    (void)context, (void)c;
    assert_int_equal(session_refused_decode(r->bytes, &m), PARSE_DONE);
    assert_int_equal(m.token, 42);
    assert_true(m.reason.n > 0);
    has_connection = r->fd_count == 1;
    refused++;
    loop_stop(boss.loop);
    return true;
}

static const talk_row login_rows[] = { { SESSION_REFUSED, 0, 1, on_refused } };
static const talk login_talk = { "login", login_rows, COUNT_OF(login_rows), NULL };

static void peer_begin(channel *c, const talk *t, const char *role)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(c, boss.loop, pair[0], t, NULL);
    master_name(CONTROL_PEER, role, 0, pair[1]);
}

static void open_put(channel *login, uint64_t token)
{
    int pair[2];
    session_open m = { .token = token, .session = STR("S1"), .client = STR("192.0.2.1"), .tag = STR("a1"),
                       .verb = STR("LOGIN") };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    channel_put_fds(login, SESSION_OPEN, 0, session_open, &m, &pair[0], 1);
    close(pair[1]);
}

static void a_token_without_a_grant_is_refused(void **state)
{
    channel login, auth;
    static const talk auth_talk = { "auth", NULL, 0, NULL };
    (void)state;
    refused = 0;
    master_begin(run);
    master_start("");
    master_name(CONTROL_FILE, "worker", 0, open("/bin/false", O_PATH | O_CLOEXEC));
    peer_begin(&login, &login_talk, "login");
    peer_begin(&auth, &auth_talk, "auth");
    master_say(CONTROL_GO);
    while (boss.readies == 0 && boss.closed == 0)
        master_wait();
    assert_int_equal(boss.readies, 1);
    open_put(&login, 42);
    while (refused == 0)
        master_wait();
    assert_true(has_connection);
    channel_close(&login);
    channel_close(&auth);
    master_say(CONTROL_DRAIN);
    assert_int_equal(master_end(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_token_without_a_grant_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
