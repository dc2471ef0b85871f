/* LIST and LSUB: a job, for people with ten thousand mailboxes. */
#include "base/map.h"
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"
#include "store/list_pattern.h"

typedef struct list_job {
    job job;
    list_pattern *pattern;
    mailbox_entry *entries; /* LIST */
    str *names;             /* LSUB */
    size_t n, at;
    bool is_lsub;
    map told; /* LSUB: what was said */
} list_job;

static void line_write(session *s, str name, const char *verb, const char *attributes)
{
    buf *out = &s->server->out;
    buf_printf(out, "* %s (%s) \"%c\" ", verb, attributes, MAILBOX_DELIMITER);
    imap_write_mailbox(out, name);
    buf_append(out, STR("\r\n"));
}

static void entry_write(session *s, list_job *l, const mailbox_entry *e)
{
    static const char *const attributes[2][2] = {
        { "\\Noselect \\HasNoChildren", "\\Noselect \\HasChildren" },
        { "\\HasNoChildren", "\\HasChildren" },
    };
    if (list_pattern_matches(l->pattern, e->name))
        line_write(s, e->name, "LIST", attributes[e->is_selectable][e->has_children]);
}

/* RFC 3501 6.3.9: with %, a level above a subscribed name stands for it. */
static void levels_write(session *s, list_job *l, str name)
{
    for (size_t i = 0; i < name.n; i++) {
        str level = str_upto(name, i);
        if (name.p[i] != MAILBOX_DELIMITER || map_get(&l->told, level) || !list_pattern_matches(l->pattern, level))
            continue;
        (void)map_put(&l->told, level, l);
        line_write(s, level, "LSUB", "\\Noselect");
    }
}

static void name_write(session *s, list_job *l, str name)
{
    if (!list_pattern_matches(l->pattern, name)) {
        levels_write(s, l, name);
        return;
    }
    if (map_put(&l->told, name, l) == NULL) /* else it was said as a level */
        line_write(s, name, "LSUB", "");
}

static bool list_step(session *s, job *j)
{
    list_job *l = (list_job *)j;
    buf *out = &s->server->out;
    for (; l->at < l->n && session_has_room(s); l->at++)
        if (!l->is_lsub)
            entry_write(s, l, &l->entries[l->at]);
        else
            name_write(s, l, l->names[l->at]);
    session_write(s, buf_str(out));
    buf_clear(out);
    if (l->at < l->n)
        return false;
    session_answer(s, l->is_lsub ? "OK Lsub completed" : "OK List completed");
    return true;
}

static void list_drop(job *j)
{
    list_job *l = (list_job *)j;
    list_pattern_free(l->pattern);
    map_free(&l->told);
}

/* The reference stands in front of the pattern, as it is. */
static list_pattern *pattern_of(session *s, const imap_command *c)
{
    str reference = c->list.reference.name, pattern = c->list.pattern.name;
    char *both = arena_get(&s->mem, reference.n + pattern.n + 1);
    if (reference.n)
        memcpy(both, reference.p, reference.n);
    if (pattern.n)
        memcpy(both + reference.n, pattern.p, pattern.n);
    return list_pattern_new((str){ both, reference.n + pattern.n }, MAILBOX_DELIMITER);
}

static list_job *list_start(session *s, const imap_command *c)
{
    list_job *l = ARENA_NEW(&s->mem, list_job);
    *l = (list_job){ .job = { list_step, list_drop }, .pattern = pattern_of(s, c) };
    session_start_job(s, &l->job);
    return l;
}

/* What is no modified UTF-7 matches no name. */
static bool is_possible(const imap_command *c)
{
    return c->list.reference.is_valid && c->list.pattern.is_valid;
}

void on_list(session *s, const imap_command *c)
{
    mailbox_entry *entries;
    size_t n;
    if (c->list.pattern.wire.n == 0) { /* RFC 3501 6.3.8: asks for the delimiter */
        session_printf(s, "* LIST (\\Noselect) \"%c\" \"\"\r\n", MAILBOX_DELIMITER);
        session_answer(s, "OK List completed");
        return;
    }
    fault f = store_list(s->server->store, &s->mem, &entries, &n);
    if (is_fault(f)) {
        session_answer_fault(s, f);
        return;
    }
    list_job *l = list_start(s, c);
    l->entries = entries;
    l->n = is_possible(c) ? n : 0;
}

void on_lsub(session *s, const imap_command *c)
{
    str *names;
    size_t n;
    fault f = store_subscriptions(s->server->store, &s->mem, &names, &n);
    if (is_fault(f)) {
        session_answer_fault(s, f);
        return;
    }
    list_job *l = list_start(s, c);
    l->is_lsub = true;
    l->names = names;
    l->n = is_possible(c) ? n : 0;
}
