#include "daemon/forward.h"
#include "base/memory.h"
#include "base/vec.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/report.h"
#include "queue/id.h"
#include <stdio.h>

/* ASKED: cleanup has not given a file yet. OPEN: the worker has it, or was told why not. */
typedef enum copy_state { COPY_ASKED, COPY_OPEN, COPY_COMMITTING, COPY_ENDED } copy_state;

typedef struct member {
    str text;
    bool is_final;
} member;

struct forwarding {
    forward_desk *desk;
    forward_order order;
    copy_state state;
    peer *cleanup; /* NULL: none has it; `problem` says why */
    uint32_t ref;
    fault problem;
    arena arena;
    VEC(member) members;
};

static void paper_put(forwarding *f, fault outcome, const int *fd)
{
    deliver_result m = { .queue_id = f->order.request->queue_id, .outcome = outcome.kind, .status = str_c(outcome.status),
                         .reason = str_c(outcome.text) };
    f->state = COPY_OPEN;
    f->problem = outcome;
    channel_put_fds(f->order.worker, DELIVER_PAPER, f->order.ref, deliver_result, &m, fd, fd ? 1 : 0);
}

static void cleanup_leave(forwarding *f)
{
    if (f->cleanup)
        f->cleanup->asked--;
    f->cleanup = NULL;
}

static void end(forwarding *f, fault outcome, str reason)
{
    bool is_one = f->members.n == 1;
    bool wants_success = f->order.request->notify & NOTIFY_SUCCESS;
    cleanup_leave(f);
    f->state = COPY_ENDED;
    f->desk->on_end(f->order.job, outcome, is_one || !wants_success ? DELIVER_PASSED_ON : REPORT_EXPANDED, reason);
}

static void end_in_fault(forwarding *f, fault why)
{
    end(f, why, str_c(why.text));
}

forwarding *forward_begin(forward_desk *d, const process *p, const forward_order *o)
{
    forwarding *f = memory_get(sizeof *f);
    *f = (forwarding){ .desk = d, .order = *o, .cleanup = daemon_peer(p, "cleanup") };
    f->ref = refs_put(&d->copies, f);
    if (f->cleanup == NULL) {
        paper_put(f, fault_make(FAULT_TRY_LATER, "3.0", "the copy for the forwarding cannot be queued now"), NULL);
        return f;
    }
    cleanup_begin m = { .expected_bytes = o->request->content_bytes };
    f->cleanup->asked++;
    channel_put(&f->cleanup->channel, CLEANUP_BEGIN, f->ref, cleanup_begin, &m);
    return f;
}

void forward_free(forwarding *f)
{
    if (f == NULL)
        return;
    if (f->cleanup) {
        cleanup_begin m = { 0 };
        channel_put(&f->cleanup->channel, CLEANUP_ABORT, f->ref, cleanup_begin, &m);
        cleanup_leave(f);
    }
    refs_take(&f->desk->copies, f->ref);
    vec_free(&f->members);
    arena_free(&f->arena);
    free(f);
}

