/* Deliveries: into their destinations, to delivery processes, and results back. Runs in: qmgr. */
#include "base/log.h"
#include "base/memory.h"
#include "conf/list.h"
#include "ipc/talk/deliver.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void deliver_known(qmgr *q, delivery *d, fault result)
{
    d->known = ARENA_NEW(&d->message->loaded->arena, fault);
    *d->known = result;
    d->destination = NULL;
    d->next = NULL;
    *q->known.last = d;
    q->known.last = &d->next;
    schedule_soon(q);
}

/* The reason of transport error begins with an enhanced status code: "5.1.1 User unknown". */
static fault error_of(const envelope_recipient *r)
{
    str rest = r->nexthop, status = STR("5.3.0");
    if (rest.n > 2 && (rest.p[0] == '4' || rest.p[0] == '5') && rest.p[1] == '.')
        str_word(&rest, " ", &status);
    fault f = fault_make(status.p[0] == '4' ? FAULT_TRY_LATER : FAULT_REFUSED, "", "%.*s", STR_ARG(str_trim(rest)));
    status = str_upto(str_from(status, 2), sizeof f.status - 1);
    memcpy(f.status, status.p, status.n);
    return f;
}

static fault transport_fault(const envelope_recipient *r)
{
    if (str_equal(r->transport, STR("error")))
        return error_of(r);
    return fault_make(FAULT_TRY_LATER, "3.5", "there is no transport \"%.*s\" here",
                      STR_ARG(str_upto(r->transport, 60)));
}

static bool is_kept_back(const qmgr *q, const message *m, const transport *t)
{
    str list = daemon_config(q->process)->defer_transports, word;
    while (!m->is_flushed && list_next(&list, &word))
        if (str_equal(word, str_c(t->name)))
            return true;
    return false;
}

void deliver_add(qmgr *q, message *m, uint32_t index, const envelope_recipient *to)
{
    const transport *t = transport_find(to->transport);
    delivery *d = ARENA_NEW(&m->loaded->arena, delivery);
    *d = (delivery){ .message = m, .index = index, .to = *to };
    m->loaded->progress[index].parts++;
    if (t == NULL) {
        deliver_known(q, d, transport_fault(to));
        return;
    }
    if (is_kept_back(q, m, t)) {
        deliver_known(q, d, fault_make(FAULT_TRY_LATER, "3.2", "the transport %s waits: defer_transports", t->name));
        return;
    }
    destination *at = destination_get(q, t, to->nexthop);
    if (destination_is_dead(at) && !m->is_flushed)
        deliver_known(q, d, at->why);
    else
        destination_add(at, d);
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
static void running_add(qmgr *q, delivery *d, peer *to)
{
    d->ref = refs_put(&q->running, d);
    d->carrier = to;
    to->asked++;
    daemon_session_opened(q->process);
}

static void running_end(qmgr *q, delivery *d)
{
    refs_take(&q->running, d->ref);
    d->carrier->asked--;
    d->carrier = NULL;
    daemon_session_closed(q->process);
}

static void request_send(qmgr *q, delivery *d, peer *to)
{
    message *m = d->message;
    const queue_message *file = &m->loaded->file;
    const envelope_recipient *r = &d->to;
    /* Of transport pipe the nexthop is a user, a blank and a member: a member may have blanks, a user has none. */
    size_t user_bytes = str_equal(r->transport, STR("pipe")) ? str_find(r->nexthop, ' ') : r->nexthop.n;
    int fd = message_fd_give(q, m);
    if (fd < 0) {
        fault f = fault_errno("open the queue file");
        result_put(q, d, f, str_c(f.text));
        return;
    }
    deliver_request request = {
        .queue_id = m->id,
        .content_offset = file->head.content_offset,
        .content_bytes = file->head.content_bytes,
        .checked_bytes = file->head.checked_bytes,
        .content_checksum = file->head.content_checksum,
        .arrived_s = m->arrived_s,
        .envelope_id = file->envelope.envelope_id,
        .returns = file->envelope.returns,
        .orcpt = r->orcpt,
        .notify = r->notify,
        .flags = file->envelope.flags & (ENVELOPE_8BIT | ENVELOPE_UTF8),
        .forwarders = file->envelope.forwarders,
        .reverse_path = report_sender(file, r, &m->loaded->arena),
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

/* An admin wants the message held or deleted: what was not handed out yet stays. */
static bool is_stopped(const delivery *d)
{
    return d->message->asked != ASKED_NOTHING;
}

static void serve(qmgr *q, carrier *c)
{
    uint64_t limit = daemon_config(q->process)->qmgr_delivery_limit;
    peer *to;
    for (fair_item *i; c->running < limit && (to = daemon_peer(q->process, c->transport->peer)) != NULL &&
                       (i = fair_next(&c->ready)) != NULL;) {
        delivery *d = destination_take(FAIR_OWNER(i, destination, turn));
        if (is_stopped(d))
            result_put(q, d, fault_make(FAULT_TRY_LATER, "3.0", "stopped by an admin"), STR_NONE);
        else
            request_send(q, d, to);
    }
}

static void settle_known(qmgr *q)
{
    while (q->known.first) {
        delivery *d = q->known.first;
        q->known.first = d->next;
        if (q->known.first == NULL)
            q->known.last = &q->known.first;
        result_put(q, d, *d->known, str_c(d->known->text));
    }
}

void deliver_some(qmgr *q)
{
    if (q->process->is_draining)
        return; /* the next qmgr does */
    settle_known(q);
    for (size_t i = 0; i < transport_count; i++)
        serve(q, &q->carriers[i]);
}

void deliver_done(qmgr *q, delivery *d)
{
    (void)q;
    if (d->destination)
        destination_done(d->destination);
    d->destination = NULL;
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
    fault f = deliver_outcome(&m);
    if (m.is_destination && is_fault(f))
        destination_failed(d->destination, f);
    else
        destination_succeeded(d->destination);
    d->action = m.action;
    result_put(q, d, f, m.reason);
    return true;
}

static const talk_row rows[] = { { DELIVER_RESULT, 0, 0, on_result } };
const talk delivery_talk = { "qmgr-delivery", rows, COUNT_OF(rows), NULL };

void deliver_peer_opened(peer *p)
{
    qmgr *q = p->daemon->state;
    if (q->process) /* else the scan begins it all */
        schedule_soon(q);
}

/* What it had may have been delivered or not: it goes again, at once when another process is there. */
void deliver_carrier_lost(peer *p)
{
    qmgr *q = p->daemon->state;
    size_t cursor = 0;
    for (delivery *d; (d = refs_next(&q->running, &cursor)) != NULL;) {
        if (d->carrier != p)
            continue;
        running_end(q, d);
        destination *at = d->destination;
        destination_add(at, d); /* first, so that it is not forgotten meanwhile */
        destination_done(at);
    }
}
