/* Reports to senders, asked of bounce when a round of a message ends: who failed, who is told of success, who waits too long. A slot
 * remembers in the file that it was told of, after bounce has said that the report is durable: a crash in between makes two reports
 * of one, never none. Runs in: qmgr. A message is active, and stays in memory, while a report of it is made. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "conf/double_bounce.h"
#include "ipc/talk/report.h"
#include "mail/verp.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <stdlib.h>

enum { REPORTS_AT_ONCE = 100 };

/* What a slot may be told of, with how an envelope says that the sender wants it. */
static const struct wish {
    unsigned told, notify;
} wishes[] = {
    [SLOT_DELIVERED] = { SLOT_TOLD_SUCCESS, NOTIFY_SUCCESS },
    [SLOT_DEFERRED] = { SLOT_TOLD_DELAY, NOTIFY_DELAY },
    [SLOT_FAILED] = { SLOT_TOLD_FAILURE, NOTIFY_FAILURE },
};

/* A report that is being made, or waits for its turn. */
struct notice {
    uint32_t ref;
    peer *bounce; /* NULL: it waits for its turn */
    uint64_t id;
    slot_state of;
    VEC(uint32_t) rows; /* indexes of recipients */
    struct notice *next;
};

str report_sender(const queue_message *file, const envelope_recipient *r, arena *mem)
{
    const envelope *e = &file->envelope;
    str sender = e->reverse_path;
    if (sender.n == 0 || r->sender.n)
        return sender.n ? r->sender : sender;
    verp_sender(sender, r->original.n ? r->original : r->address, e->verp, mem, &sender);
    return sender;
}

bool report_is_double(const qmgr *q, const message *m)
{
    return is_double_bounce(daemon_config(q->process), m->loaded->file.envelope.reverse_path);
}

static bool is_late(const qmgr *q, const message *m)
{
    uint64_t after = daemon_config(q->process)->delay_warning_time;
    return after > 0 && clock_s() >= m->arrived_s + after;
}

/* RFC 3461 4.1: without NOTIFY a failure is told, and a delay where the host does that; success, never. */
static bool is_wished(slot_state state, uint32_t notify)
{
    return notify == 0 ? state != SLOT_DELIVERED : notify & wishes[state].notify;
}

/* The null sender is told of failures alone: they go to postmaster at most. */
static bool is_due(const qmgr *q, const message *m, uint32_t i)
{
    const queue_message *file = &m->loaded->file;
    const queue_slot *s = &file->slots[i];
    if (s->state == SLOT_PENDING || (s->told & wishes[s->state].told) ||
        !is_wished((slot_state)s->state, file->recipients[i].notify))
        return false;
    if (s->state == SLOT_DEFERRED && !is_late(q, m))
        return false;
    return s->state == SLOT_FAILED || file->envelope.reverse_path.n > 0;
}

bool report_wishes_success(const envelope_recipient *r)
{
    return r->notify & NOTIFY_SUCCESS;
}

bool report_is_missing(const qmgr *q, const message *m)
{
    loaded *l = m->loaded;
    if ((l->file.envelope.flags & ENVELOPE_DIRECT) || report_is_double(q, m))
        return false; /* who brought it was told; and postmaster's copies end here */
    while (l->told_upto < l->file.head.recipient_count && !is_due(q, m, l->told_upto))
        l->told_upto++;
    return l->told_upto < l->file.head.recipient_count;
}

/* Members of one alias stand behind each other, as they came out of it. */
static bool is_of_alias(const envelope_recipient *a, const envelope_recipient *b)
{
    return a->original.n && str_equal(a->original, b->original);
}

static bool is_expanded(const queue_message *file, uint32_t i)
{
    const envelope_recipient *r = file->recipients;
    return (i > 0 && is_of_alias(&r[i - 1], &r[i])) ||
           (i + 1 < file->head.recipient_count && is_of_alias(&r[i], &r[i + 1]));
}

/* An owner hears of what goes wrong with the members of his list; that it went well is for who asked. */
static str addressee(const queue_message *file, uint32_t i, arena *mem)
{
    envelope_recipient r = file->recipients[i];
    if (file->slots[i].state == SLOT_DELIVERED)
        r.sender = STR_NONE;
    return report_sender(file, &r, mem);
}

