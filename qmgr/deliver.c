/* A queue per destination, served in turn, each with its own concurrency; requests to delivery processes and their results.
 * Runs in: qmgr. */
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/deliver.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char local_transport[] = "local", pipe_transport[] = "pipe", error_transport[] = "error";

static const char *transport_name(str s)
{
    return str_equal(s, STR("local")) ? local_transport : str_equal(s, STR("pipe")) ? pipe_transport : error_transport;
}

static destination *destination_get(qmgr *q, const envelope_recipient *r)
{
    buf key = buf_new(2048);
    buf_append(&key, r->transport);
    buf_append_char(&key, '\0');
    buf_append(&key, r->nexthop);
    destination *d = map_get(&q->destinations, buf_str(&key));
    if (d == NULL) {
        d = memory_get(sizeof *d + key.n);
        char *copy = (char *)(d + 1);
        memcpy(copy, key.p, key.n);
        *d = (destination){ .key = { copy, key.n },
                            .transport = transport_name(r->transport),
                            .limit = (uint32_t)daemon_config(q->process)->local_destination_concurrency_limit };
        d->last = &d->first;
        map_put(&q->destinations, d->key, d);
    }
    buf_free(&key);
    return d;
}

static void destination_list(qmgr *q, destination *d)
{
    if (d->is_listed)
        return;
    d->is_listed = true;
    d->next = NULL;
    *q->round_last = d;
    q->round_last = &d->next;
}

static void destination_settle(qmgr *q, destination *d)
{
    if (d->waiting == 0 && d->running == 0 && !d->is_listed) {
        map_remove(&q->destinations, d->key);
        free(d);
    } else if (d->waiting && d->running < d->limit) {
        destination_list(q, d);
    }
}

static void enqueue(qmgr *q, delivery *d)
{
    d->next = NULL;
    *d->destination->last = d;
    d->destination->last = &d->next;
    d->destination->waiting++;
    destination_settle(q, d->destination);
}

void deliver_add(qmgr *q, message *m, uint32_t index, const envelope_recipient *to)
{
    delivery *d = ARENA_NEW(&m->loaded->arena, delivery);
    *d = (delivery){ .message = m, .index = index, .to = *to, .destination = destination_get(q, to) };
    m->loaded->progress[index].parts++;
    enqueue(q, d);
}

static bool is_open(const queue_slot *s)
{
    return s->state == SLOT_PENDING || s->state == SLOT_DEFERRED;
}

/* A message that policy said to hold goes to hold/ at its first round. */
static bool is_to_hold(const message *m)
{
    return (m->loaded->file.envelope.flags & ENVELOPE_HOLD) && m->tries == 0;
}

void deliver_start(qmgr *q, message *m)
{
    loaded *l = m->loaded;
    uint32_t count = l->file.head.recipient_count;
    l->progress = ARENA_ARRAY(&l->arena, progress, count);
    l->open = 0;
    if (is_to_hold(m))
        m->asked = ASKED_HOLD;
    for (uint32_t i = 0; i < count; i++)
        l->open += !m->asked && is_open(&l->file.slots[i]);
    if (l->open == 0) {
        finish_round(q, m);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!is_open(&l->file.slots[i]))
            continue;
        if (resolve_is_due(m, &l->file.recipients[i]))
            resolve_ask(q, m, i);
        else
            deliver_add(q, m, i, &l->file.recipients[i]);
    }
}

/* What a delivery process has keeps a qmgr that leaves: its result would be lost, and the message delivered twice. */
static void running_add(qmgr *q, delivery *d, peer *carrier)
{
    d->ref = refs_put(&q->running, d);
    d->carrier = carrier;
    carrier->asked++;
    daemon_session_opened(q->process);
}

static void running_end(qmgr *q, delivery *d)
{
    refs_take(&q->running, d->ref);
    d->carrier->asked--;
    d->carrier = NULL;
    daemon_session_closed(q->process);
}

/* The reason of transport error begins with an enhanced status code: "5.1.1 User unknown". */
static void fail_now(qmgr *q, delivery *d, const envelope_recipient *r)
{
    str rest = r->nexthop, status = STR("5.3.0");
    if (rest.n > 2 && (rest.p[0] == '4' || rest.p[0] == '5') && rest.p[1] == '.')
        str_word(&rest, " ", &status);
    fault f = fault_make(status.p[0] == '4' ? FAULT_TRY_LATER : FAULT_REFUSED, "", "%.*s", STR_ARG(str_trim(rest)));
    memcpy(f.status, status.p + 2, status.n - 2 < sizeof f.status ? status.n - 2 : sizeof f.status - 1);
    result_put(q, d, f, str_c(f.text));
}