/* A line end would become a field of a header, or a second command, one day. */
static bool is_clean(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

static bool is_include(str m)
{
    return str_starts_nocase(m, STR(":include:"));
}

static bool may_name(const forward_order *o, str m)
{
    if (m.n == 0 || is_include(m))
        return m.n && o->may_include;
    return m.p[0] == '|' ? o->may_command : m.p[0] == '/' ? o->may_file : true;
}

bool forward_member(forwarding *f, const deliver_member *m)
{
    if (f->state != COPY_OPEN || f->members.n >= FORWARD_MEMBERS_MAX)
        return false;
    if (!m->is_final && !(is_clean(m->member) && may_name(&f->order, m->member)))
        return false;
    *vec_add(&f->members) = (member){ arena_copy(&f->arena, m->member), m->is_final };
    return true;
}

/* A bare name is one of the recipient's domain. */
static str completed(forwarding *f, str text)
{
    str recipient = f->order.request->recipient;
    bool is_quoted = text.p[0] == '"' && text.p[text.n - 1] == '"';
    if (str_has(text, '@') && !is_quoted)
        return text;
    str domain = str_from(recipient, str_find_last(recipient, '@'));
    return arena_printf(&f->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(domain));
}

/* RFC 3461 5.2.7.3: several recipients cannot all say that "it" was delivered; they say when it was not. */
static uint32_t notify_of(const forwarding *f)
{
    uint32_t notify = f->order.request->notify;
    if (f->members.n == 1 || !(notify & NOTIFY_SUCCESS))
        return notify;
    notify &= ~(uint32_t)NOTIFY_SUCCESS;
    return notify ? notify : NOTIFY_NEVER;
}

static void recipient_put(forwarding *f, const member *m)
{
    const deliver_request *r = f->order.request;
    envelope_recipient to = { .address = r->recipient, .original = r->original, .orcpt = r->orcpt, .notify = notify_of(f) };
    if (m->is_final) {
        to.transport = STR("local");
        to.nexthop = arena_printf(&f->arena, "\\%.*s", STR_ARG(r->user));
    } else if (strchr("|/", m->text.p[0]) || is_include(m->text)) {
        to.transport = STR("pipe");
        to.nexthop = arena_printf(&f->arena, "%.*s %.*s", STR_ARG(r->user), STR_ARG(m->text));
    } else {
        to.address = completed(f, m->text);
    }
    channel_put(&f->cleanup->channel, CLEANUP_RECIPIENT, f->ref, envelope_recipient, &to);
}

static void commit_put(forwarding *f, const deliver_copied *m)
{
    const deliver_request *r = f->order.request;
    channel *c = &f->cleanup->channel;
    queue_name from = queue_id_text(r->queue_id);
    envelope e = { .reverse_path = r->reverse_path,
                   .session = str_c(from.text), /* whose copy it is, in the log */
                   .protocol = STR("local"),
                   .envelope_id = r->envelope_id,
                   .returns = r->returns,
                   .forwarders = arena_printf(&f->arena, "%.*s%s%.*s", STR_ARG(r->forwarders), r->forwarders.n ? " " : "",
                                              STR_ARG(r->user)),
                   .flags = r->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8) };
    channel_put(c, CLEANUP_ENVELOPE, f->ref, envelope, &e);
    for (size_t i = 0; i < f->members.n; i++)
        recipient_put(f, &f->members.p[i]);
    cleanup_commit commit = { .content_bytes = m->content_bytes,
                              .content_checksum = m->content_checksum,
                              .recipient_count = (uint32_t)f->members.n };
    channel_put(c, CLEANUP_COMMIT, f->ref, cleanup_commit, &commit);
}

bool forward_copied(forwarding *f, const deliver_copied *m)
{
    if (f->state != COPY_OPEN || m->member_count != f->members.n || f->members.n == 0)
        return false;
    if (is_fault(f->problem)) {
        end_in_fault(f, f->problem);
        return true;
    }
    f->state = COPY_COMMITTING;
    commit_put(f, m);
    return true;
}

bool forward_is_committing(const forwarding *f)
{
    return f && f->state == COPY_COMMITTING;
}

static forwarding *copy_of(const peer *from, uint32_t ref)
{
    const forward_desk *d = from->context;
    forwarding *f = refs_get(&d->copies, ref);
    return f && f->cleanup == from ? f : NULL;
}

static bool on_ready(void *context, channel *ch, received *r)
{
    forwarding *f = copy_of(context, r->ref);
    cleanup_ready m;
    (void)ch;
    if (cleanup_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (f == NULL)
        return true; /* given up; ABORT is on its way */
    if (f->state != COPY_ASKED)
        return false;
    int fd = received_take(r, 0);
    paper_put(f, NO_FAULT, &fd);
    return true;
}

static void not_queued(forwarding *f, fault why)
{
    copy_state was = f->state;
    cleanup_leave(f);
    if (was == COPY_ASKED)
        paper_put(f, why, NULL);
    else if (was == COPY_COMMITTING)
        end_in_fault(f, why);
    else
        f->problem = why; /* said at COPIED */
}

static bool on_done(void *context, channel *ch, received *r)
{
    forwarding *f = copy_of(context, r->ref);
    cleanup_done m;
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    if (f == NULL)
        return true;
    if (m.outcome == FAULT_NONE) {
        char reason[40];
        if (f->state != COPY_COMMITTING)
            return false;
        snprintf(reason, sizeof reason, "forwarded as %s", queue_id_text(m.queue_id).text);
        end(f, NO_FAULT, str_c(reason));
        return true;
    }
    fault why = fault_make(m.outcome == FAULT_REFUSED ? FAULT_REFUSED : FAULT_TRY_LATER, "", "not forwarded: %.*s",
                           STR_ARG(m.reason));
    str status = str_upto(m.status.n ? m.status : STR("3.0"), sizeof why.status - 1);
    memcpy(why.status, status.p, status.n);
    why.status[status.n] = '\0';
    not_queued(f, why);
    return true;
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready }, { CLEANUP_DONE, 0, 0, on_done } };
const talk forward_talk = { "forward-cleanup", rows, COUNT_OF(rows), NULL };

/* Whether it was committed is not known: it is tried again, which may make two of it, never none. */
void forward_cleanup_lost(peer *p)
{
    forward_desk *d = p->context;
    size_t cursor = 0;
    for (forwarding *f; (f = refs_next(&d->copies, &cursor)) != NULL;)
        if (f->cleanup == p)
            not_queued(f, fault_make(FAULT_TRY_LATER, "3.0", "not forwarded: what makes mail durable ended"));
}
