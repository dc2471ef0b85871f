/* Questions and answers. A question that needs a user waits until auth has answered; nothing else waits. Runs in: policy. */
#include "base/log.h"
#include "base/memory.h"
#include "db/source.h"
#include "policy/engine/rewrite.h"
#include "policy/policy.h"
#include <stdlib.h>

static void question_free(question *q)
{
    arena_free(&q->arena);
    free(q);
}

static void routes_put(const question *q, const policy_verdict *v)
{
    for (size_t i = 0; i < v->route_count; i++) {
        policy_route m = { .address = v->routes[i].address, .transport = v->routes[i].transport,
                           .nexthop = v->routes[i].nexthop, .sender = v->routes[i].sender };
        channel_put(&q->asker->channel, POLICY_ROUTE, q->ref, policy_route, &m);
    }
}

/* What a table or warn_if_reject wants to be known of a command that they let pass. */
static void step_log(const question *q, const policy_step *s)
{
    static const char *const events[] = { [NOTE_WARNING] = "access-warning", [NOTE_INFO] = "access-info",
                                          [NOTE_WOULD_REFUSE] = "would-refuse" };
    const policy_facts *f = &q->facts;
    if (s->note != NOTE_NONE)
        log_event(s->note == NOTE_INFO ? LOG_INFO : LOG_WARNING, events[s->note], LOG_STR("session", q->session),
                  LOG_STR("client", f->client_address), LOG_STR("helo", f->helo), LOG_STR("from", f->sender),
                  LOG_STR("to", f->recipient), LOG_STR("login", f->login), LOG_STR("text", s->words),
                  LOG_STR("list", s->list), LOG_STR("restriction", s->restriction), LOG_STR("key", s->key));
}

static void answer(question *q, const policy_verdict *v)
{
    policy_answer m = { .code = v->code, .status = v->status, .reply = v->reply, .reason = v->reason, .flags = v->flags };
    q->policy->answered++;
    for (size_t i = 0; i < v->step_count; i++)
        step_log(q, &v->steps[i]);
    if (!channel_is_open(&q->asker->channel))
        return;
    routes_put(q, v);
    channel_put(&q->asker->channel, POLICY_ANSWER, q->ref, policy_answer, &m);
}

void question_decide(question *q)
{
    policy_verdict v = { 0 };
    policy_decide(q->rules, &q->facts, &q->arena, &v);
    if (v.waiting_for.p == NULL) {
        answer(q, &v);
        question_free(q);
        return;
    }
    q->waiting_for = key_fold(v.waiting_for, &q->arena);
    q->next = q->policy->waiting;
    q->policy->waiting = q;
    users_ask(q->policy, v.waiting_for);
}

void questions_resume(policy *p, str name)
{
    question *list = p->waiting, *next;
    p->waiting = NULL;
    for (question *q = list; q; q = next) {
        next = q->next;
        if (name.p == NULL || str_equal(q->waiting_for, name)) {
            question_decide(q);
        } else {
            q->next = p->waiting;
            p->waiting = q;
        }
    }
}

static const policy_rules *rules_of(const policy *p, str key)
{
    const policy_rules *r = map_get(&p->rules, key);
    return r ? r : map_get(&p->rules, STR(""));
}

static bool on_ask(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy *p = from->daemon->state;
    policy_ask m;
    (void)ch;
    if (policy_ask_decode(r->bytes, &m) != PARSE_DONE || m.stage < POLICY_STAGE_CONNECT || m.stage > POLICY_STAGE_RESOLVE)
        return false;
    question *q = memory_get(sizeof *q);
    arena *a = &q->arena;
    *q = (question){ .policy = p, .asker = from, .ref = r->ref, .rules = rules_of(p, m.service) };
    q->session = arena_copy(a, m.session);
    q->facts = (policy_facts){ .stage = (enum policy_stage)m.stage,
                               .client_name = arena_copy(a, m.client_name),
                               .client_address = arena_copy(a, m.client_address),
                               .helo = arena_copy(a, m.helo),
                               .sender = arena_copy(a, m.sender),
                               .has_sender = m.has_sender,
                               .recipient = arena_copy(a, m.recipient),
                               .login = arena_copy(a, m.login),
                               .tls = arena_copy(a, m.tls),
                               .message_bytes = m.message_bytes };
    question_decide(q);
    return true;
}

/* One line of a REWRITE; what fails says so for all of them. */
static fault line_rewrite(const policy_rules *rules, bool is_remote, str line, buf *out)
{
    arena a = arena_new(0);
    rewritten to;
    policy_rewrite_address(rules, (enum policy_rewrite_line)line.p[0], is_remote, arena_copy(&a, str_from(line, 1)), &a, &to);
    fault f = to.fault;
    if (!is_fault(f) && !buf_printf(out, "%.*s\t%.*s\n", STR_ARG(to.address), STR_ARG(to.bcc)))
        f = fault_make(FAULT_TRY_LATER, "3.0", "too many addresses in one question");
    arena_free(&a);
    return f;
}

static bool on_rewrite(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy *p = from->daemon->state;
    policy_rewrite m;
    str line;
    fault f = NO_FAULT;
    if (policy_rewrite_decode(r->bytes, &m) != PARSE_DONE || m.lines.n == 0 || m.lines.p[m.lines.n - 1] != '\n')
        return false;
    buf out = buf_new(CHANNEL_FRAME_MAX - 1024);
    for (str rest = str_upto(m.lines, m.lines.n - 1); !is_fault(f) && str_cut(&rest, '\n', &line);) {
        if (line.n < 2) {
            buf_free(&out);
            return false;
        }
        f = line_rewrite(rules_of(p, STR("")), m.is_remote, line, &out);
    }
    if (is_fault(f))
        log_event(LOG_WARNING, "not-rewritten", LOG_STR("session", m.session), LOG_C("reason", f.text));
    policy_rewritten answer = { .outcome = f.kind, .reason = str_c(f.text), .lines = buf_str(&out) };
    p->answered++;
    channel_put(ch, POLICY_REWRITTEN, r->ref, policy_rewritten, &answer);
    buf_free(&out);
    return true;
}

static const talk_row rows[] = { { POLICY_ASK, 0, 0, on_ask }, { POLICY_REWRITE, 0, 0, on_rewrite } };
const talk ask_talk = { "policy", rows, COUNT_OF(rows), NULL };

void ask_lost(peer *p)
{
    policy *state = p->daemon->state;
    for (question **at = &state->waiting; *at;) {
        question *q = *at;
        if (q->asker != p) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        question_free(q);
    }
}
