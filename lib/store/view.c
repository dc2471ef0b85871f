/* A session's view of a mailbox: which UIDs have which sequence numbers, and what it has been told. */
#include "store/internal.h"
#include <fcntl.h>
#include <stdio.h>

void view_ranks(mailbox *m)
{
    uint32_t n = 0;
    m->before.n = 0;
    for (size_t i = 0; i < m->uids.n; i++) {
        *vec_add(&m->before) = n;
        n += m->uids.p[i].last - m->uids.p[i].first + 1;
    }
}

static void uids_read(MDB_txn *t, uint32_t id, uint64_t newer_than, uid_set *present, uid_set *newer)
{
    record chunk[CHUNK];
    uint32_t number = 0;

    for (uint32_t from = 0; index_chunk_next(t, id, from, &number, chunk); from = number + 1)
        for (uint32_t i = 0; i < CHUNK; i++) {
            uint32_t uid = number * CHUNK + i;
            if (!(chunk[i].state & RECORD_PRESENT))
                continue;
            uid_set_add(present, uid, uid);
            if (newer && chunk[i].modseq > newer_than)
                uid_set_add(newer, uid, uid);
        }
}

/* Another session will be the first to have them; this one, read-only, sees them as recent too. */
static void recent_look(mailbox *m, const box_state *b)
{
    uint32_t from = b->recent_from > m->uidnext ? b->recent_from : m->uidnext;
    if (m->is_readonly && from < b->uidnext)
        uid_set_add(&m->recent, from, b->uidnext - 1);
}

static fault view_load(mailbox *m)
{
    MDB_txn *t;
    box_state state;
    fault f = env_read(&m->box.s->index, &t);

    if (is_fault(f))
        return f;
    bool is_there = index_box_get(t, m->box.id, &state, NULL);
    if (is_there) {
        uids_read(t, m->box.id, 0, &m->uids, NULL);
        recent_look(m, &state);
        m->modseq = m->gone_modseq = state.modseq;
        m->uidnext = state.uidnext;
    }
    env_read_end(&m->box.s->index);
    view_ranks(m);
    keywords_load(m);
    return is_there ? NO_FAULT : box_is_gone();
}

fault mailbox_open(store *s, str name, bool is_readonly, mailbox **out)
{
    box b;
    fault f = box_open(s, name, &b);

    if (is_fault(f))
        return f;
    mailbox *m = memory_get(sizeof *m);
    m->box = b;
    m->is_readonly = is_readonly;
    m->watches[0] = m->watches[1] = -1;
    m->next = s->mailboxes;
    s->mailboxes = m;
    f = box_sync(&m->box, m, false);
    if (!is_fault(f))
        f = view_load(m);
    if (is_fault(f)) {
        mailbox_close(m);
        return f;
    }
    *out = m;
    return NO_FAULT;
}

void mailbox_close(mailbox *m)
{
    if (m == NULL)
        return;
    mailbox_watch(m, false);
    for (mailbox **at = &m->box.s->mailboxes; *at; at = &(*at)->next)
        if (*at == m) {
            *at = m->next;
            break;
        }
    box_close(&m->box);
    uid_set_free(&m->uids);
    uid_set_free(&m->recent);
    vec_free(&m->before);
    vec_free(&m->own);
    keywords_free(m);
    free(m);
}

fault mailbox_sync(mailbox *m)
{
    return box_sync(&m->box, m, false);
}

typedef struct news { /* since the view was told */
    uid_set flags, arrivals, gone;
} news;

static bool is_own(const mailbox *m, uint64_t modseq)
{
    for (size_t i = 0; i < m->own.n; i++)
        if (m->own.p[i] == modseq)
            return true;
    return false;
}

/* By the log: asks for what is newer, and looks at nothing else. */
static void news_from_log(MDB_txn *t, const mailbox *m, uid_set *changed, news *out)
{
    uid_set row = { 0 }, gone = { 0 };
    uint64_t at = m->gone_modseq < m->modseq ? m->gone_modseq : m->modseq;

    while (index_log_next(t, m->box.id, &at, &row, &gone)) {
        uid_set_unite(&out->gone, &gone);
        if (at > m->modseq && !is_own(m, at))
            uid_set_unite(changed, &row);
    }
    uid_set_free(&row);
    uid_set_free(&gone);
}

/* The log does not go back so far: by comparing everything. */
static void news_from_records(MDB_txn *t, const mailbox *m, uid_set *changed, news *out)
{
    uid_set present = { 0 };
    uids_read(t, m->box.id, m->modseq, &present, changed);
    uid_set_copy(&m->uids, &out->gone);
    uid_set_remove(&out->gone, &present);
    uid_set_free(&present);
}

static void news_read(MDB_txn *t, const mailbox *m, const box_state *b, news *out)
{
    uid_set changed = { 0 };
    uint64_t oldest = m->gone_modseq < m->modseq ? m->gone_modseq : m->modseq;

    if (oldest < b->log_floor)
        news_from_records(t, m, &changed, out);
    else
        news_from_log(t, m, &changed, out);
    uid_set_remove(&changed, &out->gone);
    if (m->uidnext < b->uidnext) {
        uid_range fresh = { m->uidnext, b->uidnext - 1 };
        uid_set_intersect(&changed, &(uid_set){ &fresh, 1, 1 }, &out->arrivals);
    }
    uid_set_intersect(&changed, &m->uids, &out->flags);
    uid_set_free(&changed);
}

