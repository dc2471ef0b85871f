#include "store/uid_set.h"
#include <string.h>

/* The first range that ends at or behind uid. */
static size_t range_at(const uid_set *set, uint32_t uid)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->p[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void uid_set_add(uid_set *set, uint32_t first, uint32_t last)
{
    if (first > last) {
        uint32_t other = first;
        first = last;
        last = other;
    }
    first = first ? first : 1;
    last = last ? last : 1;
    size_t from = range_at(set, first - 1), to = from; /* a range that ends at first - 1 is joined */
    while (to < set->n && (last == UINT32_MAX || set->p[to].first <= last + 1)) {
        first = set->p[to].first < first ? set->p[to].first : first;
        last = set->p[to].last > last ? set->p[to].last : last;
        to++;
    }
    if (from == to) { /* room for one more */
        (void)vec_add(set);
        memmove(set->p + from + 1, set->p + from, (set->n - 1 - from) * sizeof *set->p);
    } else if (to - from > 1) {
        memmove(set->p + from + 1, set->p + to, (set->n - to) * sizeof *set->p);
        set->n -= to - from - 1;
    }
    set->p[from] = (uid_range){ first, last };
}

void uid_set_copy(const uid_set *set, uid_set *out)
{
    out->n = 0;
    for (size_t i = 0; i < set->n; i++)
        *vec_add(out) = set->p[i];
}

static void take(uid_set *set, uid_set *from)
{
    uid_set_free(set);
    *set = *from;
}

void uid_set_remove(uid_set *set, const uid_set *gone)
{
    uid_set left = { 0 };
    size_t g = 0;

    for (size_t i = 0; i < set->n; i++) {
        uid_range r = set->p[i];
        while (g < gone->n && gone->p[g].last < r.first)
            g++;
        size_t at = g;
        for (; at < gone->n && gone->p[at].first <= r.last && r.first <= r.last; at++) {
            if (gone->p[at].first > r.first)
                *vec_add(&left) = (uid_range){ r.first, gone->p[at].first - 1 };
            if (gone->p[at].last >= r.last)
                break;
            r.first = gone->p[at].last + 1;
        }
        bool is_eaten = at < gone->n && gone->p[at].first <= r.last && gone->p[at].last >= r.last;
        if (!is_eaten)
            *vec_add(&left) = r;
        g = at;
    }
    take(set, &left);
}

void uid_set_unite(uid_set *set, const uid_set *more)
{
    uid_set both = { 0 };
    size_t a = 0, b = 0;

    if (more->n == 0)
        return;
    while (a < set->n || b < more->n) { /* in rising order, so that each add is cheap */
        bool is_a = b == more->n || (a < set->n && set->p[a].first <= more->p[b].first);
        uid_range r = is_a ? set->p[a++] : more->p[b++];
        uid_set_add(&both, r.first, r.last);
    }
    take(set, &both);
}

void uid_set_intersect(const uid_set *a, const uid_set *b, uid_set *out)
{
    out->n = 0;
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        uint32_t first = a->p[i].first > b->p[j].first ? a->p[i].first : b->p[j].first;
        uint32_t last = a->p[i].last < b->p[j].last ? a->p[i].last : b->p[j].last;
        if (first <= last)
            *vec_add(out) = (uid_range){ first, last };
        if (a->p[i].last < b->p[j].last)
            i++;
        else
            j++;
    }
}

bool uid_set_has(const uid_set *set, uint32_t uid)
{
    size_t at = range_at(set, uid);
    return uid && at < set->n && set->p[at].first <= uid;
}

uint32_t uid_set_count(const uid_set *set)
{
    uint32_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        n += set->p[i].last - set->p[i].first + 1;
    return n;
}

uint32_t uid_set_next(const uid_set *set, uint32_t from)
{
    size_t at = range_at(set, from);
    if (from == 0 || at == set->n) /* 0: the walk went past the highest number there is */
        return 0;
    return set->p[at].first > from ? set->p[at].first : from;
}

uint32_t uid_set_nth(const uid_set *set, uint32_t n)
{
    for (size_t i = 0; i < set->n; i++) {
        uint32_t count = set->p[i].last - set->p[i].first + 1;
        if (n && n <= count)
            return set->p[i].first + n - 1;
        n -= count;
    }
    return 0;
}

uint32_t uid_set_rank(const uid_set *set, uint32_t uid)
{
    uint32_t n = 0;
    for (size_t i = 0; i < set->n && set->p[i].first <= uid; i++)
        n += (set->p[i].last < uid ? set->p[i].last : uid) - set->p[i].first + 1;
    return n;
}

void uid_set_at(const uid_set *set, const uid_set *ranks, uid_set *out)
{
    uint64_t before = 0; /* members in front of range i */
    size_t i = 0;

    out->n = 0;
    for (size_t r = 0; r < ranks->n; r++) {
        uint64_t first = ranks->p[r].first, last = ranks->p[r].last;
        while (i < set->n) {
            uint64_t count = (uint64_t)set->p[i].last - set->p[i].first + 1;
            if (before + count >= first) {
                uint64_t from = first > before ? first - before - 1 : 0;
                uint64_t to = last - before < count ? last - before - 1 : count - 1;
                uid_set_add(out, set->p[i].first + (uint32_t)from, set->p[i].first + (uint32_t)to);
                if (last <= before + count)
                    break; /* the next rank may still be in this range */
            }
            before += count;
            i++;
        }
    }
}

void uid_set_free(uid_set *set)
{
    vec_free(set);
}
