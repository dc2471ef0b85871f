/* `postrider queue` asks here (public/queue). Root and our own uid see and change everything; others
 * may ask for a flush. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/vec.h"
#include "qmgr/qmgr.h"
#include "qmgr/touched.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIST_BATCH = 100 }; /* descriptors on their way at a time */

typedef struct listing { /* what a list still has to show, from `at` on */
    VEC(uint64_t) ids;
    size_t at;
} listing;

static void on_gone(admin_client *c)
{
    listing *l = c->context;
    if (l)
        vec_free(&l->ids);
    free(l);
}

/* The row of a message is its file: the asker reads it with the same code as on a stopped suite. */
static bool file_put(admin_client *c, const message *m)
{
    const qmgr *q = c->desk->owner;
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0)
        return false;
    char row[64];
    int n = snprintf(row, sizeof row, "%s %s %llu", queue_id_text(m->id).text, queue_place_name(m->place),
                     (unsigned long long)m->next_try_s);
    return admin_row_put_fd(c, (str){ row, (size_t)n }, fd);
}

/* A part of the list; END says "more" when it goes on, and the asker asks for that. */
static void on_more(admin_client *c, str argument)
{
    listing *l = c->context;
    uint32_t n = 0;
    (void)argument;
    for (unsigned i = 0; l && i < LIST_BATCH && l->at < l->ids.n; i++) {
        message *m = message_find(c->desk->owner, l->ids.p[l->at++]);
        n += m && file_put(c, m);
    }
    if (l && l->at < l->ids.n)
        admin_more_put(c, n);
    else
        admin_end_put(c, NO_FAULT, n);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The oldest first: ids grow. */
static void on_list(admin_client *c, str argument)
{
    const qmgr *q = c->desk->owner;
    map_entry e;
    size_t cursor = 0;
    on_gone(c);
    listing *l = c->context = memory_get(sizeof *l);
    while (map_next(&q->messages, &cursor, &e))
        *vec_add(&l->ids) = ((const message *)e.value)->id;
    if (l->ids.n)
        qsort(l->ids.p, l->ids.n, sizeof *l->ids.p, by_number);
    on_more(c, argument);
}

static message *message_named(admin_client *c, str name)
{
    uint64_t id;
    message *m = queue_id_read(name, &id) ? message_find(c->desk->owner, id) : NULL;
    if (m == NULL)
        admin_end_put(c, fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(name)), 0);
    return m;
}

static void on_show(admin_client *c, str argument)
{
    message *m = message_named(c, argument);
    if (m == NULL)
        return;
    bool is_there = file_put(c, m);
    admin_end_put(c, is_there ? NO_FAULT : fault_errno("open the queue file"), is_there);
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

/* What had failed for good gets another chance, unless its sender was told so. */
static bool release(qmgr *q, message *m)
{
    if (m->place != QUEUE_HOLD)
        return false;
    fault f = message_load(q, m);
    if (is_fault(f)) {
        message_damaged(q, m, f);
        return false;
    }
    queue_message *file = &m->loaded->file;
    for (uint32_t i = 0; i < file->head.recipient_count; i++)
        if (file->slots[i].state == SLOT_FAILED && !(file->slots[i].told & SLOT_TOLD_FAILURE)) {
            file->slots[i] =
                queue_slot_make(SLOT_DEFERRED, clock_s(), file->slots[i].status, str_c(file->slots[i].reason));
            queue_slot_write(message_write_fd(q, m), &file->head, i, &file->slots[i]);
        }
    m->tries++; /* a message that policy held is not held again */
    queue_schedule_write(message_write_fd(q, m), clock_s(), m->tries);
    bool is_out = message_move(q, m, QUEUE_DEFERRED) && fsync(message_write_fd(q, m)) == 0;
    message_unload(q, m);
    schedule_ready(q, m);
    return is_out;
}

static bool flush(qmgr *q, message *m)
{
    if (m->place != QUEUE_DEFERRED)
        return false;
    schedule_ready(q, m);
    return true;
}

static bool change_one(qmgr *q, message *m, change *apply, touched *t)
{
    queue_place from = m->place;
    uint64_t id = m->id;
    if (!apply(q, m))
        return false;
    touched_add(t, from, id);
    m = message_find(q, id);
    if (m)
        touched_add(t, m->place, id);
    return true;
}

static uint32_t change_all(qmgr *q, change *apply, touched *t)
{
    VEC(message *) all = { 0 };
    map_entry e;
    size_t cursor = 0;
    uint32_t n = 0;
    while (map_next(&q->messages, &cursor, &e))
        *vec_add(&all) = e.value;
    for (size_t i = 0; i < all.n; i++)
        n += change_one(q, all.p[i], apply, t);
    vec_free(&all);
    return n;
}

/* What is answered survives a power cut: held is not delivered, deleted does not come back. */
static void change_some(admin_client *c, str argument, change *apply)
{
    qmgr *q = c->desk->owner;
    touched t = { 0 };
    uint32_t n = 0;
    if (str_equal(argument, STR("ALL"))) {
        n = change_all(q, apply, &t);
    } else {
        message *m = message_named(c, argument);
        if (m == NULL)
            return;
        n = change_one(q, m, apply, &t);
    }
    admin_end_put(c, apply == flush ? NO_FAULT : touched_sync(&t, q->root_fd), n);
}

static void on_hold(admin_client *c, str argument)
{
    change_some(c, argument, hold);
}

static void on_release(admin_client *c, str argument)
{
    change_some(c, argument, release);
}

static void on_delete(admin_client *c, str argument)
{
    change_some(c, argument, drop);
}

static void on_flush(admin_client *c, str argument)
{
    change_some(c, argument, flush);
}

static const admin_verb verbs[] = {
    { "list", false, on_list },  { "more", false, on_more },       { "show", false, on_show },
    { "hold", false, on_hold },  { "release", false, on_release }, { "delete", false, on_delete },
    { "flush", true, on_flush },
};

void admin_start(qmgr *q)
{
    q->desk = (admin_desk){ .loop = q->process->loop,
                            .owner = q,
                            .name = "queue",
                            .verbs = verbs,
                            .verb_count = COUNT_OF(verbs),
                            .on_gone = on_gone };
    admin_open(&q->desk);
}

void admin_connection(listener *l, const accepted *a)
{
    qmgr *q = l->daemon->state;
    admin_admit(&q->desk, a->fd, a->uid);
}
