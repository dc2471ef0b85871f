/* auth-worker: verifies passwords, one at a time, so that auth never waits for a hash. Sees a password and a hash,
 * nothing else. */
#include "auth/worker/verify.h"
#include "daemon/daemon.h"
#include "ipc/talk/auth.h"

static const contract worker_contract = {
    .role = "auth-worker",
    .root = ROOT_EMPTY,
    .caps = CAPS_NONE,
    .calls = CALLS_LOOP | CALLS_RECEIVE,
    .files = FILES_NONE,
    .limits = { .open_files = 64, .memory_bytes = UINT64_C(2) * 1024 * 1024 * 1024 }, /* yescrypt may be set to use much */
    .peers = "auth",
};

static const struct { fault_kind outcome; str reason; } answers[] = {
    [PASSWORD_RIGHT] = { FAULT_NONE, STR_ROW("") },
    [PASSWORD_WRONG] = { FAULT_REFUSED, STR_ROW("wrong password") },
    [PASSWORD_UNUSABLE] = { FAULT_REFUSED, STR_ROW("the stored hash cannot be used") },
};

static bool on_check(void *context, channel *c, received *r)
{
    auth_check m;
    (void)context;
    if (auth_check_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    verdict v = password_verify(m.password, m.stored);
    secret_wipe((char *)(uintptr_t)r->bytes.p, r->bytes.n); /* the channel's buffer, and writable */
    auth_checked answer = { .outcome = answers[v].outcome, .reason = answers[v].reason };
    channel_put(c, AUTH_CHECKED, r->ref, auth_checked, &answer);
    channel_flush(c);
    return true;
}

static const talk_row rows[] = { { AUTH_CHECK, 0, 0, on_check } };
static const peer_row peers[] = { { .role = "auth", .talk = { "auth-worker", rows, COUNT_OF(rows), NULL } } };

int main(void)
{
    const program p = { .contract = &worker_contract, .peers = peers, .peer_count = COUNT_OF(peers) };
    return daemon_run(&p, NULL);
}
