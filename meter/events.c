#include "meter/events.h"
#include "base/clock.h"
#include "ipc/talk/meter.h"
#include "meter/counter.h"

static bool event_read(const received *r, meter_event *out, counted_by *out_by)
{
    if (meter_event_decode(r->bytes, out) != PARSE_DONE || out->kind >= METER_KINDS)
        return false;
    *out_by = (counted_by){ out->service, out->client_address, out->kind, out->v4_bits, out->v6_bits };
    return true;
}

static void answer(channel *c, uint32_t ref, count_answer a)
{
    meter_answer m = { .is_allowed = a.is_allowed, .count = a.count, .rate = a.rate };
    channel_put(c, METER_ANSWER, ref, meter_answer, &m);
}

static bool on_open(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    counted_by by;
    if (!event_read(r, &m, &by))
        return false;
    count_limits limits = { m.count_limit, m.rate_limit, m.rate_unit_s };
    answer(c, r->ref, counter_open(p->daemon->state, p->context, &by, &limits, clock_monotonic_ms()));
    return true;
}

static bool on_count(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    counted_by by;
    if (!event_read(r, &m, &by))
        return false;
    count_limits limits = { .rate = m.rate_limit, .rate_unit_s = m.rate_unit_s };
    answer(c, r->ref, counter_add(p->daemon->state, &by, &limits, clock_monotonic_ms()));
    return true;
}

static bool on_close(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    counted_by by;
    (void)c;
    if (!event_read(r, &m, &by))
        return false;
    counter_close(p->daemon->state, p->context, &by);
    return true;
}

static bool on_uncount(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_event m;
    counted_by by;
    (void)c;
    if (!event_read(r, &m, &by))
        return false;
    counter_undo(p->daemon->state, &by);
    return true;
}

const talk_row event_rows[EVENT_ROWS] = {
    { METER_OPEN, 0, 0, on_open },
    { METER_CLOSE, 0, 0, on_close },
    { METER_COUNT, 0, 0, on_count },
    { METER_UNCOUNT, 0, 0, on_uncount },
};
