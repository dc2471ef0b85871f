/* Conversations between processes: master makes both ends and hands them out. Runs in: master. */
#include "base/log.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include <unistd.h>

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

static void link_two(child *a, child *b)
{
    int pair[2];
    if (!channel_pair(pair)) {
        log_fault(LOG_ERROR, "not-linked", fault_errno("make a socket pair"));
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

/* Both sides live and one dropped the other: it gets a fresh start. Of the two reports one makes the link. */
void link_again(child *c, str name, uint32_t instance)
{
    for (child *other = c->master->children; other; other = other->next)
        if (str_equal(name, str_c(other->role->name)) && other->instance == instance && other->state == CHILD_UP &&
            c->state == CHILD_UP && may_talk(c, other) && c->pid < other->pid)
            link_two(c, other);
}
