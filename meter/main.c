/* meter: counts connections by client, for smtpd and login. Sees client addresses and nothing else. */
#include "base/clock.h"
#include "base/memory.h"
#include "daemon/daemon.h"
#include "ipc/talk/meter.h"
#include "meter/counter.h"

static const contract meter_contract = {
    .role = "meter",
    .root = ROOT_EMPTY,
    .caps = CAPS_NONE,
    .calls = CALLS_LOOP | CALLS_RECEIVE,
    .files = FILES_NONE,
    .limits = { .open_files = 256, .memory_bytes = 256 * 1024 * 1024 },
    .peers = "smtpd login",
};

static bool on_open(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    if (meter_event_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    count_limits limits = { m.count_limit, m.rate_limit, m.rate_unit_s };
    count_answer a = counter_open(p->daemon->state, p->context, m.service, m.client_address, &limits,
                                  clock_monotonic_ms());
    meter_answer answer = { .is_allowed = a.is_allowed, .count = a.count, .rate = a.rate };
    channel_put(c, METER_ANSWER, r->ref, meter_answer, &answer);
    return true;
}

static bool on_close(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    (void)c;
    if (meter_event_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    counter_close(p->daemon->state, p->context, m.service, m.client_address);
    return true;
}

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

static const talk_row rows[] = { { METER_OPEN, 0, 0, on_open }, { METER_CLOSE, 0, 0, on_close } };

static const peer_row peers[] = {
    { .role = "smtpd", .talk = { "smtpd-meter", rows, COUNT_OF(rows), NULL }, .on_open = on_peer, .on_lost = on_lost },
    { .role = "login", .talk = { "login-meter", rows, COUNT_OF(rows), NULL }, .on_open = on_peer, .on_lost = on_lost },
};

static const program meter = { .contract = &meter_contract, .peers = peers, .peer_count = COUNT_OF(peers),
                               .report = report };

int main(void)
{
    static counter state;
    state = counter_new(0);
    return daemon_run(&meter, &state);
}
