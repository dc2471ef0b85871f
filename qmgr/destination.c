/* Destinations: what waits for one place, how much of it runs at a time, and when the place is left alone. Of two deliveries one
 * goes to the oldest message, one to the message with the fewest recipients left, among those of a destination and among the
 * destinations of a transport. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "qmgr/qmgr.h"
#include <stdlib.h>

void destinations_open(qmgr *q)
{
    for (size_t i = 0; i < transport_count; i++) {
        q->carriers[i].transport = &transports[i];
        fair_open(&q->carriers[i].ready);
    }
}

/* Feedbacks were checked when the configuration was read. */
static window_rules rules_of(const destination *d)
{
    const config *c = daemon_config(d->qmgr->process);
    const transport *t = d->carrier->transport;
    window_rules r = { .initial = config_number(c, t->initial),
                       .limit = config_number(c, t->limit),
                       .failed_cohorts = config_number(c, t->failed_cohorts) };
    feedback_read(config_text(c, t->positive), &r.positive);
    feedback_read(config_text(c, t->negative), &r.negative);
    return r;
}

static uint64_t rate_delay(const destination *d)
{
    return config_number(daemon_config(d->qmgr->process), d->carrier->transport->rate_delay);
}

static void on_pause_over(void *context);

static destination *destination_new(qmgr *q, const transport *t, str key)
{
    destination *d = memory_get(sizeof *d + key.n);
    char *copy = (char *)(d + 1);
    memcpy(copy, key.p, key.n);
    *d = (destination){ .qmgr = q, .key = { copy, key.n }, .carrier = &q->carriers[t - transports] };
    fair_open(&d->lots);
    window_rules r = rules_of(d);
    d->window = window_new(&r);
    map_put(&q->destinations, d->key, d);
    return d;
}

destination *destination_get(qmgr *q, const transport *t, str nexthop)
{
    buf key = buf_new(64 * 1024);
    buf_append(&key, str_c(t->name));
    buf_append_char(&key, '\0');
    buf_append(&key, nexthop);
    destination *d = map_get(&q->destinations, buf_str(&key));
    if (d == NULL)
        d = destination_new(q, t, buf_str(&key));
    buf_free(&key);
    return d;
}

static bool may_run(const destination *d)
{
    return d->waiting && !d->is_pausing && d->running < (rate_delay(d) ? 1 : d->window.width);
}

/* Its place in the round, or the end of it: what is remembered of it is only that it is dead. */
static void settle(destination *d)
{
    if (may_run(d)) {
        fair_put(&d->carrier->ready, &d->turn, fair_least(&d->lots));
        schedule_soon(d->qmgr);
        return;
    }
    fair_take(&d->turn);
    if (d->waiting || d->running || d->is_pausing || destination_is_dead(d))
        return;
    timer_close(&d->pause);
    map_remove(&d->qmgr->destinations, d->key);
    free(d);
}

bool destination_is_dead(const destination *d)
{
    return d->dead_until_ms > clock_monotonic_ms();
}

static lot *lot_new(destination *d, message *m)
{
    lot *l = ARENA_NEW(&m->loaded->arena, lot);
    *l = (lot){ .message = m, .destination = d };
    l->waiting.last = &l->waiting.first;
    return l;
}

/* Recipients of a message come one behind the other, so the last lot is theirs or there is none. */
static lot *lot_of(destination *d, message *m)
{
    lot *last = fair_is_empty(&d->lots) ? NULL : FAIR_OWNER(fair_last(&d->lots), lot, turn);
    return last && last->message == m ? last : lot_new(d, m);
}

void destination_add(destination *d, delivery *one)
{
    message *m = one->message;
    lot *l = lot_of(d, m);
    one->destination = d;
    one->next = NULL;
    *l->waiting.last = one;
    l->waiting.last = &one->next;
    d->waiting++;
    fair_put(&d->lots, &l->turn, fair_class(m->loaded->open));
    settle(d);
}

static delivery *lot_take(lot *l)
{
    destination *d = l->destination;
    delivery *one = l->waiting.first;
    l->waiting.first = one->next;
    d->waiting--;
    if (l->waiting.first)
        fair_put(&d->lots, &l->turn, fair_class(l->message->loaded->open));
    else
        fair_take(&l->turn);
    return one;
}

delivery *destination_take(destination *d)
{
    fair_item *i = fair_next(&d->lots);
    if (i == NULL)
        return NULL;
    delivery *one = lot_take(FAIR_OWNER(i, lot, turn));
    d->running++;
    d->carrier->running++;
    fair_take(&d->turn); /* to the end of the round */
    settle(d);
    return one;
}

static void on_pause_over(void *context)
{
    destination *d = context;
    d->is_pausing = false;
    settle(d);
}

void destination_done(destination *d)
{
    uint64_t delay = rate_delay(d);
    d->running--;
    d->carrier->running--;
    if (delay && !d->is_pausing) {
        if (!d->pause.is_open)
            timer_open(&d->pause, d->qmgr->process->loop, on_pause_over, d);
        timer_set(&d->pause, delay * 1000);
        d->is_pausing = true;
    }
    schedule_soon(d->qmgr); /* the transport has room */
    settle(d);
}

void destination_succeeded(destination *d)
{
    window_rules r = rules_of(d);
    window_success(&d->window, &r);
    d->dead_until_ms = 0;
}

static void die(destination *d, fault why)
{
    const config *c = daemon_config(d->qmgr->process);
    str name = str_from(d->key, strlen(d->carrier->transport->name) + 1);
    d->dead_until_ms = clock_monotonic_ms() + c->minimal_backoff_time * 1000;
    d->why = fault_make(FAULT_TRY_LATER, why.status, "left alone for a while: %s", why.text);
    log_event(LOG_WARNING, "destination-left-alone", LOG_C("relay", d->carrier->transport->name),
              LOG_STR("nexthop", name), LOG_NUM("seconds", c->minimal_backoff_time), LOG_C("reason", why.text));
    for (fair_item *i; (i = fair_next(&d->lots)) != NULL;)
        deliver_known(d->qmgr, lot_take(FAIR_OWNER(i, lot, turn)), d->why);
}

void destination_failed(destination *d, fault why)
{
    window_rules r = rules_of(d);
    if (window_failure(&d->window, &r))
        die(d, why);
}

static void settle_all(qmgr *q, bool is_revived)
{
    VEC(destination *) all = { 0 };
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->destinations, &cursor, &e))
        *vec_add(&all) = e.value;
    for (size_t i = 0; i < all.n; i++) {
        if (is_revived)
            all.p[i]->dead_until_ms = 0;
        settle(all.p[i]);
    }
    vec_free(&all);
}

void destinations_revive(qmgr *q)
{
    settle_all(q, true);
}

void destinations_sweep(qmgr *q)
{
    settle_all(q, false);
}
