#include "proto/imap_set.h"
#include "base/num.h"
#include <stdlib.h>

static int range_order(const void *a, const void *b)
{
    const imap_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* Sorts, and joins ranges that touch or overlap. */
static void set_normalise(imap_set *set)
{
    size_t kept = 0;

    if (set->n == 0)
        return;
    for (size_t i = 1; i < set->n; i++)
        if (set->ranges[i].first < set->ranges[i - 1].first) {
            qsort(set->ranges, set->n, sizeof *set->ranges, range_order);
            break;
        }
    for (size_t i = 1; i < set->n; i++) {
        imap_range *last = &set->ranges[kept];
        imap_range next = set->ranges[i];
        if (next.first > last->last && next.first - last->last > 1)
            set->ranges[++kept] = next;
        else if (next.last > last->last)
            last->last = next.last;
    }
    set->n = kept + 1;
}

/* RFC 3501 9 seq-number: 0 stands for '*' here. */
static bool number_read(str text, uint32_t *out)
{
    uint64_t n = 0;

    if (!str_equal(text, STR("*")) && (!num_parse(text, 1, UINT32_MAX, &n) || text.p[0] == '0'))
        return false;
    *out = (uint32_t)n;
    return true;
}

static void star_add(imap_set *set, uint32_t other)
{
    if (!set->has_star) {
        set->has_star = true;
        set->star_first = UINT32_MAX;
    }
    if (other == 0)
        return;
    if (other < set->star_first)
        set->star_first = other;
    if (other > set->star_last)
        set->star_last = other;
}

static bool element_read(str text, imap_set *out)
{
    size_t colon = str_find(text, ':');
    uint32_t a, b;

    if (!number_read(str_upto(text, colon), &a))
        return false;
    b = a;
    if (colon < text.n && !number_read(str_from(text, colon + 1), &b))
        return false;
    if (a == 0 || b == 0)
        star_add(out, a ? a : b);
    else
        out->ranges[out->n++] = a < b ? (imap_range){ a, b } : (imap_range){ b, a };
    return true;
}

parse imap_set_parse(str text, arena *mem, imap_set *out)
{
    size_t elements = 1;
    str rest = text, element;

    *out = (imap_set){ 0 };
    for (size_t i = 0; i < text.n; i++)
        elements += text.p[i] == ',';
    out->ranges = ARENA_ARRAY(mem, imap_range, elements);
    if (text.p == NULL)
        return PARSE_BAD;
    while (str_cut(&rest, ',', &element))
        if (!element_read(element, out))
            return PARSE_BAD;
    set_normalise(out);
    return PARSE_DONE;
}

void imap_set_resolve(const imap_set *set, uint32_t max, arena *mem, imap_set *out)
{
    *out = (imap_set){ .ranges = ARENA_ARRAY(mem, imap_range, set->n + 1), .n = set->n };
    if (set->n)
        memcpy(out->ranges, set->ranges, set->n * sizeof *set->ranges);
    if (set->has_star && max)
        out->ranges[out->n++] =
            (imap_range){ set->star_first < max ? set->star_first : max, set->star_last > max ? set->star_last : max };
    set_normalise(out);
}

uint32_t imap_set_next(const imap_set *set, uint32_t from)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ranges[middle].last < from)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == set->n)
        return 0;
    return set->ranges[low].first > from ? set->ranges[low].first : from;
}

bool imap_set_has(const imap_set *set, uint32_t number)
{
    return number && imap_set_next(set, number) == number;
}

uint32_t imap_set_last(const imap_set *set)
{
    return set->n ? set->ranges[set->n - 1].last : 0;
}
