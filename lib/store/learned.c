#include "store/internal.h"

enum { LEARNED_MAX = 256 }; /* then they are written: one transaction for many */

void learned_add(store *s, learned l)
{
    if (s->learned.n >= LEARNED_MAX)
        learned_flush(s);
    *vec_add(&s->learned) = l;
}

bool learned_find(const store *s, uint32_t id, uint32_t uid, learned *out)
{
    bool is_found = false;
    *out = (learned){ id, uid, 0, SIZE_UNKNOWN, SIZE_UNKNOWN };
    for (size_t i = 0; i < s->learned.n; i++) {
        const learned *l = &s->learned.p[i];
        if (l->id != id || l->uid != uid)
            continue;
        is_found = true;
        out->date_s = l->date_s ? l->date_s : out->date_s;
        if (l->wire_bytes != SIZE_UNKNOWN) {
            out->stored_bytes = l->stored_bytes;
            out->wire_bytes = l->wire_bytes;
        }
    }
    return is_found;
}

static int by_message(const void *a, const void *b)
{
    const learned *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void record_learn(box_writer *w, const learned *l)
{
    const record *known = box_writer_get(w, l->uid);
    if (known == NULL)
        return;
    record r = *known;
    if (l->date_s)
        r.date_s = l->date_s;
    if (l->wire_bytes != SIZE_UNKNOWN) {
        r.stored_bytes = l->stored_bytes;
        r.wire_bytes = l->wire_bytes;
    }
    box_writer_put(w, l->uid, &r, false);
}

static fault learned_write(MDB_txn *t, void *context)
{
    store *s = context;
    int result = 0;

    for (size_t i = 0; i < s->learned.n && result == 0;) {
        box_writer w;
        uint32_t id = s->learned.p[i].id;
        bool is_there = box_writer_open(&w, t, id);
        for (; i < s->learned.n && s->learned.p[i].id == id; i++)
            if (is_there)
                record_learn(&w, &s->learned.p[i]);
        result = box_writer_finish(&w);
    }
    return env_fault(&s->index, result, "write");
}

/* Fails in silence: a later look at the file tells the same. */
void learned_flush(store *s)
{
    if (s->learned.n == 0)
        return;
    qsort(s->learned.p, s->learned.n, sizeof *s->learned.p, by_message);
    (void)env_write(&s->index, learned_write, s);
    s->learned.n = 0;
}
