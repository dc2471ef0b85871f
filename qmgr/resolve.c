/* Recipients whose route could not be found when the message came (a table was damaged, auth was away): policy is asked again at
 * each try. Runs in: qmgr. */
#include "base/memory.h"
#include "ipc/talk/policy.h"
#include "qmgr/qmgr.h"
#include <stdlib.h>

typedef struct question {
    uint32_t ref;
    peer *peer;
    uint64_t id;
    uint32_t index;
    bool has_route;
} question;

/* No transport, or error with a temporary status; at later tries (after a release, too) every error: the user may exist by now. */
bool resolve_is_due(const message *m, const envelope_recipient *r)
{
    bool is_error = str_equal(r->transport, STR("error"));
    return r->transport.n == 0 || (is_error && (m->tries > 0 || str_starts(r->nexthop, STR("4."))));
}

/* The message is being delivered as long as one of its recipients is asked for, so it is there when the answer comes. */
static message *message_of(qmgr *q, const question *of)
{
    message *m = message_find(q, of->id);
    return m && m->state == MESSAGE_ACTIVE ? m : NULL;
}

static void give_up(qmgr *q, message *m, uint32_t index, str why)
{
    envelope_recipient to = m->loaded->file.recipients[index];
    to.transport = STR("error");
    to.nexthop = arena_copy(&m->loaded->arena, why);
    deliver_add(q, m, index, &to);
}

void resolve_ask(qmgr *q, message *m, uint32_t index)
{
    peer *p = daemon_peer(q->process, "policy");
    if (p == NULL) {
        give_up(q, m, index, STR("4.3.0 the route cannot be looked up now"));
        return;
    }
    question *of = memory_get(sizeof *of);
    *of = (question){ .ref = refs_put(&q->questions, of), .peer = p, .id = m->id, .index = index };
    policy_ask ask = { .stage = POLICY_STAGE_RESOLVE,
                       .sender = m->loaded->file.envelope.reverse_path,
                       .has_sender = 1,
                       .recipient = m->loaded->file.recipients[index].address,
                       .login = m->loaded->file.envelope.login,
                       .session = m->loaded->file.envelope.session };
    m->loaded->progress[index].parts++; /* the question keeps the recipient open until its answer */
    p->asked++;
    channel_put(&p->channel, POLICY_ASK, of->ref, policy_ask, &ask);
}

static question *question_of(const peer *from, uint32_t ref)
{
    const qmgr *q = from->daemon->state;
    question *of = refs_get(&q->questions, ref);
    return of && of->peer == from ? of : NULL;
}

static bool on_route(void *context, channel *ch, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    question *of = question_of(from, r->ref);
    policy_route route;
    (void)ch;
    if (of == NULL || policy_route_decode(r->bytes, &route) != PARSE_DONE)
        return false;
    message *m = message_of(q, of);
    if (m == NULL)
        return true;
    of->has_route = true;
    arena *a = &m->loaded->arena;
    envelope_recipient to = m->loaded->file.recipients[of->index];
    to.address = arena_copy(a, route.address);
    to.transport = arena_copy(a, route.transport);
    to.nexthop = arena_copy(a, route.nexthop);
    if (route.sender.n)
        to.sender = arena_copy(a, route.sender);
    deliver_add(q, m, of->index, &to);
    return true;
}

static question question_end(qmgr *q, question *of)
{
    question ended = *of;
    refs_take(&q->questions, of->ref);
    of->peer->asked--;
    free(of);
    return ended;
}

static bool on_answer(void *context, channel *ch, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    question *found = question_of(from, r->ref);
    policy_answer answer;
    (void)ch;
    if (found == NULL || policy_answer_decode(r->bytes, &answer) != PARSE_DONE)
        return false;
    question of = question_end(q, found);
    message *m = message_of(q, &of);
    if (m && !of.has_route) {
        str status = answer.status.n ? answer.status : answer.code >= 500 ? STR("5.1.1") : STR("4.3.0");
        give_up(q, m, of.index, arena_printf(&m->loaded->arena, "%.*s %.*s", STR_ARG(status), STR_ARG(answer.reply)));
    }
    if (m)
        result_part_over(q, m, of.index, STR("delivered"));
    schedule_soon(q);
    return true;
}

static const talk_row rows[] = { { POLICY_ROUTE, 0, 0, on_route }, { POLICY_ANSWER, 0, 0, on_answer } };
const talk policy_talk = { "policy-qmgr", rows, COUNT_OF(rows), NULL };

void resolve_lost(peer *p)
{
    qmgr *q = p->daemon->state;
    size_t cursor = 0;
    for (question *found; (found = refs_next(&q->questions, &cursor)) != NULL;) {
        if (found->peer != p)
            continue;
        question of = question_end(q, found);
        message *m = message_of(q, &of);
        if (m == NULL)
            continue;
        if (!of.has_route)
            resolve_ask(q, m, of.index);
        result_part_over(q, m, of.index, STR("delivered"));
    }
    schedule_soon(q);
}
