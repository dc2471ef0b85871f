/* Requests of those who bring messages. What a local program says of itself is not believed. Runs in: cleanup. */
#include "base/log.h"
#include "base/memory.h"
#include "cleanup/cleanup.h"
#include "mail/address.h"
#include "mail/verp.h"
#include <stdlib.h>
#include <unistd.h>

enum {
    SUBMIT_OPEN_MAX = 16,  /* messages of a local program at once */
    SUBMIT_PEERS_MAX = 64, /* connections of one uid */
    INTAKES_MAX = 6000,    /* each has a descriptor; some are kept for conversations */
    BROUGHT_MAX = 100000,  /* recipients without a route, of one message */
};

static const talk submit_talk;

/* Handlers get a peer (smtpd, pickup, bounce) or, of a local program, the bringer itself. */
static bringer *bringer_of(void *context, const channel *ch)
{
    return ch->talk == &submit_talk ? context : ((peer *)context)->context;
}

static bool is_too_much(const cleanup *c)
{
    return c->intake_count > INTAKES_MAX;
}

static fault too_much(void)
{
    return fault_make(FAULT_TRY_LATER, "3.2", "Too many messages at once");
}

static bool on_begin(void *context, channel *ch, received *r)
{
    bringer *b = bringer_of(context, ch);
    cleanup_begin m;
    if (cleanup_begin_decode(r->bytes, &m) != PARSE_DONE || intake_find(b, r->ref) ||
        (!b->is_trusted && b->open >= SUBMIT_OPEN_MAX))
        return false;
    intake *i = intake_new(b, r->ref, INTAKE_WAITING);
    if (is_too_much(b->cleanup))
        intake_end(i, too_much());
    else
        intake_serve(b->cleanup, NO_FAULT);
    return true;
}

/* Everything of it is copied: the frame is gone after this call. */
static void envelope_keep(intake *i, const envelope *e)
{
    arena *a = &i->arena;
    i->envelope = (envelope){
        .reverse_path = arena_copy(a, e->reverse_path),
        .session = arena_copy(a, e->session),
        .client_name = arena_copy(a, e->client_name),
        .client_address = arena_copy(a, e->client_address),
        .helo = arena_copy(a, e->helo),
        .protocol = arena_copy(a, e->protocol),
        .tls = arena_copy(a, e->tls),
        .login = arena_copy(a, e->login),
        .envelope_id = arena_copy(a, e->envelope_id),
        .returns = arena_copy(a, e->returns),
        .forwarders = arena_copy(a, e->forwarders),
        .verp = arena_copy(a, e->verp),
        .flags = e->flags & (i->bringer->may_be_direct ? ~0U : ~(unsigned)ENVELOPE_DIRECT),
    };
    i->has_envelope = true;
}

static void envelope_distrust(intake *i)
{
    envelope *e = &i->envelope;
    e->client_name = e->client_address = e->helo = e->tls = e->forwarders = STR_NONE;
    e->protocol = STR("local");
    e->login = arena_printf(&i->arena, "uid:%u", i->bringer->uid);
    e->session = arena_printf(&i->arena, "submit-%u", i->ref);
    e->flags = (e->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8)) | ENVELOPE_SUBMITTED;
}

static intake *intake_named(void *context, const channel *ch, const received *r)
{
    intake *i = intake_find(bringer_of(context, ch), r->ref);
    return i && i->state == INTAKE_OPEN ? i : NULL;
}

/* One without BEGIN. */
static intake *enclosed_new(bringer *b, uint32_t ref)
{
    if (!b->may_enclose || intake_find(b, ref))
        return NULL;
    intake *i = intake_new(b, ref, INTAKE_OPEN);
    i->is_enclosed = true;
    if (is_too_much(b->cleanup))
        i->problem = too_much();
    return i;
}

