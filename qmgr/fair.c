#include "qmgr/fair.h"

static void chain_open(fair_link *head)
{
    head->before = head->after = head;
}

static void chain_append(fair_link *head, fair_link *l)
{
    l->before = head->before;
    l->after = head;
    head->before->after = l;
    head->before = l;
}

static void chain_remove(fair_link *l)
{
    l->before->after = l->after;
    l->after->before = l->before;
}

void fair_open(fair *f)
{
    chain_open(&f->by_age);
    for (unsigned c = 0; c < FAIR_CLASSES; c++)
        chain_open(&f->by_size[c]);
    f->is_size_next = false;
}

bool fair_is_empty(const fair *f)
{
    return f->by_age.after == &f->by_age;
}

void fair_put(fair *f, fair_item *i, unsigned class)
{
    if (i->is_in && i->class == class)
        return;
    if (i->is_in)
        chain_remove(&i->by_size);
    else
        chain_append(&f->by_age, &i->by_age);
    chain_append(&f->by_size[class], &i->by_size);
    i->class = class;
    i->is_in = true;
}

void fair_take(fair_item *i)
{
    if (!i->is_in)
        return;
    chain_remove(&i->by_age);
    chain_remove(&i->by_size);
    i->is_in = false;
}

unsigned fair_least(const fair *f)
{
    unsigned c = 0;
    while (c < FAIR_CLASSES && f->by_size[c].after == &f->by_size[c])
        c++;
    return c;
}

#define ITEM_OF(link, member) FAIR_OWNER(link, fair_item, member)

fair_item *fair_last(const fair *f)
{
    return ITEM_OF(f->by_age.before, by_age);
}

fair_item *fair_next(fair *f)
{
    if (fair_is_empty(f))
        return NULL;
    f->is_size_next = !f->is_size_next;
    return f->is_size_next ? ITEM_OF(f->by_size[fair_least(f)].after, by_size) : ITEM_OF(f->by_age.after, by_age);
}

unsigned fair_class(uint64_t left)
{
    unsigned c = 0;
    for (; left > 1 && c < FAIR_CLASSES - 1; left /= 8)
        c++;
    return c;
}
