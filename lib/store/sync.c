#include "base/clock.h"
#include "base/map.h"
#include "store/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct entry { /* a file */
    str name;
    maildir_name parts;
    uint32_t uid; /* 0: the index does not have it */
    bool is_in_new, is_double;
} entry;

typedef struct listing {
    arena names;
    VEC(entry) entries;
    uint32_t *slots; /* entry + 1 by hash of the base name */
    size_t n_slots;  /* a power of two */
    bool has_new, has_cur, is_reading_new;
    dir_stamp new, cur;
} listing;

typedef struct moved { /* the same message under another name */
    uint32_t uid, entry;
    uint32_t old_flags, old_keywords;
} moved;

typedef struct merge {
    box *b;
    mailbox *claimer;
    bool is_forced, has_news, has_arrivals;
    uint32_t claimed_first, claimed_last; /* 0: none */
    box_writer w;
    listing l;
    VEC(moved) moved;
    uid_set vanished;
} merge;

enum { NAMES_MAX = 1 << 30 };

/* Fixed: the names are the user's own, and nobody else gains by collisions. */
static const uint64_t seed[2] = { 0x6d6169, 0x6c646972 };

static void entry_add(void *context, str name)
{
    listing *l = context;
    entry e = { .is_in_new = l->is_reading_new };
    if (!maildir_name_read(name, &e.parts))
        return;
    e.name = arena_copy(&l->names, name);
    maildir_name_read(e.name, &e.parts);
    *vec_add(&l->entries) = e;
}

static uint32_t *slot_of(const listing *l, str base)
{
    size_t at = hash_bytes(seed, base) & (l->n_slots - 1);
    while (l->slots[at] && !str_equal(l->entries.p[l->slots[at] - 1].parts.base, base))
        at = (at + 1) & (l->n_slots - 1);
    return &l->slots[at];
}

/* Of two files with one base name the later listed counts: cur/ before new/, when it was moved while we looked. */
static void listing_hash(listing *l)
{
    for (l->n_slots = 16; l->n_slots < l->entries.n * 2;)
        l->n_slots *= 2;
    l->slots = memory_get(l->n_slots * sizeof *l->slots);
    for (size_t i = 0; i < l->entries.n; i++) {
        uint32_t *slot = slot_of(l, l->entries.p[i].parts.base);
        if (*slot)
            l->entries.p[*slot - 1].is_double = true;
        *slot = (uint32_t)i + 1;
    }
}

static void listing_free(listing *l)
{
    arena_free(&l->names);
    vec_free(&l->entries);
    free(l->slots);
    memset(l, 0, sizeof *l);
}

/* new/ before cur/: what is moved between the two while we look is seen at least once. */
static fault listing_read(merge *m, bool has_new, bool has_cur)
{
    listing *l = &m->l;
    int dirfd = m->b->dirfd;
    uint64_t now_ns = clock_us() * 1000;

    listing_free(l);
    l->names = arena_new(NAMES_MAX);
    l->has_new = has_new;
    l->has_cur = has_cur;
    if (!folder_stamp(dirfd, "new", now_ns, &l->new) || !folder_stamp(dirfd, "cur", now_ns, &l->cur))
        return box_is_gone();
    l->is_reading_new = true;
    fault f = has_new ? folder_list(dirfd, "new", LIST_FILES, entry_add, l) : NO_FAULT;
    l->is_reading_new = false;
    if (!is_fault(f) && has_cur)
        f = folder_list(dirfd, "cur", LIST_FILES, entry_add, l);
    listing_hash(l);
    return f;
}

static bool is_same_stamp(const dir_stamp *seen, const dir_stamp *now)
{
    return seen->is_sure && seen->mtime_ns == now->mtime_ns && seen->ctime_ns == now->ctime_ns &&
           seen->inode == now->inode;
}

static void compare_one(merge *m, uint32_t uid, str known)
{
    const record *r = box_writer_get(&m->w, uid);
    maildir_name old;

    if (r == NULL || !maildir_name_read(known, &old))
        return;
    bool is_in_new = r->state & RECORD_IN_NEW;
    uint32_t at = *slot_of(&m->l, old.base);
    if (at == 0) {
        if (is_in_new ? m->l.has_new : m->l.has_cur)
            uid_set_add(&m->vanished, uid, uid);
        return;
    }
    entry *e = &m->l.entries.p[at - 1];
    if (e->uid) /* two UIDs with one base name: the first keeps the file */
        uid_set_add(&m->vanished, uid, uid);
    else if (!str_equal(e->name, known) || e->is_in_new != is_in_new)
        *vec_add(&m->moved) = (moved){ uid, at - 1, old.flags, old.keywords };
    if (e->uid == 0)
        e->uid = uid;
}

