#include "ctl/queue/filter.h"
#include "base/num.h"
#include <fnmatch.h>

enum { YEARS_S = 100 * 366 * 86400ll };

static fault wrong(const char *option, const char *value, const char *expected)
{
    return fault_make(FAULT_REFUSED, "5.4", "--%s %.60s: %s", option, value, expected);
}

static fault time_read(const char *option, const char *value, uint64_t *out)
{
    if (value == NULL || num_parse_seconds(str_c(value), 's', YEARS_S, out))
        return NO_FAULT;
    return wrong(option, value, "a time like 90s, 15m, 2h, 3d, 1w is expected");
}

/* ">N": more than it, "<N": less, "N": at least that. */
static fault size_read(queue_filter *f)
{
    uint64_t n;
    str s = str_c(f->size);
    char sign = s.n && (s.p[0] == '>' || s.p[0] == '<') ? s.p[0] : '=';
    f->size_most = UINT64_MAX;
    if (f->size == NULL)
        return NO_FAULT;
    if (!num_parse_bytes(sign == '=' ? s : str_from(s, 1), UINT64_MAX / 2, &n) || (sign == '<' && n == 0))
        return wrong("size", f->size, "bytes like 500k, or behind > or <, are expected");
    if (sign == '<')
        f->size_most = n - 1;
    else
        f->size_least = n + (sign == '>');
    return NO_FAULT;
}

static fault status_read(queue_filter *f, bool with_damaged)
{
    str rest = str_c(f->status), word;
    f->places = f->status ? 0 : 1U << QUEUE_ACTIVE | 1U << QUEUE_DEFERRED | 1U << QUEUE_HOLD;
    if (f->status == NULL && with_damaged)
        f->places |= 1U << QUEUE_CORRUPT;
    while (f->status && str_word(&rest, ", ", &word)) {
        queue_place p;
        if (!queue_place_read(word, &p) || p == QUEUE_INCOMING)
            return wrong("status", f->status, "some of active, deferred, hold, corrupt are expected");
        f->places |= 1U << p;
    }
    return NO_FAULT;
}

fault filter_read(queue_filter *f, uint64_t now_s, bool with_damaged)
{
    f->now_s = now_s;
    f->needs_files = f->sender || f->recipient || f->destination || f->reason || f->size || f->login;
    f->is_set = f->needs_files || f->older || f->newer || f->status;
    fault out = time_read("older", f->older, &f->older_s);
    if (!is_fault(out))
        out = time_read("newer", f->newer, &f->newer_s);
    if (!is_fault(out))
        out = size_read(f);
    return is_fault(out) ? out : status_read(f, with_damaged);
}

bool filter_fits_row(const queue_filter *f, const queue_row *r)
{
    uint64_t age = f->now_s > r->arrived_s ? f->now_s - r->arrived_s : 0;
    return (f->places & 1U << r->place) && (f->older == NULL || age >= f->older_s) &&
           (f->newer == NULL || age < f->newer_s);
}

/* * and ? stand for any characters; case does not matter. */
static bool text_fits(const char *pattern, str text)
{
    arena a = arena_new(0);
    bool fits = fnmatch(pattern, arena_c(&a, text), FNM_CASEFOLD) == 0;
    arena_free(&a);
    return fits;
}

/* "<>": the null sender. "@domain", or a name without @ and *: all of that domain. Else the address. */
static bool address_fits(const char *pattern, str address)
{
    str p = str_c(pattern);
    if (str_equal(p, STR("<>")))
        return address.n == 0;
    if (p.n && p.p[0] == '@')
        return text_fits(pattern + 1, queue_domain(address));
    if (str_has(p, '@') || str_has(p, '*') || str_has(p, '?'))
        return text_fits(pattern, address);
    return text_fits(pattern, queue_domain(address)) || text_fits(pattern, address);
}

/* A recipient's domain, a next hop, or transport:nexthop. */
static bool destination_fits(const char *pattern, const envelope_recipient *r)
{
    arena a = arena_new(0);
    str route = arena_printf(&a, "%.*s:%.*s", STR_ARG(r->transport), STR_ARG(r->nexthop));
    bool fits =
        text_fits(pattern, queue_domain(r->address)) || text_fits(pattern, r->nexthop) || text_fits(pattern, route);
    arena_free(&a);
    return fits;
}

static bool reason_fits(const char *text, const queue_slot *s)
{
    return strcasestr(s->reason, text) != NULL || str_starts(str_c(s->status), str_c(text));
}

bool filter_fits_recipient(const queue_filter *f, const envelope_recipient *r, const queue_slot *s)
{
    bool fits_recipient =
        f->recipient == NULL || address_fits(f->recipient, r->address) || address_fits(f->recipient, r->original);
    return s->state != SLOT_DELIVERED && fits_recipient &&
           (f->destination == NULL || destination_fits(f->destination, r)) &&
           (f->reason == NULL || reason_fits(f->reason, s));
}

bool filter_fits_entry(const queue_filter *f, const queue_entry *e)
{
    const queue_message *m = &e->file;
    if (!f->needs_files)
        return true;
    if (is_fault(e->fault) || m->head.content_bytes < f->size_least || m->head.content_bytes > f->size_most ||
        (f->sender && !address_fits(f->sender, m->envelope.reverse_path)) ||
        (f->login && !text_fits(f->login, m->envelope.login)))
        return false;
    bool fits = f->recipient == NULL && f->destination == NULL && f->reason == NULL;
    for (uint32_t i = 0; i < m->head.recipient_count && !fits; i++)
        fits = filter_fits_recipient(f, &m->recipients[i], &m->slots[i]);
    return fits;
}
