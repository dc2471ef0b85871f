/* pop3d: hands each POP3 connection to the worker of its user, started as that user. It never reads a client's bytes. */
#include "daemon/readers.h"

enum {
    WORKER_CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB |
                   CALLS_COMMIT,
};

static const contract pop3d_contract = {
    .role = "pop3d",
    .root = ROOT_HOST,
    .caps = CAPS_SPAWNER,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_SPAWN,
    .worker_calls = WORKER_CALLS,
    .is_spawner = true,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "auth login",
};

static uint64_t idle_s(const config *c)
{
    return c->pop3_worker_idle;
}

int main(void)
{
    const readers_program readers = { .contract = &pop3d_contract, .worker = "pop3d-worker", .worker_calls = WORKER_CALLS,
                                      .idle_s = idle_s };
    return readers_run(&readers);
}
