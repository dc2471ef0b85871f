/* Messages whose files are made anew by a client: qmgr gives it an empty file in incoming, and when the client has made that whole
 * and durable, one rename puts it into its place. Until then the message rests, and the old file is what counts. Runs in: qmgr.
 * A client that goes leaves everything as it was. */
#include "base/clock.h"
#include "base/log.h"
#include "qmgr/admin.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static loan *loan_of(const admin_client *c, uint64_t id)
{
    desk_work *w = c->context;
    for (size_t i = 0; w && i < w->loans.n; i++)
        if (w->loans.p[i].id == id)
            return &w->loans.p[i];
    return NULL;
}

bool desk_is_lent(const admin_desk *d, uint64_t id)
{
    for (const admin_client *c = d->clients; c; c = c->next)
        if (loan_of(c, id))
            return true;
    return false;
}

/* The message is as it was; the heap gives one that is overdue at once. */
static void rest_end(qmgr *q, const loan *l)
{
    message *m = l->is_new ? NULL : message_find(q, l->id);
    if (m)
        m->is_lent = false;
    if (m && m->place == QUEUE_DEFERRED)
        schedule_at(q, m, m->next_try_s ? m->next_try_s : 1);
}

static void loan_end(admin_client *c, loan *l)
{
    qmgr *q = c->desk->owner;
    desk_work *w = c->context;
    loan ended = *l;
    *l = w->loans.p[--w->loans.n];
    queue_tree_remove(q->root_fd, QUEUE_INCOMING, ended.id);
    rest_end(q, &ended);
}

void desk_loans_end(admin_client *c)
{
    desk_work *w = c->context;
    while (w->loans.n)
        loan_end(c, &w->loans.p[w->loans.n - 1]);
}

static const char *may_not_lend(const admin_client *c, const message *m)
{
    if (m == NULL)
        return "no such message";
    if (desk_is_lent(c->desk, m->id))
        return "another command changes it now";
    bool is_at_rest = m->state == MESSAGE_AT_REST || m->state == MESSAGE_WAITING;
    return is_at_rest && (m->place == QUEUE_DEFERRED || m->place == QUEUE_HOLD) ? NULL : "it is being delivered";
}

static bool lend_put(admin_client *c, message *m)
{
    qmgr *q = c->desk->owner;
    char row[64];
    int fds[2] = { queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY),
                   queue_tree_create(q->root_fd, QUEUE_INCOMING, m->id) };
    queue_schedule times = { 0 };
    uint64_t arrived_s;
    if (fds[0] >= 0)
        (void)queue_times_read(fds[0], &arrived_s, &times);
    if (fds[0] < 0 || fds[1] < 0) {
        desk_row_put(c, m->id, fault_errno("open the queue file").text);
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        if (fds[1] >= 0)
            queue_tree_remove(q->root_fd, QUEUE_INCOMING, m->id);
        return false;
    }
    schedule_never(q, m);
    m->is_lent = true;
    if (m->next_try_s == 0) /* the scan has not come to it */
        m->next_try_s = times.next_try_s;
    *vec_add(&desk_work_of(c)->loans) = (loan){ .id = m->id, .place = (queue_place)m->place };
    int n = snprintf(row, sizeof row, "%s %s %llu", queue_id_text(m->id).text, queue_place_name(m->place),
                     (unsigned long long)m->next_try_s);
    return admin_row_put_fds(c, (str){ row, (size_t)n }, fds, 2);
}

static bool lend_one(admin_client *c, uint64_t id)
{
    message *m = desk_find(c, id);
    const char *why = may_not_lend(c, m);
    if (why == NULL)
        return lend_put(c, m);
    desk_row_put(c, id, why);
    return false;
}

void desk_lend(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_FILES_MAX, lend_one);
}