static fault compare(merge *m)
{
    MDB_cursor *c;
    uint32_t uid = 0;
    str known;

    m->moved.n = m->vanished.n = 0;
    int result = mdb_cursor_open(m->w.txn, ENV_TABLE, &c);
    if (result)
        return env_fault(&m->b->s->index, result, "read");
    while (index_name_next(c, m->b->id, &uid, &known))
        compare_one(m, uid, known);
    mdb_cursor_close(c);
    return NO_FAULT;
}

static fault list_and_compare(merge *m, bool has_new, bool has_cur)
{
    fault f = listing_read(m, has_new, has_cur);
    return is_fault(f) ? f : compare(m);
}

/* A listing may miss a file that is renamed meanwhile. So who is missing must be missing twice, unless all was
 * quiet. */
static fault vanished_confirm(merge *m)
{
    uid_set first = { 0 };
    fault f = NO_FAULT;

    if (m->vanished.n == 0)
        return f;
    if (!m->l.has_cur || !m->l.has_new) /* it may have gone from one to the other */
        f = list_and_compare(m, true, true);
    if (!is_fault(f) && m->vanished.n && !(m->l.cur.is_sure && m->l.new.is_sure)) {
        uid_set_copy(&m->vanished, &first);
        f = list_and_compare(m, true, true);
        uid_set second = m->vanished;
        m->vanished = (uid_set){ 0 };
        uid_set_intersect(&first, &second, &m->vanished);
        uid_set_free(&first);
        uid_set_free(&second);
    }
    return f;
}

/* What another program changed in the name since we last saw it is laid over what the index has, and nothing else: a
 * change that still waits for its rename is kept. */
static void moved_apply(merge *m, const moved *v)
{
    const entry *e = &m->l.entries.p[v->entry];
    record r = *box_writer_get(&m->w, v->uid);
    uint16_t flags = r.flags;
    uint32_t keywords = r.keywords;
    uint32_t f = v->old_flags ^ e->parts.flags, k = v->old_keywords ^ e->parts.keywords;

    r.flags = (uint16_t)((r.flags & ~f) | (e->parts.flags & f));
    r.keywords = (r.keywords & ~k) | (e->parts.keywords & k);
    r.state = RECORD_PRESENT | (e->is_in_new ? RECORD_IN_NEW : 0);
    bool is_news = r.flags != flags || r.keywords != keywords;
    box_writer_put(&m->w, v->uid, &r, is_news);
    box_writer_name(&m->w, v->uid, e->name);
    m->has_news |= is_news;
}

static int by_arrival(const void *a, const void *b)
{
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    if (x->parts.time_s != y->parts.time_s)
        return x->parts.time_s < y->parts.time_s ? -1 : 1;
    return str_compare(x->parts.base, y->parts.base);
}