static void expunges_tell(mailbox *m, const uid_set *gone, mailbox_changes *out)
{
    uid_set_intersect(gone, &m->uids, &out->vanished);
    for (size_t i = out->vanished.n; i-- > 0;)
        for (uint32_t uid = out->vanished.p[i].last; uid >= out->vanished.p[i].first; uid--)
            *vec_add(&out->expunged) = mailbox_sequence(m, uid);
    uid_set_remove(&m->uids, &out->vanished);
    uid_set_remove(&m->recent, &out->vanished);
}

static void news_take(mailbox *m, const box_state *b, bool keeps_expunged, news *n, mailbox_changes *out)
{
    if (!keeps_expunged) {
        expunges_tell(m, &n->gone, out);
        m->gone_modseq = b->modseq;
    }
    out->has_more = n->arrivals.n > 0;
    uid_set_unite(&m->uids, &n->arrivals);
    uid_set_free(&out->flags);
    out->flags = n->flags;
    n->flags = (uid_set){ 0 };
    recent_look(m, b);
    m->modseq = b->modseq;
    m->uidnext = b->uidnext;
    m->own.n = 0;
    view_ranks(m);
}

static bool is_news(const mailbox *m, const box_state *b, bool keeps_expunged)
{
    return m->modseq != b->modseq || (!keeps_expunged && m->gone_modseq != b->modseq);
}

fault mailbox_poll(mailbox *m, bool keeps_expunged, mailbox_changes *out)
{
    MDB_txn *t;
    box_state state;
    news n = { 0 };

    *out = (mailbox_changes){ 0 };
    fault f = store_index(m->box.s);
    if (!is_fault(f))
        f = env_read(&m->box.s->index, &t);
    if (is_fault(f))
        return f;
    if (!index_box_get(t, m->box.id, &state, NULL)) {
        f = box_is_gone();
    } else if (is_news(m, &state, keeps_expunged)) {
        news_read(t, m, &state, &n);
        news_take(m, &state, keeps_expunged, &n, out);
    }
    env_read_end(&m->box.s->index);
    uid_set_free(&n.arrivals);
    uid_set_free(&n.gone);
    out->has_keywords = keywords_load(m);
    out->messages = mailbox_count(m);
    out->recent = mailbox_recent(m);
    return f;
}

void mailbox_changes_free(mailbox_changes *c)
{
    vec_free(&c->expunged);
    uid_set_free(&c->vanished);
    uid_set_free(&c->flags);
}

bool mailbox_is_readonly(const mailbox *m)
{
    return m->is_readonly;
}

uint32_t mailbox_count(const mailbox *m)
{
    if (m->uids.n == 0)
        return 0;
    uid_range last = m->uids.p[m->uids.n - 1];
    return m->before.p[m->uids.n - 1] + last.last - last.first + 1;
}

uint32_t mailbox_recent(const mailbox *m)
{
    uid_set both = { 0 };
    uid_set_intersect(&m->recent, &m->uids, &both);
    uint32_t n = uid_set_count(&both);
    uid_set_free(&both);
    return n;
}

uint32_t mailbox_uidvalidity(const mailbox *m)
{
    return m->box.uidvalidity;
}

uint32_t mailbox_uidnext(const mailbox *m)
{
    return m->uidnext;
}

uint64_t mailbox_modseq(const mailbox *m)
{
    return m->modseq;
}

const uid_set *mailbox_uids(const mailbox *m)
{
    return &m->uids;
}

/* The last range whose `value` is not above the wanted one. */
static size_t range_find(const mailbox *m, uint32_t wanted, bool is_uid)
{
    size_t low = 0, high = m->uids.n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        uint32_t value = is_uid ? m->uids.p[middle].first : m->before.p[middle] + 1;
        if (value <= wanted)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t mailbox_uid(const mailbox *m, uint32_t sequence)
{
    if (sequence == 0 || sequence > mailbox_count(m))
        return 0;
    size_t at = range_find(m, sequence, false);
    return m->uids.p[at].first + (sequence - m->before.p[at] - 1);
}

uint32_t mailbox_sequence(const mailbox *m, uint32_t uid)
{
    if (m->uids.n == 0)
        return 0;
    size_t at = range_find(m, uid, true);
    uid_range r = m->uids.p[at];
    return uid >= r.first && uid <= r.last ? m->before.p[at] + uid - r.first + 1 : 0;
}

bool mailbox_pick_sequences(const mailbox *m, const uid_set *sequences, uid_set *out)
{
    out->n = 0;
    if (sequences->n && sequences->p[sequences->n - 1].last > mailbox_count(m))
        return false;
    uid_set_at(&m->uids, sequences, out);
    return true;
}

void mailbox_pick_uids(const mailbox *m, const uid_set *uids, uid_set *out)
{
    uid_set_intersect(&m->uids, uids, out);
}
