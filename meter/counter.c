#include "meter/counter.h"
#include "base/memory.h"
#include "base/vec.h"

enum { KEY_MAX = COUNTER_SERVICE_MAX + 2 + SOURCE_MAX, SWEEP_MS = 1000 };

typedef struct key {
    char bytes[KEY_MAX];
    size_t n;
} key;

typedef struct counted {
    key key;
    uint32_t open;
    uint32_t current, before; /* begun in this time unit and in the one before it */
    uint64_t unit_start_ms, unit_ms;
} counted;

typedef struct held {
    key key;
    uint32_t open;
} held;

static str key_str(const key *k)
{
    return (str){ k->bytes, k->n };
}

static key key_of(const counted_by *by)
{
    key k = { 0 };
    source s = source_of_network(by->address, by->v4_bits, by->v6_bits);
    str service = str_upto(by->service, COUNTER_SERVICE_MAX);
    if (service.n)
        memcpy(k.bytes, service.p, service.n);
    k.bytes[service.n + 1] = (char)by->kind;
    k.n = service.n + 2;
    memcpy(k.bytes + k.n, s.bytes, s.n);
    k.n += s.n;
    return k;
}

counter counter_new(size_t max)
{
    return (counter){ .max = max ? max : COUNTER_CLIENTS_MAX };
}

static void values_free(map *m)
{
    map_entry e;
    for (size_t at = 0; map_next(m, &at, &e);)
        free(e.value);
    map_free(m);
}

void counter_free(counter *c)
{
    values_free(&c->clients);
}

static bool is_recent(const counted *e, uint64_t now_ms)
{
    return now_ms - e->unit_start_ms < 2 * e->unit_ms;
}

/* Forgets who has nothing open: first those without a recent connection, then, if that is not enough, all. */
static void sweep(counter *c, uint64_t now_ms)
{
    if (c->swept_ms && now_ms - c->swept_ms < SWEEP_MS)
        return; /* a flood of clients must not make each of them cost a sweep */
    c->swept_ms = now_ms;
    for (int pass = 0; pass < 2 && c->clients.n > c->max - c->max / 4; pass++) {
        VEC(counted *) gone = { 0 };
        map_entry e;
        for (size_t at = 0; map_next(&c->clients, &at, &e);) {
            counted *client = e.value;
            if (client->open == 0 && (pass == 1 || !is_recent(client, now_ms)))
                *vec_add(&gone) = client;
        }
        for (size_t i = 0; i < gone.n; i++) {
            map_remove(&c->clients, key_str(&gone.p[i]->key));
            free(gone.p[i]);
        }
        vec_free(&gone);
    }
}

static counted *client_get(counter *c, const key *k, uint64_t now_ms)
{
    counted *e = map_get(&c->clients, key_str(k));
    if (e)
        return e;
    if (c->clients.n >= c->max)
        sweep(c, now_ms);
    if (c->clients.n >= c->max)
        return NULL;
    e = memory_get(sizeof *e);
    *e = (counted){ .key = *k, .unit_start_ms = now_ms };
    map_put(&c->clients, key_str(k), e);
    return e;
}

/* Over the last unit: this unit's, and the share of the one before that still lies within it. */
static uint32_t rate_add(counted *e, uint64_t unit_ms, uint64_t now_ms)
{
    uint64_t passed = now_ms - e->unit_start_ms;
    e->unit_ms = unit_ms;
    if (passed >= 2 * unit_ms) {
        e->before = e->current = 0;
        e->unit_start_ms = now_ms;
    } else if (passed >= unit_ms) {
        e->before = e->current;
        e->current = 0;
        e->unit_start_ms += unit_ms;
    }
    passed = now_ms - e->unit_start_ms;
    e->current++;
    return e->current + (uint32_t)(e->before * (unit_ms - passed) / unit_ms);
}

static void hold(holder *h, const key *k)
{
    held *e = map_get(&h->open, key_str(k));
    if (e == NULL) {
        e = memory_get(sizeof *e);
        e->key = *k;
        map_put(&h->open, key_str(k), e);
    }
    e->open++;
}

static uint32_t rate_next(counted *e, const count_limits *limits, uint64_t now_ms)
{
    return rate_add(e, (limits->rate_unit_s ? limits->rate_unit_s : 60) * UINT64_C(1000), now_ms);
}

/* What is refused for its rate does not add to it: who asks too often gets as much as he may, not nothing. */
static count_answer answer(counted *e, const count_limits *limits, uint64_t now_ms)
{
    count_answer a = { .count = e->open, .rate = rate_next(e, limits, now_ms) };
    bool is_too_fast = limits->rate && a.rate > limits->rate;
    a.is_allowed = !is_too_fast && (limits->count == 0 || a.count <= limits->count);
    e->current -= is_too_fast;
    return a;
}

count_answer counter_open(counter *c, holder *h, const counted_by *by, const count_limits *limits, uint64_t now_ms)
{
    key k = key_of(by);
    counted *e = client_get(c, &k, now_ms);
    if (e == NULL)
        return (count_answer){ .is_allowed = true };
    hold(h, &k);
    e->open++;
    return answer(e, limits, now_ms);
}

count_answer counter_add(counter *c, const counted_by *by, const count_limits *limits, uint64_t now_ms)
{
    key k = key_of(by);
    counted *e = client_get(c, &k, now_ms);
    if (e == NULL)
        return (count_answer){ .is_allowed = true };
    return answer(e, limits, now_ms);
}

void counter_undo(counter *c, const counted_by *by)
{
    key k = key_of(by);
    counted *e = map_get(&c->clients, key_str(&k));
    if (e && e->current)
        e->current--;
}

static void taken_back(counter *c, const key *k, uint32_t n)
{
    counted *e = map_get(&c->clients, key_str(k));
    if (e)
        e->open -= n < e->open ? n : e->open;
}

void counter_close(counter *c, holder *h, const counted_by *by)
{
    key k = key_of(by);
    held *e = map_get(&h->open, key_str(&k));
    if (e == NULL)
        return;
    taken_back(c, &k, 1);
    if (--e->open == 0) {
        map_remove(&h->open, key_str(&k));
        free(e);
    }
}

void counter_close_all(counter *c, holder *h)
{
    map_entry entry;
    for (size_t at = 0; map_next(&h->open, &at, &entry);) {
        held *e = entry.value;
        taken_back(c, &e->key, e->open);
    }
    values_free(&h->open);
}
