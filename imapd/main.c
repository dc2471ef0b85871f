/* imapd: hands each IMAP connection to the worker of its user, started as that user. It never reads a client's bytes. */
#include "daemon/readers.h"

enum {
    WORKER_CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB | CALLS_INOTIFY |
                   CALLS_COMMIT,
};

static const contract imapd_contract = {
    .role = "imapd",
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
    return c->imap_worker_idle;
}

int main(void)
{
    const readers_program readers = { .contract = &imapd_contract, .worker = "imapd-worker", .worker_calls = WORKER_CALLS,
                                      .idle_s = idle_s };
    return readers_run(&readers);
}