/* Those that one report tells of: same result, same sender. With VERP each has a sender of its own. */
static void rows_collect(const qmgr *q, const message *m, notice *r)
{
    const queue_message *file = &m->loaded->file;
    arena *mem = &m->loaded->arena;
    str sender = STR_NONE;
    for (uint32_t i = m->loaded->told_upto; i < file->head.recipient_count && r->rows.n < REPORT_RECIPIENTS_MAX; i++) {
        if (!is_due(q, m, i) || (r->rows.n && file->slots[i].state != r->of))
            continue;
        str own = addressee(file, i, mem);
        if (r->rows.n && !str_equal(own, sender))
            continue;
        sender = own;
        r->of = (slot_state)file->slots[i].state;
        *vec_add(&r->rows) = i;
        if (file->envelope.verp.n)
            break;
    }
}

static uint32_t action_of(const queue_message *file, uint32_t i)
{
    const queue_slot *s = &file->slots[i];
    switch ((slot_state)s->state) {
    case SLOT_DELIVERED: return is_expanded(file, i) ? REPORT_EXPANDED : s->action ? s->action : REPORT_DELIVERED;
    case SLOT_DEFERRED: return REPORT_DELAYED;
    default: return REPORT_FAILED;
    }
}

/* The words of this round are longer than what a slot keeps of them. */
static str reason_of(const loaded *l, uint32_t i)
{
    str kept = str_c(l->file.slots[i].reason);
    str whole = l->progress ? str_c(l->progress[i].worst.text) : STR_NONE;
    return str_starts(whole, kept) ? whole : kept;
}

static void row_put(const message *m, channel *ch, uint32_t ref, uint32_t i)
{
    const queue_message *file = &m->loaded->file;
    const envelope_recipient *r = &file->recipients[i];
    const queue_slot *s = &file->slots[i];
    report_recipient row = { .action = action_of(file, i),
                             .address = r->address,
                             .original = r->original,
                             .orcpt = r->orcpt,
                             .status = str_c(s->status),
                             .reason = reason_of(m->loaded, i),
                             .when_s = s->when_s };
    if (is_expanded(file, i) &&
        row.action == REPORT_EXPANDED) { /* RFC 3464 2.3.3: the address that was delivered to is the alias */
        row.address = r->original;
        row.reason = STR("delivered to the alias, and passed on to its members");
    }
    channel_put(ch, REPORT_RECIPIENT, ref, report_recipient, &row);
}

/* The members of an alias are one recipient to the sender, who hears of them once (RFC 3461 5.2.7.3). */
static bool is_repeated(const queue_message *file, const notice *r, uint32_t k)
{
    return r->of == SLOT_DELIVERED && k > 0 &&
           is_of_alias(&file->recipients[r->rows.p[k - 1]], &file->recipients[r->rows.p[k]]);
}

static uint32_t rows_count(const queue_message *file, const notice *r)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < r->rows.n; k++)
        n += !is_repeated(file, r, k);
    return n;
}

static void begin_put(const qmgr *q, const message *m, const notice *r, channel *ch, int fd)
{
    loaded *l = m->loaded;
    const envelope *e = &l->file.envelope;
    report_begin m_begin = {
        .queue_id = m->id,
        .content_offset = l->file.head.content_offset,
        .content_bytes = l->file.head.content_bytes,
        .arrived_s = m->arrived_s,
        .expires_s = m->arrived_s + daemon_config(q->process)->maximal_queue_lifetime,
        .reverse_path = addressee(&l->file, r->rows.p[0], &l->arena),
        .sender = e->reverse_path,
        .envelope_id = e->envelope_id,
        .returns = e->returns,
        .client = e->client_address.n
                      ? arena_printf(&l->arena, "%.*s [%.*s]", STR_ARG(e->client_name), STR_ARG(e->client_address))
                      : e->login,
        .recipient_count = rows_count(&l->file, r),
        .flags = e->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8),
    };
    channel_put_fds(ch, REPORT_BEGIN, r->ref, report_begin, &m_begin, &fd, 1);
    for (uint32_t k = 0; k < r->rows.n; k++)
        if (!is_repeated(&l->file, r, k))
            row_put(m, ch, r->ref, r->rows.p[k]);
}

static void report_free(notice *r)
{
    vec_free(&r->rows);
    free(r);
}

/* It is over, well or not: the round of the message goes on where it was. */
static void report_over(qmgr *q, notice *r, fault outcome)
{
    message *m = message_find(q, r->id);
    m->loaded->report = NULL;
    m->loaded->report_fault = outcome;
    report_free(r);
    finish_round(q, m);
}

static void slot_told(qmgr *q, message *m, uint32_t i, unsigned what)
{
    loaded *l = m->loaded;
    queue_slot *s = &l->file.slots[i];
    if (s->told & what)
        return;
    queue_slot_tell(s, what);
    fault f = queue_slot_write(message_write_fd(q, m), &l->file.head, i, s);
    if (is_fault(f))
        log_fault(LOG_ERROR, "state-not-written", f);
}

