/* Changes to messages that an admin asks for: hold, release, delete, flush, quarantine. Runs in: qmgr. */
#include "base/clock.h"
#include "qmgr/admin.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* False: *out says why not; nothing when there was nothing to change. */
typedef bool change(qmgr *q, message *m, fault *out);

/* What is answered survives a power cut: where it came and left is made durable before. */
static bool change_one(admin_client *c, message *m, change *what)
{
    qmgr *q = c->desk->owner;
    touched *t = &desk_work_of(c)->touched;
    queue_place from = (queue_place)m->place;
    uint64_t id = m->id;
    fault why = NO_FAULT;
    if (!what(q, m, &why)) {
        if (is_fault(why))
            desk_row_put(c, id, why.text);
        return false;
    }
    m = message_find(q, id);
    if (m == NULL || m->place != from)
        touched_add(t, from, id);
    if (m && m->place != from)
        touched_add(t, (queue_place)m->place, id);
    return true;
}

/* One that is lent is looked for by its borrower only. */
static bool apply(admin_client *c, uint64_t id, change *what)
{
    message *m = desk_find(c, id);
    if (m == NULL)
        desk_row_put(c, id, "no such message");
    else if (desk_is_lent(c->desk, id))
        desk_row_put(c, id, "another command changes it now");
    else
        return change_one(c, m, what);
    return false;
}

/* In our hands: what was asked is done when they are empty. */
static bool is_under_way(const message *m)
{
    return m->state == MESSAGE_ACTIVE || m->state == MESSAGE_READY;
}

static bool hold(qmgr *q, message *m, fault *out)
{
    if (m->place == QUEUE_HOLD)
        return false;
    m->asked = ASKED_HOLD;
    finish_asked(q, m);
    if (m->place == QUEUE_HOLD || is_under_way(m))
        return true;
    *out = fault_make(FAULT_TRY_LATER, "3.0", "it could not be moved to hold, and stays where it was");
    return false;
}

static bool hold_one(admin_client *c, uint64_t id)
{
    return apply(c, id, hold);
}

void desk_hold(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, hold_one);
}

static bool drop(qmgr *q, message *m, fault *out)
{
    uint64_t id = m->id;
    m->asked = ASKED_DELETE;
    finish_asked(q, m);
    m = message_find(q, id);
    if (m == NULL || is_under_way(m))
        return true;
    *out = fault_make(FAULT_TRY_LATER, "3.0", "it could not be removed now; that is tried again, and it is not delivered");
    return false;
}

/* A damaged file goes when it is named: it is not in memory. */
static bool delete_one(admin_client *c, uint64_t id)
{
    qmgr *q = c->desk->owner;
    if (admin_is_root(c) && message_find(q, id) == NULL && queue_tree_remove(q->root_fd, QUEUE_CORRUPT, id)) {
        touched_add(&desk_work_of(c)->touched, QUEUE_CORRUPT, id);
        return true;
    }
    return apply(c, id, drop);
}

void desk_delete(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, delete_one);
}

/* What had failed for good is pending again, unless its sender was told so. */
static fault failed_reopen(qmgr *q, message *m, bool *out_any)
{
    queue_message *file = &m->loaded->file;
    fault f = NO_FAULT;
    *out_any = false;
    for (uint32_t i = 0; i < file->head.recipient_count && !is_fault(f); i++)
        if (file->slots[i].state == SLOT_FAILED && !(file->slots[i].told & SLOT_TOLD_FAILURE)) {
            file->slots[i] =
                queue_slot_make(SLOT_DEFERRED, clock_s(), file->slots[i].status, str_c(file->slots[i].reason));
            f = queue_slot_write(message_write_fd(q, m), &file->head, i, &file->slots[i]);
            *out_any = true;
        }
    return f;
}

/* One try more says that a hold by policy is over, and that routes which were errors are looked up again. All of that is durable
 * before it leaves hold, so that it leaves whole or not at all. */
