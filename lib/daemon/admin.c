#include "daemon/admin.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/admin.h"
#include <stdlib.h>
#include <unistd.h>

static void client_free(void *context, channel *ch)
{
    admin_client *c = context;
    admin_client **at = &c->desk->clients;
    (void)ch;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (c->desk->on_gone)
        c->desk->on_gone(c);
    free(c);
}

void admin_row_put(admin_client *c, str row)
{
    admin_row m = { .row = row };
    channel_put(&c->channel, ADMIN_ROW, 0, admin_row, &m);
}

bool admin_row_put_fds(admin_client *c, str row, const int *fds, size_t count)
{
    admin_row m = { .row = row };
    return channel_put_fds(&c->channel, ADMIN_ROW, 0, admin_row, &m, fds, count);
}

void admin_end_put(admin_client *c, fault f, uint32_t count)
{
    admin_end m = { .outcome = f.kind, .count = count, .status = str_c(f.status), .reason = str_c(f.text) };
    channel_put(&c->channel, ADMIN_END, 0, admin_end, &m);
}

void admin_more_put(admin_client *c, uint32_t count)
{
    admin_end m = { .outcome = FAULT_NONE, .count = count, .reason = STR("more") };
    channel_put(&c->channel, ADMIN_END, 0, admin_end, &m);
}

static bool is_admin(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

bool admin_is_root(const admin_client *c)
{
    return is_admin(c->uid);
}

static const admin_verb *verb_find(const admin_desk *d, str name)
{
    for (size_t i = 0; i < d->verb_count; i++)
        if (str_equal(name, str_c(d->verbs[i].name)))
            return &d->verbs[i];
    return NULL;
}

static bool on_ask(void *context, channel *ch, received *r)
{
    admin_client *c = context;
    admin_ask m;
    (void)ch;
    if (admin_ask_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    const admin_verb *v = verb_find(c->desk, m.verb);
    if (v == NULL)
        admin_end_put(c, fault_make(FAULT_REFUSED, "5.1", "no such request: %.*s", STR_ARG(m.verb)), 0);
    else if (!v->is_open && !is_admin(c->uid))
        admin_end_put(c, fault_make(FAULT_REFUSED, "7.1", "only root may do that"), 0);
    else
        v->handle(c, m.argument);
    return true;
}

static const talk_row rows[] = { { ADMIN_ASK, 0, 0, on_ask } };

void admin_open(admin_desk *d)
{
    d->talk = (talk){ d->name, rows, COUNT_OF(rows), client_free };
}

static size_t clients_of(const admin_desk *d, uid_t uid)
{
    size_t n = 0;
    for (const admin_client *c = d->clients; c; c = c->next)
        n += c->uid == uid;
    return n;
}

void admin_admit(admin_desk *d, int fd, uid_t uid)
{
    if (!is_admin(uid) && clients_of(d, uid) >= ADMIN_CLIENTS_MAX) {
        close(fd);
        return;
    }
    admin_client *c = memory_get(sizeof *c);
    *c = (admin_client){ .desk = d, .uid = uid, .next = d->clients };
    d->clients = c;
    channel_open(&c->channel, d->loop, fd, &d->talk, c);
}
