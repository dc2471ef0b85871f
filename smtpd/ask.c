/* Questions to policy: one open one a session. A policy that was restarted is asked again; only if none comes back soon the
 * client hears 451. Runs in: smtpd. */
#include "base/log.h"
#include "ipc/talk/envelope.h"
#include "smtpd/replies.h"

enum { POLICY_PATIENCE_MS = 10000 };

/* What was accepted before the question that is open. */
static void routes_mark(transaction *tx)
{
    if (tx->recipients == NULL)
        tx->last = &tx->recipients;
    tx->decided = tx->last;
    tx->decided_count = tx->count;
}

/* Routes of a question that was not answered, or with no, are none. */
static void routes_undo(transaction *tx)
{
    tx->last = tx->decided;
    *tx->last = NULL;
    tx->count = tx->decided_count;
}

static void ask(session *s)
{
    peer *p = daemon_peer(s->smtpd->process, "policy");
    session_wait(s, WAITING_POLICY, p);
    if (p == NULL) {
        timer_set(&s->delay, POLICY_PATIENCE_MS);
        return;
    }
    p->asked++;
    channel_put(&p->channel, POLICY_ASK, s->ref, policy_ask, &s->question);
}

void policy_question(session *s, enum policy_stage stage, str to, void (*then)(session *, const policy_answer *))
{
    s->question = (policy_ask){
        .stage = stage, .generation = (uint32_t)s->generation->snapshot.generation, .service = s->service,
        .session = str_c(s->id), .client_name = STR("unknown"), .client_address = str_c(s->client), .helo = s->helo,
        .sender = s->tx.reverse_path, .has_sender = s->tx.has_sender, .recipient = to, .login = s->login,
        .tls = str_c(s->tls), .message_bytes = s->tx.written ? s->tx.written : s->tx.params.size_bytes,
    };
    s->on_answer = then;
    routes_mark(&s->tx);
    ask(s);
}

void policy_no_answer(session *s)
{
    reply r = reply_of(REPLY_NO_POLICY);
    policy_answer a = { .code = r.code, .status = r.status, .reply = r.words, .reason = STR("policy is not there") };
    routes_undo(&s->tx);
    session_resume(s);
    s->answer_classes = r.classes;
    s->on_answer(s, &a);
}

/* Policy defers what it has no table for with a status of its own (policy/engine/policy.h). Who is not known here (X.1.1), or no
 * longer (X.1.6), is refused by no rule. */
static unsigned classes_of(const policy_answer *a)
{
    str detail = str_from(a->status, 2);
    if (a->code == 451 && str_equal(a->status, STR("4.3.0")))
        return NOTICE_DATA;
    return str_equal(detail, STR("1.1")) || str_equal(detail, STR("1.6")) ? NOTICE_BOUNCE : NOTICE_BOUNCE | NOTICE_POLICY;
}

reply policy_reply(const session *s, const policy_answer *a)
{
    return (reply){ a->code, a->status, a->reply, a->code >= 400 ? s->answer_classes : 0 };
}

_Static_assert((int)SMTP_NOTIFY_NEVER == NOTIFY_NEVER && (int)SMTP_NOTIFY_SUCCESS == NOTIFY_SUCCESS &&
                   (int)SMTP_NOTIFY_FAILURE == NOTIFY_FAILURE && (int)SMTP_NOTIFY_DELAY == NOTIFY_DELAY,
               "one set of wishes");

/* Each member of an alias keeps what was said of the alias (RFC 3461 5.2.7). */
static str orcpt_of(transaction *tx)
{
    const smtp_params *p = &tx->rcpt_params;
    if (!(p->given & SMTP_PARAM_ORCPT))
        return STR_NONE;
    return arena_printf(&tx->arena, "%.*s;%.*s", STR_ARG(p->orcpt_type), STR_ARG(p->orcpt));
}

static bool on_route(void *context, channel *ch, received *r)
{
    peer *from = context;
    session *s = session_by_ref(from->daemon->state, r->ref);
    policy_route m;
    (void)ch;
    if (policy_route_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (s == NULL || s->waiting != WAITING_POLICY)
        return true; /* the client went away meanwhile */
    if (s->question.stage != POLICY_STAGE_RCPT)
        return false;
    arena *a = &s->tx.arena;
    recipient *n = ARENA_NEW(a, recipient);
    *n = (recipient){ .address = arena_copy(a, m.address), .original = s->question.recipient,
                      .transport = arena_copy(a, m.transport), .nexthop = arena_copy(a, m.nexthop),
                      .orcpt = orcpt_of(&s->tx), .sender = arena_copy(a, m.sender),
                      .notify = s->tx.rcpt_params.notify, .command = s->tx.accepted };
    *s->tx.last = n;
    s->tx.last = &n->next;
    s->tx.count++;
    return true;
}

static bool on_answer(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy_answer m;
    (void)ch;
    if (policy_answer_decode(r->bytes, &m) != PARSE_DONE || m.code < 200 || m.code > 599)
        return false;
    from->asked--;
    session *s = session_by_ref(from->daemon->state, r->ref);
    if (s == NULL || s->waiting != WAITING_POLICY)
        return true;
    if (m.code >= 400)
        routes_undo(&s->tx);
    session_resume(s);
    s->answer_classes = classes_of(&m);
    s->on_answer(s, &m);
    return true;
}

static const talk_row rows[] = { { POLICY_ROUTE, 0, 0, on_route }, { POLICY_ANSWER, 0, 0, on_answer } };
const talk policy_talk = { "policy", rows, COUNT_OF(rows), NULL };

static void ask_all_again(smtpd *d, const peer *lost)
{
    for (size_t i = 0; i < d->sessions.n; i++) {
        session *s = d->sessions.p[i];
        if (s == NULL || s->waiting != WAITING_POLICY || s->asked != lost)
            continue;
        timer_stop(&s->delay);
        routes_undo(&s->tx);
        ask(s);
    }
}

void policy_opened(peer *p)
{
    if (p->daemon->state)
        ask_all_again(p->daemon->state, NULL);
}

void policy_lost(peer *p)
{
    ask_all_again(p->daemon->state, p);
}
