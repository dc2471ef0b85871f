/* FETCH: messages in batches, items one by one, as the client takes them. */
#include "base/log.h"
#include "imapd/worker/fetch_items.h"
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"

enum {
    BATCH = 100,
    BATCH_SEEN = 32, /* where \Seen is set, in one transaction each */
    BATCH_SEEN_BYTES = 256 * 1024,
};

typedef struct fetch_job {
    job job;
    uid_set uids;
    uint32_t from; /* next UID; 0: none left */
    const imap_fetch *what;
    const char *done; /* "OK …" */
    bool is_uid;      /* messages that are gone are no failure then */
    bool has_uid;     /* the UID comes in front of the items */
    bool sets_seen, has_flags;
    message_info infos[BATCH];
    bool is_changed[BATCH]; /* \Seen was set just now */
    size_t n, at, item;
    bool is_open, is_sent; /* the response of infos[at] has begun; some of it is with the client */
    size_t start;          /* of the response, in the server's `out` */
    pour pour;
    bool has_gone;
    fault fault;
} fetch_job;

static void out_flush(session *s, fetch_job *f)
{
    buf *out = &s->server->out;
    session_write(s, buf_str(out));
    buf_clear(out);
    f->is_sent = f->is_open;
}

/* The messages whose bodies go out now become \Seen, as one change. */
static void batch_see(session *s, fetch_job *f)
{
    uid_set unseen = { 0 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < f->n; i++) {
        message_info *info = &f->infos[i];
        bytes += info->wire_bytes == SIZE_UNKNOWN ? 0 : info->wire_bytes;
        if (i > 0 && bytes > BATCH_SEEN_BYTES) {
            f->n = i;
            break;
        }
        f->is_changed[i] = !info->is_expunged && !(info->flags & MESSAGE_SEEN);
        if (f->is_changed[i])
            uid_set_add(&unseen, info->uid, info->uid);
    }
    flag_change seen = { .uids = &unseen, .action = FLAGS_ADD, .flags = MESSAGE_SEEN };
    fault change = unseen.n ? mailbox_change_flags(s->box, &seen, 1, NULL) : NO_FAULT;
    if (is_fault(change))
        log_fault(LOG_WARNING, "seen", change); /* mail can be read on a full disk */
    for (size_t i = 0; i < f->n; i++) {
        f->is_changed[i] = f->is_changed[i] && !is_fault(change);
        f->infos[i].flags |= f->is_changed[i] ? (uint32_t)MESSAGE_SEEN : 0;
    }
    uid_set_free(&unseen);
}

/* False: there are no more. */
static bool batch_read(session *s, fetch_job *f)
{
    if (f->from == 0)
        return false;
    mailbox_cache_release(s->box);
    f->at = 0;
    f->fault = mailbox_read(s->box, &f->uids, f->from, f->infos, f->sets_seen ? BATCH_SEEN : BATCH, &f->n);
    if (is_fault(f->fault) || f->n == 0)
        return false;
    if (f->sets_seen)
        batch_see(s, f);
    uint32_t last = f->infos[f->n - 1].uid;
    f->from = last == UINT32_MAX ? 0 : last + 1;
    return true;
}

static void message_begin(session *s, fetch_job *f, const message_info *info)
{
    buf *out = &s->server->out;
    if (info->is_expunged) {
        f->has_gone = true;
        f->at++;
        return;
    }
    f->start = out->n;
    f->item = 0;
    f->is_open = true;
    f->is_sent = false;
    buf_append(out, STR("* "));
    imap_write_number(out, info->sequence);
    buf_append(out, STR(" FETCH ("));
    if (f->has_uid) {
        buf_append(out, STR("UID "));
        imap_write_number(out, info->uid);
        buf_append_char(out, ' ');
    }
}

static void message_end(session *s, fetch_job *f)
{
    buf *out = &s->server->out;
    if (f->is_changed[f->at] && !f->has_flags) {
        buf_append(out, STR(" FLAGS "));
        flags_write(s, &f->infos[f->at], out);
    }
    buf_append(out, STR(")\r\n"));
    f->is_open = false;
    f->at++;
}

