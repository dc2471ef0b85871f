/* Questions to policy: other forms of a message's addresses, and routes of recipients that came without one (from sendmail, or
 * when pickup brings them; blind copies). An unknown one becomes a recipient of transport error, so that the message is kept and its
 * sender hears of it. Runs in: cleanup. */
#include "base/memory.h"
#include "cleanup/cleanup.h"
#include <stdlib.h>

typedef struct question {
    uint32_t ref;
    intake *intake;
    size_t index; /* of the recipient; of the first line of a REWRITE */
    peer *peer;
    bool has_route;
} question;

static uint32_t question_new(intake *i, size_t index, peer *p)
{
    question *q = memory_get(sizeof *q);
    *q = (question){ .intake = i, .index = index, .peer = p };
    q->ref = refs_put(&i->bringer->cleanup->questions, q);
    p->asked++;
    i->to_answer++;
    return q->ref;
}

static void question_free(question *q)
{
    refs_take(&q->intake->bringer->cleanup->questions, q->ref);
    q->peer->asked--;
    q->intake->to_answer--;
    free(q);
}

static void ask(intake *i, size_t index)
{
    peer *p = daemon_peer(i->bringer->cleanup->process, "policy");
    if (p == NULL) {
        i->problem = fault_make(FAULT_TRY_LATER, "3.0", "Policy is not there");
        return;
    }
    policy_ask m = { .stage = POLICY_STAGE_RESOLVE,
                     .sender = i->envelope.reverse_path,
                     .has_sender = 1,
                     .recipient = i->brought.p[index].address,
                     .login = i->envelope.login,
                     .session = i->envelope.session };
    channel_put(&p->channel, POLICY_ASK, question_new(i, index, p), policy_ask, &m);
}

static void settle(intake *i)
{
    if (i->to_answer > 0)
        return;
    if (i->state == INTAKE_RESOLVING)
        intake_finish(i);
    else if (i->state == INTAKE_REWRITING)
        rewrite_settle(i);
}

static fault lines_ask(intake *i, peer *p, size_t from, size_t end)
{
    buf lines = buf_new(CHANNEL_FRAME_MAX);
    for (size_t k = from; k < end; k++)
        buf_printf(&lines, "%c%.*s\n", (char)i->lines.p[k].class, STR_ARG(i->lines.p[k].path));
    policy_rewrite m = { .is_remote = !i->is_local, .session = i->envelope.session, .lines = buf_str(&lines) };
    uint32_t ref = question_new(i, from, p);
    bool fits = !lines.overflow && channel_put(&p->channel, POLICY_REWRITE, ref, policy_rewrite, &m);
    buf_free(&lines);
    return fits ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.0", "Policy cannot be asked");
}

/* Several questions where there are many lines; they leave in one packet. */
fault rewrite_ask(intake *i)
{
    peer *p = daemon_peer(i->bringer->cleanup->process, "policy");
    fault f = p ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.0", "Policy is not there");
    for (size_t k = 0; k < i->lines.n && !is_fault(f); k += REWRITE_LINES_MAX)
        f = lines_ask(i, p, k, k + REWRITE_LINES_MAX < i->lines.n ? k + REWRITE_LINES_MAX : i->lines.n);
    if (is_fault(f))
        resolve_forget(i);
    return f;
}

void resolve_start(intake *i)
{
    i->state = INTAKE_RESOLVING;
    for (size_t k = 0; k < i->brought.n && !is_fault(i->problem); k++)
        ask(i, k);
    settle(i);
}

void resolve_forget(intake *i)
{
    size_t cursor = 0;
    for (question *q; i->to_answer > 0 && (q = refs_next(&i->bringer->cleanup->questions, &cursor)) != NULL;)
        if (q->intake == i)
            question_free(q);
}

/* NULL: nobody of this policy is asked for under that number any more. */
static question *question_of(const peer *from, uint32_t ref)
{
    const cleanup *c = from->daemon->state;
    question *q = refs_get(&c->questions, ref);
    return q && q->peer == from ? q : NULL;
}

