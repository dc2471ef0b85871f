/* Recipients that came without a route (from sendmail, or when pickup brings them): policy is asked for each. An unknown one
 * becomes a recipient of transport error, so that the message is kept and its sender hears of it. Runs in: cleanup. */
#include "cleanup/cleanup.h"
#include <stdlib.h>

typedef struct question {
    intake *intake; /* NULL: it was dropped meanwhile */
    size_t index;   /* of the recipient */
    peer *peer;
    bool has_route;
} question;

static VEC(question) questions; /* by ref; open ones have a peer */

static uint32_t question_new(intake *i, size_t index, peer *p)
{
    size_t at = 0;
    while (at < questions.n && questions.p[at].peer)
        at++;
    if (at == questions.n)
        (void)vec_add(&questions);
    questions.p[at] = (question){ .intake = i, .index = index, .peer = p };
    p->asked++;
    return (uint32_t)at;
}

static void ask(intake *i, size_t index)
{
    peer *p = daemon_peer(i->bringer->cleanup->process, "policy");
    if (p == NULL) {
        i->resolving = fault_make(FAULT_TRY_LATER, "3.0", "Policy is not there");
        return;
    }
    policy_ask m = { .stage = POLICY_STAGE_RESOLVE, .sender = i->envelope.reverse_path, .has_sender = 1,
                     .recipient = i->brought.p[index].address, .login = i->envelope.login,
                     .session = i->envelope.session };
    i->to_resolve++;
    channel_put(&p->channel, POLICY_ASK, question_new(i, index, p), policy_ask, &m);
}

static void settle(intake *i)
{
    if (i->state != INTAKE_RESOLVING || i->to_resolve > 0)
        return;
    if (is_fault(i->resolving))
        intake_end(i, i->resolving);
    else
        intake_finish(i);
}

void resolve_start(intake *i)
{
    i->state = INTAKE_RESOLVING;
    for (size_t k = 0; k < i->brought.n && !is_fault(i->resolving); k++)
        ask(i, k);
    settle(i);
}

/* Drops are noticed by looking the intake up again: it may have been freed. */
static intake *intake_alive(cleanup *c, const question *q)
{
    for (intake *i = c->intakes; i; i = i->next)
        if (i == q->intake && i->state == INTAKE_RESOLVING)
            return i;
    return NULL;
}

static bool on_route(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy_route m;
    (void)ch;
    if (r->ref >= questions.n || questions.p[r->ref].peer != from || policy_route_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    question *q = &questions.p[r->ref];
    intake *i = intake_alive(from->daemon->state, q);
    if (i == NULL)
        return true;
    const envelope_recipient *brought = &i->brought.p[q->index];
    envelope_recipient final = { .address = m.address, .original = brought->address, .transport = m.transport,
                                 .nexthop = m.nexthop, .orcpt = brought->orcpt, .notify = brought->notify };
    q->has_route = true;
    if (!intake_add_recipient(i, &final))
        i->resolving = fault_make(FAULT_REFUSED, "5.3", "Too many recipients");
    return true;
}

static bool on_answer(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy_answer m;
    (void)ch;
    if (r->ref >= questions.n || questions.p[r->ref].peer != from || policy_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    question q = questions.p[r->ref];
    questions.p[r->ref] = (question){ 0 };
    from->asked--;
    intake *i = intake_alive(from->daemon->state, &q);
    if (i == NULL)
        return true;
    i->to_resolve--;
    if (m.code < 300 ? !q.has_route : true) {
        str status = m.status.n ? m.status : m.code >= 500 ? STR("5.1.1") : STR("4.3.0");
        const envelope_recipient *b = &i->brought.p[q.index];
        envelope_recipient final = { .address = b->address, .original = b->address, .transport = STR("error"),
                                     .nexthop = arena_printf(&i->arena, "%.*s %.*s", STR_ARG(status), STR_ARG(m.reply)),
                                     .orcpt = b->orcpt, .notify = b->notify };
        intake_add_recipient(i, &final);
    }
    settle(i);
    return true;
}

static const talk_row rows[] = { { POLICY_ROUTE, 0, 0, on_route }, { POLICY_ANSWER, 0, 0, on_answer } };
const talk policy_talk = { "policy", rows, COUNT_OF(rows), NULL };

void resolve_lost(peer *p)
{
    for (size_t k = 0; k < questions.n; k++) {
        if (questions.p[k].peer != p)
            continue;
        intake *i = intake_alive(p->daemon->state, &questions.p[k]);
        questions.p[k] = (question){ 0 };
        if (i == NULL)
            continue;
        i->to_resolve--;
        i->resolving = fault_make(FAULT_TRY_LATER, "3.0", "Policy restarted");
        settle(i);
    }
}
