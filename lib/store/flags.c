#include "store/internal.h"

typedef struct change_set {
    mailbox *m;
    const flag_change *changes;
    size_t n;
    uid_set failed;
    uint64_t modseq; /* 0: nothing changed */
} change_set;

static uint32_t changed(flag_action action, uint32_t old, uint32_t bits)
{
    return action == FLAGS_REPLACE ? bits : action == FLAGS_ADD ? old | bits : old & ~bits;
}

static void message_change(change_set *s, box_writer *w, const flag_change *c, uint32_t uid)
{
    const record *old = box_writer_get(w, uid);
    if (old == NULL)
        return;
    if (c->has_unchanged_since && old->modseq > c->unchanged_since) {
        uid_set_add(&s->failed, uid, uid);
        return;
    }
    record r = *old;
    r.flags = (uint16_t)changed(c->action, old->flags, c->flags & MESSAGE_FLAGS_ALL);
    r.keywords = changed(c->action, old->keywords, c->keywords & ((1u << KEYWORDS_MAX) - 1));
    if (r.flags == old->flags && r.keywords == old->keywords)
        return;
    box_writer_put(w, uid, &r, true);
}

static fault changes_write(MDB_txn *t, void *context)
{
    change_set *s = context;
    box_writer w;
    fault f = NO_FAULT;

    s->failed.n = 0;
    if (!box_writer_open(&w, t, s->m->box.id))
        f = box_is_gone();
    for (size_t i = 0; i < s->n && !is_fault(f); i++) {
        uid_set mine = { 0 }; /* "1:4294967295" costs no more than the messages that there are */
        uid_set_intersect(s->changes[i].uids, &s->m->uids, &mine);
        for (uint32_t uid = 1; (uid = uid_set_next(&mine, uid)) != 0; uid++)
            message_change(s, &w, &s->changes[i], uid);
        uid_set_free(&mine);
    }
    for (size_t i = 0; i < w.changed.n; i++) /* the files are renamed later */
        box_writer_pending(&w, w.changed.p[i].first, w.changed.p[i].last);
    s->modseq = w.changed.n ? w.box.modseq + 1 : 0;
    int result = box_writer_finish(&w);
    return is_fault(f) ? f : env_fault(&s->m->box.s->index, result, "write");
}

fault mailbox_change_flags(mailbox *m, const flag_change *changes, size_t n, uid_set *failed_out)
{
    change_set s = { .m = m, .changes = changes, .n = n };

    if (m->is_readonly)
        return fault_make(FAULT_REFUSED, "2.0", "the mailbox is open read-only");
    fault f = store_index(m->box.s);
    if (!is_fault(f))
        f = env_write(&m->box.s->index, changes_write, &s);
    if (!is_fault(f) && s.modseq)
        *vec_add(&m->own) = s.modseq;
    if (!is_fault(f) && failed_out)
        uid_set_unite(failed_out, &s.failed);
    uid_set_free(&s.failed);
    return f;
}