/* What the client made must be whole, and under the name that it was given. */
static fault new_file_read(const qmgr *q, uint64_t id, queue_message *out)
{
    int fd = queue_tree_open(q->root_fd, QUEUE_INCOMING, id, O_RDONLY);
    if (fd < 0)
        return fault_errno("open the new queue file");
    arena a = arena_new(0);
    fault f = queue_read(fd, &a, out);
    if (!is_fault(f) && out->head.id != id)
        f = fault_make(FAULT_BROKEN, "3.0", "the queue file holds another id than its name");
    arena_free(&a); /* numbers alone are used */
    close(fd);
    return f;
}

static void kept_schedule(qmgr *q, const loan *l, const queue_message *file)
{
    message *m = l->is_new ? message_add(q, l->id, l->place, file->head.arrived_us / 1000000) : message_find(q, l->id);
    uint64_t next = file->schedule.next_try_s ? file->schedule.next_try_s : 1;
    m->tries = file->schedule.tries;
    m->next_try_s = next;
    m->is_lent = false;
    log_event(LOG_INFO, l->is_new ? "imported" : "rewritten", LOG_C("id", queue_id_text(m->id).text));
    if (m->place == QUEUE_DEFERRED && next <= clock_s())
        schedule_ready(q, m);
    else if (m->place == QUEUE_DEFERRED)
        schedule_at(q, m, next);
}

static bool keep_one(admin_client *c, uint64_t id)
{
    qmgr *q = c->desk->owner;
    desk_work *w = c->context;
    loan *l = loan_of(c, id);
    queue_message file;
    if (l == NULL) {
        desk_row_put(c, id, "it was not lent");
        return false;
    }
    fault f = new_file_read(q, id, &file);
    if (!is_fault(f) && !queue_tree_move(q->root_fd, QUEUE_INCOMING, l->place, id))
        f = fault_errno("rename the new queue file");
    if (is_fault(f)) {
        desk_row_put(c, id, f.text);
        loan_end(c, l);
        return false;
    }
    loan ended = *l;
    *l = w->loans.p[--w->loans.n];
    kept_schedule(q, &ended, &file);
    return true;
}

void desk_keep(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, keep_one);
}

static bool back_one(admin_client *c, uint64_t id)
{
    loan *l = loan_of(c, id);
    if (l)
        loan_end(c, l);
    return l != NULL;
}

void desk_back(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, back_one);
}

/* An id of the future would be given out again; one of the past that no message has is as good as any. */
static bool is_free(const qmgr *q, uint64_t id)
{
    if (id == 0 || id >= q->id_next || map_get(&q->messages, ID_KEY(id)) || map_get(&q->fresh, ID_KEY(id)))
        return false;
    int fd = queue_tree_open(q->root_fd, QUEUE_CORRUPT, id, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static fault bring(admin_client *c, uint64_t id, queue_place place)
{
    qmgr *q = c->desk->owner;
    fault f = NO_FAULT;
    int fd = is_free(q, id) ? queue_tree_create(q->root_fd, QUEUE_INCOMING, id) : -1;
    if (fd < 0 && !is_fault(f = ids_next(q, &id)) && (fd = queue_tree_create(q->root_fd, QUEUE_INCOMING, id)) < 0)
        f = fault_errno("create a queue file");
    if (is_fault(f))
        return f;
    *vec_add(&desk_work_of(c)->loans) = (loan){ .id = id, .place = place, .is_new = true };
    admin_row_put_fds(c, str_c(queue_id_text(id).text), &fd, 1);
    return NO_FAULT;
}

void desk_bring(admin_client *c, str argument)
{
    str name = STR_NONE, place = STR_NONE;
    uint64_t id;
    bool is_right = str_word(&argument, " ", &name) && str_word(&argument, " ", &place) && queue_id_read(name, &id);
    bool is_hold = str_equal(place, str_c(queue_place_name(QUEUE_HOLD)));
    if (!is_right || (!is_hold && !str_equal(place, str_c(queue_place_name(QUEUE_DEFERRED)))))
        admin_end_put(c, fault_make(FAULT_REFUSED, "5.1", "an id and deferred or hold are expected"), 0);
    else
        admin_end_put(c, bring(c, id, is_hold ? QUEUE_HOLD : QUEUE_DEFERRED), 1);
}
