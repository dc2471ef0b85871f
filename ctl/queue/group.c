#include "ctl/queue/group.h"
#include "base/memory.h"
#include <stdlib.h>

static const unsigned first_minutes = 5;

static str status_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)i, (void)a;
    return str_c(queue_place_name(e->place));
}

static str sender_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)i, (void)a;
    return e->file.envelope.reverse_path.n ? e->file.envelope.reverse_path : STR("<>");
}

static str sender_domain_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)i, (void)a;
    return e->file.envelope.reverse_path.n ? queue_domain(e->file.envelope.reverse_path) : STR("<>");
}

static str login_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)i, (void)a;
    return e->file.envelope.login;
}

static str recipient_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)a;
    return e->file.recipients[i].address;
}

static str destination_key(const queue_entry *e, uint32_t i, arena *a)
{
    (void)a;
    return queue_domain(e->file.recipients[i].address);
}

static str route_key(const queue_entry *e, uint32_t i, arena *a)
{
    const envelope_recipient *r = &e->file.recipients[i];
    return arena_printf(a, "%.*s:%.*s", STR_ARG(r->transport), STR_ARG(r->nexthop));
}

static str reason_key(const queue_entry *e, uint32_t i, arena *a)
{
    const queue_slot *s = &e->file.slots[i];
    return s->reason[0] ? arena_printf(a, "%s %s", s->status, s->reason) : STR("no try yet");
}

static const group_field fields[] = {
    { "destination", true, destination_key },
    { "route", true, route_key },
    { "recipient", true, recipient_key },
    { "reason", true, reason_key },
    { "sender", false, sender_key },
    { "sender-domain", false, sender_domain_key },
    { "login", false, login_key },
    { "status", false, status_key },
};

const group_field *group_field_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (strcmp(name, fields[i].name) == 0)
            return &fields[i];
    return NULL;
}

const char *group_field_names(void)
{
    return "destination, route, recipient, reason, sender, sender-domain, login or status";
}

unsigned group_bucket_minutes(size_t bucket)
{
    return bucket < AGE_BUCKETS - 1 ? first_minutes << bucket : 0;
}

static size_t bucket_of(uint64_t age_s)
{
    size_t at = 0;
    while (at < AGE_BUCKETS - 1 && age_s > UINT64_C(60) * group_bucket_minutes(at))
        at++;
    return at;
}

grouping grouping_begin(const group_field *field, const queue_filter *filter)
{
    return (grouping){ .field = field, .filter = filter };
}

static group *group_get(grouping *g, str key)
{
    group *found = map_get(&g->by_key, key);
    if (found)
        return found;
    found = ARENA_NEW(&g->keys, group);
    found->key = arena_copy(&g->keys, key);
    map_put(&g->by_key, key, found);
    return found;
}

static void count_add(group *to, const queue_entry *e, uint64_t now_s)
{
    uint64_t arrived = e->file.head.arrived_us / 1000000;
    to->count++;
    to->bytes += e->file.head.content_bytes;
    to->ages[bucket_of(now_s > arrived ? now_s - arrived : 0)]++;
}

static void one_add(grouping *g, const queue_entry *e, uint32_t recipient)
{
    arena a = arena_new(0);
    count_add(group_get(g, g->field->key(e, recipient, &a)), e, g->filter->now_s);
    count_add(&g->total, e, g->filter->now_s);
    arena_free(&a);
}

void grouping_add(void *context, const queue_entry *e)
{
    grouping *g = context;
    const queue_message *m = &e->file;
    if (is_fault(e->fault))
        return;
    if (!g->field->is_of_recipient)
        one_add(g, e, 0);
    for (uint32_t i = 0; g->field->is_of_recipient && i < m->head.recipient_count; i++)
        if (filter_fits_recipient(g->filter, &m->recipients[i], &m->slots[i]))
            one_add(g, e, i);
}

static int larger_first(const void *a, const void *b)
{
    const group *x = *(group *const *)a, *y = *(group *const *)b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : str_compare(x->key, y->key);
}

group **grouping_sorted(const grouping *g, size_t *out_count)
{
    group **out = memory_get((g->by_key.n + 1) * sizeof *out);
    size_t cursor = 0;
    map_entry e;
    *out_count = 0;
    while (map_next(&g->by_key, &cursor, &e))
        out[(*out_count)++] = e.value;
    qsort(out, *out_count, sizeof *out, larger_first);
    return out;
}

void grouping_free(grouping *g)
{
    map_free(&g->by_key);
    arena_free(&g->keys);
}
