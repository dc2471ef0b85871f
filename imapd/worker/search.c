#include "imapd/worker/search.h"
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"

enum { BATCH = 100, TEXT_MAX = 64 * 1024 * 1024 };

typedef struct search_job {
    job job;
    uid_set uids; /* candidates */
    uint32_t from;
    bool is_uid, has_gone;
    searched at;
    fault fault;
} search_job;

static void hit_write(session *s, const search_job *j, const message_info *info)
{
    buf *out = &s->server->out;
    buf_append_char(out, ' ');
    imap_write_number(out, j->is_uid ? info->uid : info->sequence);
}

static void message_search(session *s, search_job *j, const message_info *info)
{
    if (info->is_expunged) {
        j->has_gone = true;
        return;
    }
    j->at.info = info;
    j->at.has_header = false;
    j->at.fault = NO_FAULT;
    bool is_hit = imap_search_matches(j->at.what, search_test, &j->at);
    if (is_fault(j->at.fault) && j->at.fault.kind != FAULT_REFUSED)
        j->fault = j->at.fault;
    if (is_hit && !is_fault(j->at.fault))
        hit_write(s, j, info);
}

/* False: all were looked at. */
static bool search_more(session *s, search_job *j)
{
    message_info infos[BATCH];
    size_t n;
    fault f = mailbox_read(s->box, &j->uids, j->from, infos, BATCH, &n);
    if (is_fault(f))
        j->fault = f;
    if (is_fault(f) || n == 0)
        return false;
    for (size_t i = 0; i < n && session_has_room(s); i++) {
        message_search(s, j, &infos[i]);
        j->from = infos[i].uid + 1;
        if (j->from == 0)
            return false;
    }
    return true;
}

static void out_flush(session *s)
{
    session_write(s, buf_str(&s->server->out));
    buf_clear(&s->server->out);
}

static bool search_step(session *s, job *under_way)
{
    search_job *j = (search_job *)under_way;
    bool has_more = true;
    while (has_more && session_has_room(s))
        has_more = search_more(s, j);
    mailbox_cache_release(s->box);
    if (!has_more)
        buf_append(&s->server->out, STR("\r\n"));
    out_flush(s);
    if (has_more)
        return false;
    if (is_fault(j->fault))
        session_answer_fault(s, j->fault);
    else
        session_answer(s, j->has_gone ? "OK [EXPUNGEISSUED] Search completed" : "OK Search completed");
    return true;
}

static void search_drop(job *under_way)
{
    search_job *j = (search_job *)under_way;
    uid_set_free(&j->uids);
    buf_free(&j->at.spare);
    buf_free(&j->at.text);
}

/* All messages, but for sets that every hit must be in: those need not be looked at one by one. */
static void candidates(session *s, search_job *j)
{
    const imap_search *what = j->at.what;
    uid_set_copy(mailbox_uids(s->box), &j->uids);
    for (uint32_t at = 1; at < what->nodes[0].end; at = what->nodes[at].end) {
        imap_search_key key = what->nodes[at].key;
        const imap_set *plain = &j->at.leaves[at].set;
        uid_set wanted = { 0 }, picked = { 0 }, both = { 0 };
        if (key != IMAP_SEARCH_SET && key != IMAP_SEARCH_UID)
            continue;
        for (size_t i = 0; i < plain->n; i++)
            uid_set_add(&wanted, plain->ranges[i].first, plain->ranges[i].last);
        if (key == IMAP_SEARCH_UID)
            mailbox_pick_uids(s->box, &wanted, &picked);
        else
            uid_set_at(mailbox_uids(s->box), &wanted, &picked);
        uid_set_intersect(&j->uids, &picked, &both);
        uid_set_free(&j->uids);
        uid_set_free(&wanted);
        uid_set_free(&picked);
        j->uids = both;
    }
}

static bool leaves_open(searched *m)
{
    m->leaves = ARENA_ARRAY(&m->s->mem, search_leaf, m->what->n);
    for (size_t i = 0; i < m->what->n; i++)
        if (!search_leaf_open(m, i))
            return false;
    return true;
}

void on_search(session *s, const imap_command *c)
{
    str charset = c->search.charset;
    if (charset.n && !str_equal_nocase(charset, STR("US-ASCII")) && !str_equal_nocase(charset, STR("UTF-8"))) {
        session_answer(s, "NO [BADCHARSET (US-ASCII UTF-8)] Charset not known");
        return;
    }
    search_job *j = ARENA_NEW(&s->mem, search_job);
    *j = (search_job){ .job = { search_step, search_drop },
                       .from = 1,
                       .is_uid = c->is_uid,
                       .at = { .s = s, .what = &c->search, .spare = buf_new(TEXT_MAX), .text = buf_new(TEXT_MAX) } };
    if (!leaves_open(&j->at)) {
        session_answer(s, "NO [LIMIT] At most %d BODY and TEXT keys", SEARCH_TEXTS_MAX);
        return;
    }
    candidates(s, j);
    session_write(s, STR("* SEARCH"));
    session_start_job(s, &j->job);
}