/* The message cannot be had: its response is taken back while that can be. */
static void message_fail(session *s, fetch_job *f, fault why)
{
    if (f->is_sent) {
        log_fault(LOG_ERROR, "fetch", why);
        session_bye(s, "A message cannot be read", "unreadable");
        return;
    }
    if (why.kind == FAULT_REFUSED)
        f->has_gone = true;
    else
        f->fault = why;
    s->server->out.n = f->start;
    f->is_open = false;
    f->at++;
}

static void item_write(session *s, fetch_job *f)
{
    buf *out = &s->server->out;
    if (f->item > 0)
        buf_append_char(out, ' ');
    fault why = fetch_item_write(s, &f->infos[f->at], &f->what->items[f->item], out, &f->pour);
    f->item++;
    if (is_fault(why))
        message_fail(s, f, why);
}

static void pour_more(session *s, fetch_job *f)
{
    fault why = pour_next(&f->pour, &s->reading, s->server, &s->server->out);
    if (!is_fault(why))
        return;
    out_flush(s, f); /* its size is said: there is no way back */
    f->pour.left = 0;
    message_fail(s, f, why);
}

/* One piece of the answer. False: all is said. */
static bool fetch_more(session *s, fetch_job *f)
{
    if (f->pour.left)
        pour_more(s, f);
    else if (f->at == f->n)
        return batch_read(s, f);
    else if (!f->is_open)
        message_begin(s, f, &f->infos[f->at]);
    else if (f->item < f->what->n)
        item_write(s, f);
    else
        message_end(s, f);
    return true;
}

static void fetch_answer(session *s, const fetch_job *f)
{
    if (is_fault(f->fault))
        session_answer_fault(s, f->fault);
    else if (f->has_gone && !f->is_uid)
        session_answer(s, "NO [EXPUNGEISSUED] Some of the messages are gone");
    else
        session_answer(s, "OK %s", f->done);
}

static bool fetch_step(session *s, job *j)
{
    fetch_job *f = (fetch_job *)j;
    bool has_more = true;
    while (has_more && session_has_room(s))
        has_more = fetch_more(s, f);
    mailbox_cache_release(s->box);
    out_flush(s, f);
    if (has_more)
        return false;
    fetch_answer(s, f);
    return true;
}

static void fetch_drop(job *j)
{
    uid_set_free(&((fetch_job *)j)->uids);
}

/* Takes the set. */
static fetch_job *fetch_start(session *s, uid_set *uids, const imap_fetch *what, bool is_uid, const char *done)
{
    fetch_job *f = ARENA_NEW(&s->mem, fetch_job);
    *f = (fetch_job){ .job = { fetch_step, fetch_drop },
                      .uids = *uids,
                      .from = 1,
                      .what = what,
                      .is_uid = is_uid,
                      .has_uid = is_uid,
                      .done = done };
    *uids = (uid_set){ 0 };
    for (size_t i = 0; i < what->n; i++) {
        f->has_uid = f->has_uid && what->items[i].kind != IMAP_FETCH_UID;
        f->has_flags = f->has_flags || what->items[i].kind == IMAP_FETCH_FLAGS;
        f->sets_seen = f->sets_seen || (!what->items[i].is_peek && !mailbox_is_readonly(s->box));
    }
    session_start_job(s, &f->job);
    return f;
}

void fetch_flags(session *s, uid_set *uids, bool has_uid, const char *done)
{
    static imap_fetch_item flags = { .kind = IMAP_FETCH_FLAGS, .is_peek = true };
    static const imap_fetch what = { &flags, 1 };
    fetch_job *f = fetch_start(s, uids, &what, true, done);
    f->has_uid = has_uid;
}

void on_fetch(session *s, const imap_command *c)
{
    uid_set uids = { 0 };
    if (session_pick(s, &c->set, c->is_uid, &uids))
        fetch_start(s, &uids, &c->fetch, c->is_uid, "Fetch completed");
}
