#include "daemon/relief.h"
#include "base/clock.h"
#include "daemon/peers.h"
#include "ipc/talk/relief.h"

enum { LOOK_MS = 100, BUSY_PERCENT = 60, AT_EASE_PERCENT = 20, US_PER_MS_PERCENT = 10 };

static bool is_sibling(const process *d, const peer *p)
{
    return strcmp(p->role, d->program->contract->role) == 0 && channel_is_open(&p->channel);
}

bool relief_is_on_duty(const process *d)
{
    bool is_first = true;
    for (const peer *p = d->peers; p; p = p->next) {
        if (!is_sibling(d, p) || p->instance > d->instance)
            continue;
        if (p->has_called)
            return true;
        is_first = false;
    }
    return is_first;
}

static peer *next_of(const process *d)
{
    peer *next = NULL;
    for (peer *p = d->peers; p; p = p->next)
        if (is_sibling(d, p) && p->instance > d->instance && (next == NULL || p->instance < next->instance))
            next = p;
    return next;
}

static void call(process *d, bool is_wanted)
{
    peer *next = next_of(d);
    relief_call m = { .is_wanted = is_wanted };
    if (next)
        channel_put(&next->channel, RELIEF_CALL, 0, relief_call, &m);
}

/* Who accepts no more looks at its load no more: it needs nobody. */
static void duty_changed(process *d)
{
    if (d->relief.is_busy && !relief_is_on_duty(d)) {
        d->relief.is_busy = false;
        call(d, false);
    }
    daemon_listeners_watch(d);
}

/* A newcomer between this process and the next one is the next one now, and is to know. */
static void on_open(peer *p)
{
    process *d = p->daemon;
    if (d->relief.is_busy && next_of(d) == p)
        call(d, true);
    duty_changed(d);
}

static void on_lost(peer *p)
{
    duty_changed(p->daemon);
}

static bool on_call(void *context, channel *c, received *r)
{
    peer *p = context;
    relief_call m;
    (void)c;
    if (relief_call_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    p->has_called = m.is_wanted;
    duty_changed(p->daemon);
    return true;
}

static const talk_row rows[] = { { RELIEF_CALL, 0, 0, on_call } };
const peer_row relief_row = { "", { "relief", rows, COUNT_OF(rows), NULL }, on_open, on_lost };

bool relief_judge(relief *r, uint64_t now_ms, uint64_t cpu_us)
{
    uint64_t past_ms = now_ms - r->looked_ms;
    if (past_ms < LOOK_MS)
        return false;
    uint64_t percent = (cpu_us - r->cpu_us) / US_PER_MS_PERCENT / past_ms;
    bool was_busy = r->is_busy;
    r->is_busy = percent >= (was_busy ? AT_EASE_PERCENT : BUSY_PERCENT);
    r->looked_ms = now_ms;
    r->cpu_us = cpu_us;
    return r->is_busy != was_busy;
}

void relief_accepted(process *d)
{
    uint64_t now_ms = clock_monotonic_ms();
    if (next_of(d) && now_ms - d->relief.looked_ms >= LOOK_MS && relief_judge(&d->relief, now_ms, clock_cpu_us()))
        call(d, d->relief.is_busy);
}

void relief_leave(process *d)
{
    call(d, true);
}