static void request_send(qmgr *q, delivery *d, peer *to)
{
    message *m = d->message;
    const queue_message *file = &m->loaded->file;
    const envelope_recipient *r = &d->to;
    /* Of transport pipe the nexthop is a user, a blank and a member: a member may have blanks, a user has none. */
    size_t user_bytes = d->destination->transport == pipe_transport ? str_find(r->nexthop, ' ') : r->nexthop.n;
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0) {
        result_put(q, d, fault_errno("open the queue file"), STR("open the queue file"));
        return;
    }
    deliver_request request = {
        .queue_id = m->id,
        .content_offset = file->head.content_offset,
        .content_bytes = file->head.content_bytes,
        .checked_bytes = file->head.checked_bytes,
        .content_checksum = file->head.content_checksum,
        .arrived_s = m->arrived_s,
        /* The null sender stays null: a list's owner gets no reports on reports (RFC 5321 4.5.5). */
        .reverse_path = r->sender.n && file->envelope.reverse_path.n ? r->sender : file->envelope.reverse_path,
        .envelope_id = file->envelope.envelope_id,
        .returns = file->envelope.returns,
        .orcpt = r->orcpt,
        .notify = r->notify,
        .flags = file->envelope.flags & (ENVELOPE_8BIT | ENVELOPE_UTF8),
        .forwarders = file->envelope.forwarders,
        .recipient = r->address,
        .original = r->original,
        .user = str_upto(r->nexthop, user_bytes),
        .member = str_from(r->nexthop, user_bytes + 1),
        .client_name = file->envelope.client_name,
        .client_address = file->envelope.client_address,
        .helo = file->envelope.helo,
        .protocol = file->envelope.protocol,
        .login = file->envelope.login,
    };
    running_add(q, d, to);
    channel_put_fds(&to->channel, DELIVER_REQUEST, d->ref, deliver_request, &request, &fd, 1);
}

/* One delivery of a destination. False: its transport cannot take it now. */
static bool serve(qmgr *q, destination *at)
{
    bool is_carried = at->transport != error_transport; /* by the process of that name */
    peer *to = is_carried ? daemon_peer(q->process, at->transport) : NULL;
    if (is_carried && to == NULL)
        return false;
    delivery *d = at->first;
    at->first = d->next;
    if (at->first == NULL)
        at->last = &at->first;
    at->waiting--;
    at->running++;
    if (to)
        request_send(q, d, to);
    else
        fail_now(q, d, &d->to);
    return true;
}

/* Each destination in turn, so that one with many messages does not hold up the others. */
void deliver_some(qmgr *q)
{
    destination *stuck = NULL;
    if (q->process->is_draining)
        return; /* the next qmgr does */
    while (q->round) {
        destination *d = q->round;
        q->round = d->next;
        if (q->round == NULL)
            q->round_last = &q->round;
        d->is_listed = false;
        d->running++; /* keeps it while it is served */
        bool is_served = d->waiting && d->running <= d->limit && serve(q, d);
        d->running--;
        if (!is_served && d->waiting && d->running < d->limit) {
            d->is_listed = true;
            d->next = stuck;
            stuck = d;
        } else {
            destination_settle(q, d);
        }
    }
    while (stuck) { /* until its delivery process is back */
        destination *d = stuck;
        stuck = d->next;
        d->is_listed = false;
        destination_list(q, d);
    }
}

void deliver_done(qmgr *q, delivery *d)
{
    destination *at = d->destination;
    at->running--;
    destination_settle(q, at);
    if (q->round)
        schedule_soon(q);
}

static bool on_result(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    deliver_result m;
    (void)c;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    delivery *d = refs_get(&q->running, r->ref);
    if (d == NULL || d->carrier != from || d->message->id != m.queue_id)
        return false;
    running_end(q, d);
    fault f = fault_make((fault_kind)m.outcome, "", "%.*s", STR_ARG(m.reason));
    str status = str_upto(m.status, sizeof f.status - 1);
    memcpy(f.status, status.p ? status.p : "", status.n);
    f.status[status.n] = '\0';
    result_put(q, d, f, m.reason);
    return true;
}

static const talk_row rows[] = { { DELIVER_RESULT, 0, 0, on_result } };
const talk local_talk = { "qmgr-local", rows, COUNT_OF(rows), NULL };

/* What it had may have been delivered or not: it goes again, at once when another process is there. */
void deliver_carrier_lost(peer *p)
{
    qmgr *q = p->daemon->state;
    size_t cursor = 0;
    for (delivery *d; (d = refs_next(&q->running, &cursor)) != NULL;) {
        if (d->carrier != p)
            continue;
        running_end(q, d);
        d->destination->running--;
        enqueue(q, d);
    }
    schedule_soon(q);
}