/* Only its size is looked at: thousands of files are not opened here. Its blocks have their turn when it is read. */
static bool is_torn(const merge *m, const entry *e)
{
    char path[MAILDIR_NAME_MAX + 8] = "new/";
    struct stat st;

    if (!e->is_in_new || !e->parts.is_ours)
        return false;
    memcpy(path + 4, e->name.p, e->name.n);
    return fstatat(m->b->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && torn_set_aside(m->b->dirfd, path, -1, &st);
}

static void arrival_add(merge *m, const entry *e)
{
    if (m->w.box.uidnext == UINT32_MAX)
        return;
    uint32_t uid = m->w.box.uidnext++;
    record r = {
        .keywords = e->parts.keywords,
        .stored_bytes = e->parts.stored_bytes,
        .wire_bytes = e->parts.wire_bytes,
        .flags = (uint16_t)e->parts.flags,
        .state = e->is_in_new ? RECORD_IN_NEW : 0,
    };
    box_writer_put(&m->w, uid, &r, true);
    box_writer_name(&m->w, uid, e->name);
    m->has_news = m->has_arrivals = true;
}

static void arrivals_add(merge *m)
{
    VEC(entry *) fresh = { 0 };
    for (size_t i = 0; i < m->l.entries.n; i++) {
        entry *e = &m->l.entries.p[i];
        if (e->uid == 0 && !e->is_double && !is_torn(m, e))
            *vec_add(&fresh) = e;
    }
    if (fresh.n)
        qsort(fresh.p, fresh.n, sizeof *fresh.p, by_arrival);
    for (size_t i = 0; i < fresh.n; i++)
        arrival_add(m, fresh.p[i]);
    vec_free(&fresh);
}

static bool is_claim_due(const mailbox *claimer, const box_state *b)
{
    return claimer && !claimer->is_readonly && b->recent_from < b->uidnext;
}

/* \Recent goes to one session only; what it was shown need not stay in new/. */
static void claim(merge *m)
{
    box_state *b = &m->w.box;
    if (!is_claim_due(m->claimer, b))
        return;
    m->claimed_first = b->recent_from;
    m->claimed_last = b->uidnext - 1;
    box_writer_pending(&m->w, m->claimed_first, m->claimed_last);
    b->recent_from = b->uidnext;
    m->w.is_box_changed = true;
}

static void apply(merge *m)
{
    for (size_t i = 0; i < m->moved.n; i++)
        moved_apply(m, &m->moved.p[i]);
    for (uint32_t uid = 0; (uid = uid_set_next(&m->vanished, uid + 1)) != 0;)
        box_writer_remove(&m->w, uid);
    m->has_news |= m->vanished.n > 0;
    arrivals_add(m);
    if (m->l.has_new)
        m->w.box.new = m->l.new;
    if (m->l.has_cur)
        m->w.box.cur = m->l.cur;
    m->w.is_box_changed |= m->l.has_new || m->l.has_cur;
}

/* Within the write transaction, so that no other process gives or takes UIDs between the look at the folder and the
 * commit. */
static fault merge_write(MDB_txn *t, void *context)
{
    merge *m = context;
    dir_stamp new, cur;
    fault f = NO_FAULT;

    m->has_news = m->has_arrivals = false;
    m->claimed_first = 0;
    if (!box_writer_open(&m->w, t, m->b->id) || m->w.box.uidvalidity != m->b->uidvalidity)
        f = box_is_gone();
    else if (!folder_stamp(m->b->dirfd, "new", 0, &new) || !folder_stamp(m->b->dirfd, "cur", 0, &cur))
        f = box_is_gone();
    else {
        bool has_new = m->is_forced || !is_same_stamp(&m->w.box.new, &new);
        bool has_cur = m->is_forced || !is_same_stamp(&m->w.box.cur, &cur);
        if (has_new || has_cur)
            f = list_and_compare(m, has_new, has_cur);
        if (!is_fault(f))
            f = vanished_confirm(m);
        if (!is_fault(f) && (has_new || has_cur))
            apply(m);
        m->has_news |= is_fault(f);
    }
    if (!is_fault(f))
        claim(m);
    int result = box_writer_finish(&m->w);
    listing_free(&m->l);
    return is_fault(f) ? f : env_fault(&m->b->s->index, result, "write");
}

static fault is_merge_due(box *b, const mailbox *claimer, bool *out)
{
    MDB_txn *t;
    box_state state;
    dir_stamp new, cur;
    fault f = env_read(&b->s->index, &t);

    if (is_fault(f))
        return f;
    bool is_known = index_box_get(t, b->id, &state, NULL) && state.uidvalidity == b->uidvalidity;
    env_read_end(&b->s->index);
    if (!is_known || !folder_stamp(b->dirfd, "new", 0, &new) || !folder_stamp(b->dirfd, "cur", 0, &cur))
        return box_is_gone();
    *out = !is_same_stamp(&state.new, &new) || !is_same_stamp(&state.cur, &cur) || is_claim_due(claimer, &state);
    return NO_FAULT;
}

fault box_sync(box *b, mailbox *claimer, bool is_forced)
{
    bool is_due = is_forced;
    fault f = store_index(b->s);

    if (!is_fault(f) && !is_forced)
        f = is_merge_due(b, claimer, &is_due);
    if (is_fault(f) || !is_due)
        return f;
    merge m = { .b = b, .claimer = claimer, .is_forced = is_forced };
    f = env_write(&b->s->index, merge_write, &m);
    if (!is_fault(f) && m.has_arrivals)
        f = env_sync(&b->s->index); /* a UID is durable before anyone sees it */
    if (!is_fault(f) && claimer && m.claimed_first)
        uid_set_add(&claimer->recent, m.claimed_first, m.claimed_last);
    if (!is_fault(f) && m.vanished.n)
        cache_forget(b->s, b->id, &m.vanished);
    vec_free(&m.moved);
    uid_set_free(&m.vanished);
    if (f.kind == FAULT_TRY_LATER && !m.has_news && !m.claimed_first)
        return NO_FAULT; /* a full disk: only the time stamps could not be kept */
    return f;
}
