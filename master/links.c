/* Conversations between processes: master makes both ends and hands them out. Runs in: master. */
#include "base/log.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include <unistd.h>

enum { RELINK_MS = 200 };

static bool may_talk(const child *a, const child *b)
{
    for (size_t i = 0; i < role_link_count; i++) {
        const role_link *l = &role_links[i];
        if ((strcmp(l->a, a->role->name) == 0 && strcmp(l->b, b->role->name) == 0) ||
            (strcmp(l->b, a->role->name) == 0 && strcmp(l->a, b->role->name) == 0))
            return true;
    }
    return false;
}

static bool is_linkable(const child *c)
{
    return c->state == CHILD_STARTING || c->state == CHILD_UP;
}

static void end_give(child *to, const child *other, int fd)
{
    control_name m = { .name = str_c(other->role->name), .instance = other->instance };
    channel_put_fds(&to->control, CONTROL_PEER, 0, control_name, &m, &fd, 1);
}

static bool is_noted(const master *m, const relink *r)
{
    for (size_t i = 0; i < m->relinks.n; i++) {
        const relink *n = &m->relinks.p[i];
        if (n->a == r->a && n->b == r->b && n->a_instance == r->a_instance && n->b_instance == r->b_instance)
            return true;
    }
    return false;
}

static void on_relink(void *context);

static void relink_note(child *a, child *b)
{
    master *m = a->master;
    relink r = { a->role, b->role, a->instance, b->instance };
    if (is_noted(m, &r))
        return;
    if (!m->relink.is_open)
        timer_open(&m->relink, m->loop, on_relink, m);
    timer_set(&m->relink, RELINK_MS);
    *vec_add(&m->relinks) = r;
}

static void link_two(child *a, child *b)
{
    int pair[2];
    if (!channel_pair(pair)) {
        log_fault(LOG_ERROR, "not-linked", fault_errno("make a socket pair"));
        relink_note(a, b);
        return;
    }
    end_give(a, b, pair[0]);
    end_give(b, a, pair[1]);
}

void links_make(child *c)
{
    for (child *other = c->master->children; other; other = other->next)
        if (other != c && is_linkable(other) && may_talk(c, other))
            link_two(c, other);
}

static child *linkable_find(const master *m, const role *r, uint32_t instance)
{
    for (child *c = m->children; c; c = c->next)
        if (c->role == r && c->instance == instance && is_linkable(c))
            return c;
    return NULL;
}

static void on_relink(void *context)
{
    master *m = context;
    size_t count = m->relinks.n;
    for (size_t i = 0; i < count; i++) {
        relink r = m->relinks.p[i];
        child *a = linkable_find(m, r.a, r.a_instance), *b = linkable_find(m, r.b, r.b_instance);
        m->relinks.p[i] = (relink){ 0 }; /* what fails once more is noted behind it */
        if (a && b)
            link_two(a, b);
    }
    m->relinks.n -= count;
    memmove(m->relinks.p, m->relinks.p + count, m->relinks.n * sizeof *m->relinks.p);
}

/* Both sides live and one dropped the other: of the two reports one makes the new conversation. */
void link_again(child *c, str name, uint32_t instance)
{
    master *m = c->master;
    for (child *other = m->children; other; other = other->next) {
        if (!str_equal(name, str_c(other->role->name)) || other->instance != instance || !is_linkable(other) ||
            !is_linkable(c) || !may_talk(c, other) || c->pid >= other->pid)
            continue;
        relink_note(c, other);
    }
}