/* Of an alias all members, also those that are still tried: the sender has heard that it was passed on to them. */
static void alias_told(qmgr *q, message *m, uint32_t i)
{
    const loaded *l = m->loaded;
    const envelope_recipient *r = l->file.recipients;
    uint32_t first = i, end = i + 1;
    while (first > 0 && is_of_alias(&r[first - 1], &r[i]))
        first--;
    while (end < l->file.head.recipient_count && is_of_alias(&r[end], &r[i]))
        end++;
    for (; first < end; first++)
        slot_told(q, m, first, SLOT_TOLD_SUCCESS);
}

static void told(qmgr *q, message *m, const notice *r)
{
    for (uint32_t k = 0; k < r->rows.n; k++) {
        slot_told(q, m, r->rows.p[k], wishes[r->of].told);
        if (r->of == SLOT_DELIVERED)
            alias_told(q, m, r->rows.p[k]);
    }
}

/* A session of bounce's that we leave would be told twice. */
static void report_send(qmgr *q, notice *r, peer *to)
{
    message *m = message_find(q, r->id);
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0) {
        report_over(q, r, fault_errno("open the queue file"));
        return;
    }
    r->ref = refs_put(&q->reports, r);
    r->bounce = to;
    to->asked++;
    q->report_count++;
    daemon_session_opened(q->process);
    begin_put(q, m, r, &to->channel, fd);
}

static void report_end(qmgr *q, notice *r)
{
    refs_take(&q->reports, r->ref);
    r->bounce->asked--;
    q->report_count--;
    daemon_session_closed(q->process);
}

static notice *line_take(qmgr *q)
{
    notice *r = q->report_line;
    if (r && (q->report_line = r->next) == NULL)
        q->report_line_last = &q->report_line;
    return r;
}

/* Those that wait for their turn; without a bounce their messages are deferred. */
static void line_serve(qmgr *q)
{
    while (q->report_line && q->report_count < REPORTS_AT_ONCE && !q->process->is_draining) {
        peer *to = daemon_peer(q->process, "bounce");
        notice *r = line_take(q);
        if (to)
            report_send(q, r, to);
        else
            report_over(q, r, fault_make(FAULT_TRY_LATER, "3.0", "bounce is not there"));
    }
}

static void on_line(void *context)
{
    line_serve(context);
}

bool report_start(qmgr *q, message *m)
{
    loaded *l = m->loaded;
    if (m->asked || is_fault(l->report_fault) || !report_is_missing(q, m))
        return false;
    notice *r = memory_get(sizeof *r);
    *r = (notice){ .id = m->id };
    rows_collect(q, m, r);
    l->report = r;
    if (q->report_line_last == NULL || q->report_line == NULL)
        q->report_line_last = &q->report_line;
    *q->report_line_last = r;
    q->report_line_last = &r->next;
    task_put(q->process->loop, &q->report_task, on_line, q);
    return true;
}

static bool on_done(void *context, channel *ch, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    report_done m;
    (void)ch;
    if (report_done_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    notice *of = refs_get(&q->reports, r->ref);
    if (of == NULL || of->bounce != from || of->id != m.queue_id)
        return false;
    report_end(q, of);
    if (m.outcome == FAULT_NONE)
        told(q, message_find(q, of->id), of);
    report_over(q, of, fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason)));
    line_serve(q);
    return true;
}

static const talk_row rows[] = { { REPORT_DONE, 0, 0, on_done } };
const talk bounce_talk = { "qmgr-bounce", rows, COUNT_OF(rows), NULL };

/* What it had may be reported or not: it is asked for again, which may make two of it. */
void report_bounce_lost(peer *p)
{
    qmgr *q = p->daemon->state;
    size_t cursor = 0;
    for (notice *r; (r = refs_next(&q->reports, &cursor)) != NULL;) {
        if (r->bounce != p)
            continue;
        report_end(q, r);
        report_over(q, r, fault_make(FAULT_TRY_LATER, "3.0", "bounce ended"));
    }
}

/* Messages that waited for one need not wait for their next try. */
void report_bounce_opened(peer *p)
{
    qmgr *q = p->daemon->state;
    map_entry e;
    size_t cursor = 0;
    if (q->process == NULL || !q->has_unreported)
        return;
    q->has_unreported = false;
    while (map_next(&q->messages, &cursor, &e)) {
        message *m = e.value;
        if (m->is_unreported && m->state == MESSAGE_WAITING)
            schedule_ready(q, m);
    }
}