static fault release_prepare(qmgr *q, message *m)
{
    bool any;
    if (message_write_fd(q, m) < 0)
        return fault_errno("open the queue file");
    fault f = failed_reopen(q, m, &any);
    if (is_fault(f))
        return f;
    m->tries += any || (m->loaded->file.envelope.flags & ENVELOPE_HOLD);
    f = queue_schedule_write(message_write_fd(q, m), clock_s(), m->tries);
    if (!is_fault(f) && fsync(message_write_fd(q, m)) != 0)
        f = fault_errno("make the queue file durable");
    return f;
}

static bool release(qmgr *q, message *m, fault *out)
{
    if (m->place != QUEUE_HOLD)
        return false;
    *out = message_load(q, m);
    if (is_fault(*out) && out->kind != FAULT_TRY_LATER) {
        message_damaged(q, m, *out);
        return false;
    }
    if (!is_fault(*out))
        *out = release_prepare(q, m);
    if (!is_fault(*out) && !message_move(q, m, QUEUE_DEFERRED))
        *out = fault_make(FAULT_TRY_LATER, "3.0", "it could not be moved out of hold");
    message_unload(q, m);
    if (is_fault(*out))
        return false;
    m->is_flushed = true;
    schedule_ready(q, m);
    return true;
}

static bool release_one(admin_client *c, uint64_t id)
{
    return apply(c, id, release);
}

void desk_release(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, release_one);
}

static bool flush(qmgr *q, message *m, fault *out)
{
    (void)out;
    if (m->place != QUEUE_DEFERRED)
        return false;
    m->is_flushed = true;
    schedule_ready(q, m);
    return true;
}

static bool flush_one(admin_client *c, uint64_t id)
{
    return apply(c, id, flush);
}

/* Everybody may ask for all, or a site; how much there is, is not told to all: see desk_flush. */
static bool flush_step(admin_client *c, desk_work *w, message *m)
{
    fault none = NO_FAULT;
    (void)w;
    return !desk_is_lent(c->desk, m->id) && flush(c->desk->owner, m, &none) && admin_is_root(c);
}

static bool is_at_site(const queue_message *file, uint32_t i, str site)
{
    const envelope_recipient *r = &file->recipients[i];
    bool is_open = file->slots[i].state == SLOT_PENDING || file->slots[i].state == SLOT_DEFERRED;
    return is_open && (str_equal_nocase(queue_domain(r->address), site) || str_equal_nocase(r->nexthop, site));
}

static bool site_step(admin_client *c, desk_work *w, message *m)
{
    qmgr *q = c->desk->owner;
    int fd = m->place == QUEUE_DEFERRED ? queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY) : -1;
    if (fd < 0)
        return false;
    w->reads++;
    arena a = arena_new(0);
    queue_message file;
    bool is_meant = false;
    if (!is_fault(queue_read(fd, &a, &file)))
        for (uint32_t i = 0; i < file.head.recipient_count && !is_meant; i++)
            is_meant = is_at_site(&file, i, buf_str(&w->site));
    arena_free(&a);
    close(fd);
    return is_meant && flush_step(c, w, m);
}

void desk_flush(admin_client *c, str argument)
{
    str rest = argument, word = STR_NONE;
    str_word(&rest, " ", &word);
    if (str_equal(word, STR("ALL"))) {
        destinations_revive(c->desk->owner);
        desk_begin(c, flush_step);
    } else if (str_equal(word, STR("SITE"))) {
        buf *site = &desk_work_of(c)->site;
        buf_clear(site);
        buf_append(site, str_upto(str_trim(rest), site->max));
        desk_begin(c, site_step);
    } else {
        desk_ids(c, argument, ADMIN_IDS_MAX, flush_one);
    }
}

static bool quarantine_one(admin_client *c, uint64_t id)
{
    message *m = desk_find(c, id);
    bool is_at_rest = m && m->loaded == NULL && m->state != MESSAGE_READY && !desk_is_lent(c->desk, id);
    if (is_at_rest)
        message_damaged(c->desk->owner, m, fault_make(FAULT_BROKEN, "3.0", "found by `postrider queue check`"));
    else
        desk_row_put(c, id, m ? "it is being delivered" : "no such message");
    return is_at_rest;
}

void desk_quarantine(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_IDS_MAX, quarantine_one);
}