static bool on_route(void *context, channel *ch, received *r)
{
    question *q = question_of(context, r->ref);
    policy_route m;
    (void)ch;
    if (policy_route_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (q == NULL)
        return true; /* its message went away meanwhile */
    if (q->intake->state != INTAKE_RESOLVING)
        return false;
    const envelope_recipient *brought = &q->intake->brought.p[q->index];
    envelope_recipient final = { .address = m.address,
                                 .original = brought->original,
                                 .transport = m.transport,
                                 .nexthop = m.nexthop,
                                 .orcpt = brought->orcpt,
                                 .notify = brought->notify,
                                 .sender = m.sender.n ? m.sender : brought->sender };
    q->has_route = true;
    direct_resolved(q->intake, q->index, intake_add_recipient(q->intake, &final));
    return true;
}

/* A recipient without a route is kept with the reason: its sender is to hear of it. */
static void no_route(const question *q, const policy_answer *m)
{
    intake *i = q->intake;
    const envelope_recipient *b = &i->brought.p[q->index];
    str status = m->status.n ? m->status : m->code >= 500 ? STR("5.1.1") : STR("4.3.0");
    envelope_recipient final = { .address = b->address,
                                 .original = b->original,
                                 .transport = STR("error"),
                                 .nexthop = arena_printf(&i->arena, "%.*s %.*s", STR_ARG(status), STR_ARG(m->reply)),
                                 .orcpt = b->orcpt,
                                 .notify = b->notify };
    direct_resolved(i, q->index, intake_add_recipient(i, &final));
}

static bool on_answer(void *context, channel *ch, received *r)
{
    question *q = question_of(context, r->ref);
    policy_answer m;
    (void)ch;
    if (policy_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (q == NULL)
        return true;
    intake *i = q->intake;
    if (i->state != INTAKE_RESOLVING)
        return false;
    if (m.code >= 300 || !q->has_route)
        no_route(q, &m);
    question_free(q);
    settle(i);
    return true;
}

/* An answer for each line of the question, or none is taken. */
static bool lines_take(intake *i, size_t from, str lines)
{
    size_t end = from + REWRITE_LINES_MAX < i->lines.n ? from + REWRITE_LINES_MAX : i->lines.n;
    for (size_t k = from; k < end; k++) {
        str line, to;
        if (!str_cut(&lines, '\n', &line) || !str_cut(&line, '\t', &to) || line.p == NULL)
            return false;
        i->lines.p[k].to = arena_copy(&i->arena, to);
        i->lines.p[k].bcc = arena_copy(&i->arena, line);
    }
    return lines.n == 0;
}

static bool on_rewritten(void *context, channel *ch, received *r)
{
    question *q = question_of(context, r->ref);
    policy_rewritten m;
    (void)ch;
    if (policy_rewritten_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    if (q == NULL)
        return true;
    intake *i = q->intake;
    if (i->state != INTAKE_REWRITING || (m.outcome == FAULT_NONE && !lines_take(i, q->index, m.lines)))
        return false;
    if (m.outcome != FAULT_NONE) /* the words are in policy's log */
        i->problem = fault_make(FAULT_TRY_LATER, "3.0", "Temporary lookup failure");
    question_free(q);
    settle(i);
    return true;
}

static const talk_row rows[] = { { POLICY_ROUTE, 0, 0, on_route },
                                 { POLICY_ANSWER, 0, 0, on_answer },
                                 { POLICY_REWRITTEN, 0, 0, on_rewritten } };
const talk policy_talk = { "policy", rows, COUNT_OF(rows), NULL };

void resolve_lost(peer *p)
{
    cleanup *c = p->daemon->state;
    size_t cursor = 0;
    for (question *q; (q = refs_next(&c->questions, &cursor)) != NULL;) {
        if (q->peer != p)
            continue;
        intake *i = q->intake;
        i->problem = fault_make(FAULT_TRY_LATER, "3.0", "Policy restarted");
        question_free(q);
        settle(i);
    }
}
