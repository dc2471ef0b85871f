/* `postrider queue` asks here (public/queue). Root and our own uid see and change everything; others
 * may ask for a flush. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/vec.h"
#include "ipc/talk/admin.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIST_BATCH = 100 }; /* descriptors on their way at a time */

typedef struct client {
    qmgr *qmgr;
    channel channel;
    uid_t uid;
    VEC(uint64_t) listed; /* what a list still has to show, from `listed_at` on */
    size_t listed_at;
} client;

static void client_free(void *context, channel *ch)
{
    client *c = context;
    (void)ch;
    channel_close(&c->channel);
    vec_free(&c->listed);
    free(c);
}

static bool end(client *c, fault f, uint32_t count)
{
    admin_end m = { .outcome = f.kind, .count = count, .reason = str_c(f.text) };
    channel_put(&c->channel, ADMIN_END, 0, admin_end, &m);
    return true;
}

/* The row of a message is its file: the asker reads it with the same code as on a stopped suite. */
static bool file_put(client *c, const message *m)
{
    int fd = queue_tree_open(c->qmgr->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0)
        return false;
    char row[64];
    int n = snprintf(row, sizeof row, "%s %s %llu", queue_id_text(m->id).text, queue_place_name(m->place),
                     (unsigned long long)m->next_try_s);
    admin_row r = { .row = { row, (size_t)n } };
    return channel_put_fds(&c->channel, ADMIN_ROW, 0, admin_row, &r, &fd, 1);
}

/* A part of the list; END says "more" when it goes on, and the asker asks for that. */
static bool on_more(client *c, str argument)
{
    uint32_t n = 0;
    (void)argument;
    for (unsigned i = 0; i < LIST_BATCH && c->listed_at < c->listed.n; i++) {
        message *m = message_find(c->qmgr, c->listed.p[c->listed_at++]);
        n += m && file_put(c, m);
    }
    bool goes_on = c->listed_at < c->listed.n;
    admin_end m = { .outcome = FAULT_NONE, .count = n, .reason = goes_on ? STR("more") : STR_NONE };
    if (!goes_on)
        vec_free(&c->listed);
    channel_put(&c->channel, ADMIN_END, 0, admin_end, &m);
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The oldest first: ids grow. */
static bool on_list(client *c, str argument)
{
    map_entry e;
    size_t cursor = 0;
    c->listed.n = c->listed_at = 0;
    while (map_next(&c->qmgr->messages, &cursor, &e))
        *vec_add(&c->listed) = ((const message *)e.value)->id;
    if (c->listed.n)
        qsort(c->listed.p, c->listed.n, sizeof *c->listed.p, by_number);
    return on_more(c, argument);
}

static bool on_show(client *c, str argument)
{
    uint64_t id;
    message *m = queue_id_read(argument, &id) ? message_find(c->qmgr, id) : NULL;
    if (m == NULL || !file_put(c, m))
        return end(c, fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(argument)), 0);
    return end(c, NO_FAULT, 1);
}

typedef bool change(qmgr *q, message *m);

static bool hold(qmgr *q, message *m)
{
    if (m->place == QUEUE_HOLD)
        return false;
    m->asked = ASKED_HOLD;
    finish_asked(q, m);
    return true;
}

static bool drop(qmgr *q, message *m)
{
    m->asked = ASKED_DELETE;
    finish_asked(q, m);
    return true;
}

/* What had failed for good gets another chance. */
static bool release(qmgr *q, message *m)
{
    if (m->place != QUEUE_HOLD)
        return false;
    fault f = message_load(q, m, -1);
    if (is_fault(f)) {
        message_damaged(q, m, f);
        return false;
    }
    queue_message *file = &m->loaded->file;
    for (uint32_t i = 0; i < file->head.recipient_count; i++)
        if (file->slots[i].state == SLOT_FAILED) {
            file->slots[i] = queue_slot_make(SLOT_DEFERRED, clock_s(), file->slots[i].status, str_c(file->slots[i].reason));
            queue_slot_write(m->loaded->fd, &file->head, i, &file->slots[i]);
        }
    m->tries++; /* a message that policy held is not held again */
    queue_schedule_write(m->loaded->fd, clock_s(), m->tries);
    message_unload(q, m);
    schedule_ready(q, m);
    return true;
}

static bool flush(qmgr *q, message *m)
{
    if (m->place != QUEUE_DEFERRED)
        return false;
    schedule_ready(q, m);
    return true;
}

static bool change_some(client *c, str argument, change *apply)
{
    qmgr *q = c->qmgr;
    uint64_t id;
    if (!str_equal(argument, STR("ALL"))) {
        message *m = queue_id_read(argument, &id) ? message_find(q, id) : NULL;
        if (m == NULL)
            return end(c, fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(argument)), 0);
        return end(c, NO_FAULT, apply(q, m));
    }
    VEC(message *) all = { 0 };
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->messages, &cursor, &e))
        *vec_add(&all) = e.value;
    uint32_t n = 0;
    for (size_t i = 0; i < all.n; i++)
        n += apply(q, all.p[i]);
    vec_free(&all);
    return end(c, NO_FAULT, n);
}

static bool on_hold(client *c, str argument)
{
    return change_some(c, argument, hold);
}

static bool on_release(client *c, str argument)
{
    return change_some(c, argument, release);
}

static bool on_delete(client *c, str argument)
{
    return change_some(c, argument, drop);
}

static bool on_flush(client *c, str argument)
{
    return change_some(c, argument, flush);
}

typedef struct verb {
    const char *name;
    bool is_open; /* to everybody */
    bool (*handle)(client *c, str argument);
} verb;

static const verb verbs[] = {
    { "list", false, on_list },       { "more", false, on_more },       { "show", false, on_show },
    { "hold", false, on_hold },       { "release", false, on_release }, { "delete", false, on_delete },
    { "flush", true, on_flush },
};

static bool on_ask(void *context, channel *ch, received *r)
{
    client *c = context;
    admin_ask m;
    (void)ch;
    if (admin_ask_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_equal(m.verb, str_c(verbs[i].name)))
            continue;
        if (!verbs[i].is_open && c->uid != 0 && c->uid != geteuid())
            return end(c, fault_make(FAULT_REFUSED, "7.1", "only root may do that"), 0);
        return verbs[i].handle(c, m.argument);
    }
    return end(c, fault_make(FAULT_REFUSED, "5.1", "no such request: %.*s", STR_ARG(m.verb)), 0);
}

static const talk_row rows[] = { { ADMIN_ASK, 0, 0, on_ask } };
static const talk admin_talk = { "queue", rows, COUNT_OF(rows), client_free };

void admin_connection(listener *l, const accepted *a)
{
    client *c = memory_get(sizeof *c);
    c->qmgr = l->daemon->state;
    c->uid = a->uid;
    channel_open(&c->channel, l->daemon->loop, a->fd, &admin_talk, c);
}