static bool on_envelope(void *context, channel *ch, received *r)
{
    intake *i = intake_named(context, ch, r);
    envelope m;
    if (envelope_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (i == NULL)
        i = enclosed_new(bringer_of(context, ch), r->ref);
    if (i == NULL || i->has_envelope)
        return false;
    envelope_keep(i, &m);
    if (!i->bringer->is_trusted)
        envelope_distrust(i);
    return true;
}

/* One without a route. */
static void recipient_keep(intake *i, const envelope_recipient *m)
{
    arena *a = &i->arena;
    bool says_more = i->bringer->has_checked_addresses;
    if (i->brought.n >= BROUGHT_MAX || a->is_over) {
        i->problem = fault_make(FAULT_REFUSED, "5.3", "Too many recipients");
        return;
    }
    *vec_add(&i->numbers) = i->brought_count - 1;
    *vec_add(&i->brought) = (envelope_recipient){ .address = arena_copy(a, m->address),
                                                  .original = arena_copy(a, says_more ? m->original : m->address),
                                                  .orcpt = arena_copy(a, m->orcpt),
                                                  .notify = m->notify,
                                                  .sender = says_more ? arena_copy(a, m->sender) : STR_NONE };
}

/* What runs programs is never taken from those who read what strangers say: policy is asked for it here. */
static bool is_route_believed(const bringer *b, str transport)
{
    return b->is_trusted && transport.n && (b->may_run_programs || !str_equal(transport, STR("pipe")));
}

static bool is_address(str path, bool may_be_null)
{
    address a;
    return address_parse(path, &a) == PARSE_DONE && (may_be_null || !a.is_null);
}

/* One with a route, which is believed. */
static void routed_keep(intake *i, const envelope_recipient *m)
{
    if (i->bringer->has_checked_addresses || is_address(m->address, false))
        direct_place(i, i->brought_count - 1, intake_add_recipient(i, m));
    else
        i->problem = fault_make(FAULT_REFUSED, "1.3", "A recipient is no address");
}

static bool on_recipient(void *context, channel *ch, received *r)
{
    intake *i = intake_named(context, ch, r);
    envelope_recipient m;
    if (envelope_recipient_decode(r->bytes, &m) != PARSE_DONE || i == NULL || m.address.n == 0)
        return false;
    i->brought_count++;
    if (daemon_config(i->bringer->cleanup->process)->recipient_bcc_maps.n && !i->bringer->is_internal)
        *vec_add(&i->originals) = arena_copy(&i->arena, m.original.n ? m.original : m.address);
    if (is_route_believed(i->bringer, m.transport))
        routed_keep(i, &m);
    else
        recipient_keep(i, &m);
    return true;
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
    const config *c = daemon_config(i->bringer->cleanup->process);
    if (!is_address(i->envelope.reverse_path, true))
        return fault_make(FAULT_REFUSED, "1.7", "The sender is no address");
    if (!is_printable(i->envelope.envelope_id) || !is_printable(i->envelope.returns))
        return fault_make(FAULT_REFUSED, "5.4", "An envelope id that cannot be");
    if (i->envelope.verp.n && !verp_is_valid(i->envelope.verp, c->verp_delimiter_filter))
        return fault_make(FAULT_REFUSED, "5.4", "Delimiters of a return path that cannot be");
    for (size_t k = 0; k < i->brought.n; k++)
        if (!is_address(i->brought.p[k].address, false) || !is_printable(i->brought.p[k].orcpt))
            return fault_make(FAULT_REFUSED, "1.3", "A recipient is no address");
    return NO_FAULT;
}

static bool commit_take(intake *i, str bytes)
{
    cleanup_commit *m = &i->commit;
    if (cleanup_commit_decode(bytes, m) != PARSE_DONE || m->recipient_count != i->brought_count ||
        m->content.n != (i->is_enclosed ? m->content_bytes : 0) || m->content.n > CLEANUP_ENCLOSED_MAX)
        return false;
    i->content = m->content = arena_copy(&i->arena, m->content);
    return true;
}

static bool on_commit(void *context, channel *ch, received *r)
{
    intake *i = intake_named(context, ch, r);
    if (i == NULL || !i->has_envelope || i->brought_count == 0 || !commit_take(i, r->bytes))
        return false;
    if (!is_fault(i->problem) && i->brought.n)
        i->problem = submitted_check(i);
    if (i->brought.n && i->first_recipient.p == NULL)
        i->first_recipient = i->brought.p[0].address;
    (i->is_enclosed && !is_fault(i->problem) ? intake_start : rewrite_start)(i);
    return true;
}

static bool on_abort(void *context, channel *ch, received *r)
{
    intake *i = intake_find(bringer_of(context, ch), r->ref);
    if (i && i->state != INTAKE_COMMITTING && i->state != INTAKE_OFFERED && i->state != INTAKE_NAMING)
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
    return b;
}

/* What was not answered is not in the queue: nobody was told that it is. What was offered in a file is: it may have been delivered. */
static void bringer_free(bringer *b)
{
    cleanup *c = b->cleanup;
    for (intake *i = c->intakes; i; i = i->next)
        if (i->bringer == b && i->state == INTAKE_OFFERED && !i->file.is_in_memory)
            commit_put(i);
    commit_all(c);
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
    b->is_trusted = true;
    b->has_checked_size = strcmp(p->role, "pickup") != 0; /* forwarded ones only grew by a field; reports: bounce_size_limit */
    b->has_checked_addresses = strcmp(p->role, "smtpd") == 0;
    b->may_run_programs = strcmp(p->role, "local") == 0 || strcmp(p->role, "pipe") == 0;
    b->is_internal = strcmp(p->role, "smtpd") != 0 && strcmp(p->role, "pickup") != 0;
    b->may_be_direct = strcmp(p->role, "smtpd") == 0;
    b->may_enclose = b->may_be_direct || strcmp(p->role, "bounce") == 0;
    p->context = b;
}

void bring_lost(peer *p)
{
    bringer_free(p->context);
}

static void submit_closed(void *context, channel *ch)
{
    (void)ch;
    bringer_free(context);
}

static const talk submit_talk = { "submit", rows, COUNT_OF(rows), submit_closed };

static size_t connections_of(const cleanup *c, uid_t uid)
{
    size_t n = 0;
    for (const bringer *b = c->bringers; b; b = b->next)
        n += !b->is_trusted && b->uid == uid;
    return n;
}

void bring_submit(listener *l, const accepted *a)
{
    cleanup *c = l->daemon->state;
    if (connections_of(c, a->uid) >= SUBMIT_PEERS_MAX) {
        log_event(LOG_WARNING, "too-many-submitters", LOG_NUM("uid", a->uid));
        close(a->fd);
        return;
    }
    bringer *b = bringer_add(c, NULL);
    b->uid = a->uid;
    b->channel = &b->submit;
    channel_open(&b->submit, l->daemon->loop, a->fd, &submit_talk, b);
}
