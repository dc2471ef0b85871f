/* Requests of those who bring messages. What a local program says of itself is not believed. Runs in: cleanup. */
#include "base/log.h"
#include "base/memory.h"
#include "cleanup/cleanup.h"
#include "mail/address.h"
#include <stdlib.h>

enum { SUBMIT_OPEN_MAX = 16 };

static bringer *bringer_of(cleanup *c, const channel *ch)
{
    for (bringer *b = c->bringers; b; b = b->next)
        if (b->channel == ch)
            return b;
    return NULL;
}

/* Handlers get a peer (smtpd, pickup) or a bringer (submit) as context; the channel tells which bringer it is. */
static cleanup *the_cleanup;

static bool on_begin(void *context, channel *ch, received *r)
{
    bringer *b = bringer_of(the_cleanup, ch);
    cleanup_begin m;
    (void)context;
    if (cleanup_begin_decode(r->bytes, &m) != PARSE_DONE || intake_find(b, r->ref) ||
        (!b->is_trusted && b->open >= SUBMIT_OPEN_MAX))
        return false;
    intake_new(b, r->ref);
    intake_serve(b->cleanup);
    return true;
}

/* Everything of it is copied: the frame is gone after this call. */
static void envelope_keep(intake *i, const envelope *e)
{
    arena *a = &i->arena;
    i->envelope = (envelope){
        .reverse_path = arena_copy(a, e->reverse_path), .session = arena_copy(a, e->session),
        .client_name = arena_copy(a, e->client_name), .client_address = arena_copy(a, e->client_address),
        .helo = arena_copy(a, e->helo), .protocol = arena_copy(a, e->protocol), .tls = arena_copy(a, e->tls),
        .login = arena_copy(a, e->login), .envelope_id = arena_copy(a, e->envelope_id),
        .returns = arena_copy(a, e->returns), .flags = e->flags,
    };
    i->has_envelope = true;
}

static void envelope_distrust(intake *i)
{
    envelope *e = &i->envelope;
    e->client_name = e->client_address = e->helo = e->tls = STR_NONE;
    e->protocol = STR("local");
    e->login = arena_printf(&i->arena, "uid:%u", i->bringer->uid);
    e->session = arena_printf(&i->arena, "submit-%u", i->ref);
    e->flags = (e->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8)) | ENVELOPE_SUBMITTED;
}

static intake *intake_named(channel *ch, const received *r, intake_state wanted)
{
    bringer *b = bringer_of(the_cleanup, ch);
    intake *i = b ? intake_find(b, r->ref) : NULL;
    return i && i->state == wanted ? i : NULL;
}

static bool on_envelope(void *context, channel *ch, received *r)
{
    intake *i = intake_named(ch, r, INTAKE_OPEN);
    envelope m;
    (void)context;
    if (envelope_decode(r->bytes, &m) != PARSE_DONE || i == NULL || i->has_envelope)
        return false;
    envelope_keep(i, &m);
    if (!i->bringer->is_trusted)
        envelope_distrust(i);
    return true;
}

static bool on_recipient(void *context, channel *ch, received *r)
{
    intake *i = intake_named(ch, r, INTAKE_OPEN);
    envelope_recipient m;
    (void)context;
    if (envelope_recipient_decode(r->bytes, &m) != PARSE_DONE || i == NULL || m.address.n == 0)
        return false;
    i->brought_count++;
    if (i->bringer->is_trusted && m.transport.n)
        return intake_add_recipient(i, &m);
    arena *a = &i->arena;
    *vec_add(&i->brought) = (envelope_recipient){ .address = arena_copy(a, m.address),
                                                  .original = arena_copy(a, m.original),
                                                  .orcpt = arena_copy(a, m.orcpt), .notify = m.notify };
    return true;
}

static bool is_address(str path, bool may_be_null)
{
    address a;
    return address_parse(path, &a) == PARSE_DONE && (may_be_null || !a.is_null);
}

