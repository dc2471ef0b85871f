/* meter: counts connections, and what is done in them, by client, for smtpd and login. Sees client addresses and nothing else. */
#include "base/memory.h"
#include "daemon/daemon.h"
#include "meter/counter.h"
#include "meter/events.h"

static const contract meter_contract = {
    .role = "meter",
    .root = ROOT_EMPTY,
    .caps = CAPS_NONE,
    .calls = CALLS_LOOP | CALLS_RECEIVE,
    .files = FILES_NONE,
    .limits = { .open_files = 256, .memory_bytes = 256 * 1024 * 1024 },
    .peers = "smtpd login",
};

static void on_peer(peer *p)
{
    p->context = memory_get(sizeof(holder));
}

static void on_lost(peer *p)
{
    counter_close_all(p->daemon->state, p->context);
    free(p->context);
}

static void report(process *d, buf *detail)
{
    const counter *c = d->state;
    buf_printf(detail, "clients=%zu", c->clients.n);
}

static const peer_row peers[] = {
    { .role = "smtpd",
      .talk = { "smtpd-meter", event_rows, EVENT_ROWS, NULL },
      .on_open = on_peer,
      .on_lost = on_lost },
    { .role = "login",
      .talk = { "login-meter", event_rows, EVENT_ROWS, NULL },
      .on_open = on_peer,
      .on_lost = on_lost },
};

static const program meter = {
    .contract = &meter_contract, .peers = peers, .peer_count = COUNT_OF(peers), .report = report
};

int main(void)
{
    static counter state;
    state = counter_new(0);
    return daemon_run(&meter, &state);
}