static bool is_printable(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] >= 0x7f)
            return false;
    return true;
}

/* smtpd has parsed what it brings. A local program may write anything into the socket or the drop folder: an address with a
 * line end in it would become a command of SMTP, or a field of a header, one day. */
static fault submitted_check(const intake *i)
{
    if (!is_address(i->envelope.reverse_path, true))
        return fault_make(FAULT_REFUSED, "1.7", "The sender is no address");
    if (!is_printable(i->envelope.envelope_id) || !is_printable(i->envelope.returns))
        return fault_make(FAULT_REFUSED, "5.4", "An envelope id that cannot be");
    for (size_t k = 0; k < i->brought.n; k++)
        if (!is_address(i->brought.p[k].address, false) || !is_printable(i->brought.p[k].orcpt))
            return fault_make(FAULT_REFUSED, "1.3", "A recipient is no address");
    return NO_FAULT;
}

static bool on_commit(void *context, channel *ch, received *r)
{
    intake *i = intake_named(ch, r, INTAKE_OPEN);
    (void)context;
    if (i == NULL || cleanup_commit_decode(r->bytes, &i->commit) != PARSE_DONE || !i->has_envelope ||
        i->commit.recipient_count != i->brought_count || i->brought_count == 0)
        return false;
    fault f = i->brought.n ? submitted_check(i) : NO_FAULT;
    if (is_fault(f))
        intake_end(i, f);
    else if (i->brought.n)
        resolve_start(i);
    else
        intake_finish(i);
    return true;
}

static bool on_abort(void *context, channel *ch, received *r)
{
    bringer *b = bringer_of(the_cleanup, ch);
    intake *i = b ? intake_find(b, r->ref) : NULL;
    (void)context;
    if (i && i->state != INTAKE_COMMITTING)
        intake_drop(i);
    return true;
}

static const talk_row rows[] = {
    { CLEANUP_BEGIN, 0, 0, on_begin },         { CLEANUP_ENVELOPE, 0, 0, on_envelope },
    { CLEANUP_RECIPIENT, 0, 0, on_recipient }, { CLEANUP_COMMIT, 0, 0, on_commit },
    { CLEANUP_ABORT, 0, 0, on_abort },
};
const talk bring_talk = { "cleanup", rows, COUNT_OF(rows), NULL };

static bringer *bringer_add(cleanup *c, channel *ch)
{
    bringer *b = memory_get(sizeof *b);
    *b = (bringer){ .cleanup = c, .channel = ch, .next = c->bringers };
    c->bringers = b;
    the_cleanup = c;
    return b;
}

/* A message that is being committed becomes the queue's; it only has nobody to tell any more. */
static void bringer_free(bringer *b)
{
    cleanup *c = b->cleanup;
    for (intake *i = c->intakes, *next; i; i = next) {
        next = i->next;
        if (i->bringer == b)
            intake_drop(i);
    }
    bringer **at = &c->bringers;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    channel_close(&b->submit);
    free(b);
}

void bring_opened(peer *p)
{
    bringer *b = bringer_add(p->daemon->state, &p->channel);
    b->cleanup->process = p->daemon;
    b->is_trusted = true;
    p->context = b;
}

void bring_lost(peer *p)
{
    bringer_free(p->context);
}

static void submit_closed(void *context, channel *ch)
{
    bringer *b = context;
    (void)ch;
    daemon_session_closed(b->cleanup->process);
    bringer_free(b);
}

void bring_submit(listener *l, const accepted *a)
{
    static const talk submit_talk = { "submit", rows, COUNT_OF(rows), submit_closed };
    bringer *b = bringer_add(l->daemon->state, NULL);
    b->uid = a->uid;
    b->channel = &b->submit;
    channel_open(&b->submit, l->daemon->loop, a->fd, &submit_talk, b);
    daemon_session_opened(l->daemon);
}
