#include "policy/engine/decision.h"

static const char *const rejected[] = {
    [SUBJECT_CLIENT] = "Client host rejected",    [SUBJECT_HELO] = "Helo command rejected",
    [SUBJECT_SENDER] = "Sender address rejected", [SUBJECT_RECIPIENT] = "Recipient address rejected",
    [SUBJECT_DATA] = "Data command rejected",     [SUBJECT_END_OF_DATA] = "End-of-data rejected",
};

void step_add(decision *d, str what, str from, str key, unsigned line, str result)
{
    *vec_add(&d->steps) = (policy_step){ .list = list_rows[d->list].name, .restriction = what, .table = from, .key = key,
                                         .line = line, .result = result };
}

void step_note(decision *d, policy_note note, str words)
{
    policy_step *last = &d->steps.p[d->steps.n - 1];
    last->note = note;
    last->words = words;
}

str subject_text(const decision *d, subject_id about)
{
    const policy_facts *f = d->facts;

    switch (about) {
    case SUBJECT_CLIENT:
        return arena_printf(d->mem, "%.*s[%.*s]", STR_ARG(f->client_name.n ? f->client_name : STR("unknown")),
                            STR_ARG(f->client_address));
    case SUBJECT_HELO: return f->helo;
    case SUBJECT_SENDER: return f->sender;
    case SUBJECT_RECIPIENT: return f->recipient;
    case SUBJECT_DATA: return STR("DATA");
    default: return STR("END-OF-MESSAGE");
    }
}

static str reply_line(const decision *d, const reply *r)
{
    return arena_printf(d->mem, "%u %.*s %.*s", r->code, STR_ARG(r->status), STR_ARG(r->text));
}

outcome refuse_with(decision *d, const restriction *r, reply with)
{
    if (with.code >= 500 && d->if_reject.code)
        with = d->if_reject;
    str line = reply_line(d, &with);
    if (r->only_warns || d->only_warns) {
        step_add(d, r->text, STR(""), STR(""), 0, arena_printf(d->mem, "WARN would refuse: %.*s", STR_ARG(line)));
        step_note(d, NOTE_WOULD_REFUSE, line);
        return OUTCOME_DUNNO;
    }
    step_add(d, r->text, STR(""), STR(""), 0, line);
    d->reply = with;
    return OUTCOME_REFUSE;
}

outcome refuse(decision *d, const restriction *r, subject_id about, unsigned code, const char *status, str words)
{
    reply to = { code, arena_printf(d->mem, "%u.%s", code / 100, status),
                 arena_printf(d->mem, "<%.*s>: %s: %.*s", STR_ARG(subject_text(d, about)), rejected[about],
                              STR_ARG(words)) };
    return refuse_with(d, r, to);
}

outcome refuse_lookup(decision *d, const restriction *r, fault f)
{
    step_add(d, r->text, STR(""), STR(""), 0, arena_printf(d->mem, "the look-up failed: %s", f.text));
    d->reply = (reply){ 451, STR("4.3.0"), STR("Temporary lookup failure") };
    return OUTCOME_REFUSE;
}

outcome restrictions_run(decision *d, const restrictions *list)
{
    outcome o = OUTCOME_DUNNO;

    for (size_t i = 0; i < list->n && o == OUTCOME_DUNNO; i++)
        o = list->p[i].kind->check(d, &list->p[i]);
    return o;
}

static bool is_due(const decision *d, list_id list)
{
    const list_row *row = &list_rows[list];
    return d->facts->stage == (d->rules->config->smtpd_delay_reject ? row->delayed_stage : row->stage);
}

/* All lists of this stage, in their order. A permit ends its list only. */
static outcome lists_run(decision *d)
{
    outcome o = OUTCOME_DUNNO;

    for (list_id l = 0; l < LIST_COUNT && (o == OUTCOME_DUNNO || o == OUTCOME_OK); l++) {
        d->list = l;
        if (is_due(d, l))
            o = restrictions_run(d, &d->rules->lists[l]);
    }
    if (o == OUTCOME_DUNNO || o == OUTCOME_OK)
        o = lmtp_check(d);
    if (o == OUTCOME_REFUSE || o == OUTCOME_WAIT || d->if_permit.code == 0)
        return o;
    d->reply = d->if_permit;
    return OUTCOME_REFUSE;
}

/* Bytes that could end the line, or that a terminal would obey, are not repeated to anybody. */
static str printable(str text, arena *mem)
{
    str out = arena_copy(mem, str_upto(text, 450)); /* RFC 5321 4.5.3.1.5: 512 octets with code and CRLF */
    char *p = (char *)(uintptr_t)out.p;

    for (size_t i = 0; i < out.n; i++)
        if ((unsigned char)p[i] < ' ' || (unsigned char)p[i] >= 0x7f)
            p[i] = '?';
    return out;
}

static void verdict_refuse(decision *d, reply r, policy_verdict *out)
{
    bool is_softened = d->rules->config->soft_bounce && r.code >= 500;

    out->code = is_softened ? r.code - 100 : r.code;
    out->status = is_softened ? arena_printf(d->mem, "4%.*s", STR_ARG(str_from(r.status, 1))) : r.status;
    out->reply = printable(r.text, d->mem);
}

/* Where an accepted recipient goes, or why it goes nowhere after all. */
static void recipient_resolve(decision *d, policy_verdict *out)
{
    routes to;

    policy_resolve(d->rules, d->facts->recipient, d->mem, &to);
    for (size_t i = 0; i < to.step_count; i++)
        *vec_add(&d->steps) = to.steps[i];
    out->routes = to.rows;
    out->route_count = to.n;
    out->waiting_for = to.waiting_for;
    out->code = to.waiting_for.p ? 0 : 250;
    if (to.waiting_for.p || !is_fault(to.fault))
        return;
    bool is_refused = to.fault.kind == FAULT_REFUSED;
    str text = is_refused ? arena_printf(d->mem, "<%.*s>: Recipient address rejected: %s", STR_ARG(d->facts->recipient),
                                         to.fault.text)
               /* A stranger hears nothing of what is wrong here; who has a message in the queue does. */
               : d->facts->stage == POLICY_STAGE_RESOLVE ? arena_copy(d->mem, str_c(to.fault.text))
                                                         : STR("Temporary lookup failure");
    reply r = { to.code, arena_printf(d->mem, "%u.%s", to.code / 100, to.fault.status), text };
    verdict_refuse(d, r, out);
}

static str reason_of(const decision *d)
{
    if (d->steps.n == 0)
        return STR("");
    const policy_step *s = &d->steps.p[d->steps.n - 1];
    /* A reply stands behind the entry that asked for it. */
    if (s->table.n == 0 && d->steps.n > 1 && str_equal(s[-1].restriction, s->restriction) && s[-1].table.n)
        s--;
    return arena_printf(d->mem, "%.*s/%.*s%s%.*s%s%.*s", STR_ARG(s->list), STR_ARG(s->restriction),
                        s->table.n ? "/" : "", STR_ARG(s->table), s->key.n ? "/" : "", STR_ARG(s->key));
}

static void finish(decision *d, policy_verdict *out)
{
    out->reason = reason_of(d);
    out->step_count = d->steps.n;
    out->steps = ARENA_ARRAY(d->mem, policy_step, d->steps.n + 1);
    if (d->steps.n)
        memcpy(out->steps, d->steps.p, d->steps.n * sizeof *d->steps.p);
    vec_free(&d->steps);
}

void policy_decide(const policy_rules *rules, const policy_facts *facts, arena *mem, policy_verdict *out)
{
    decision d = { .rules = rules, .facts = facts, .mem = mem };
    outcome o = OUTCOME_DUNNO;

    *out = (policy_verdict){ .code = 250, .status = STR(""), .reply = STR("Ok") };
    if (facts->stage == POLICY_STAGE_VRFY) {
        /* The same for every address, without a look at it: neither text nor time tells. */
        *out =
            (policy_verdict){ .code = 252, .status = STR("2.0.0"), .reply = STR("Send it and see"), .reason = STR("") };
        return;
    }
    if (facts->stage != POLICY_STAGE_RESOLVE)
        o = lists_run(&d);
    out->flags = d.flags;
    out->waiting_for = d.waiting_for;
    if (o == OUTCOME_WAIT)
        out->code = 0;
    else if (o == OUTCOME_REFUSE)
        verdict_refuse(&d, d.reply, out);
    else if (facts->stage == POLICY_STAGE_RCPT || facts->stage == POLICY_STAGE_RESOLVE)
        recipient_resolve(&d, out);
    finish(&d, out);
}

static void line_write(const policy_step *s, buf *out)
{
    buf_printf(out, "%-32.*s %.*s", STR_ARG(s->list), STR_ARG(s->restriction));
    if (s->table.n)
        buf_printf(out, " [%.*s", STR_ARG(s->table));
    if (s->table.n && s->line)
        buf_printf(out, ":%u", s->line);
    if (s->table.n)
        buf_append(out, STR("]"));
    if (s->key.n)
        buf_printf(out, " key \"%.*s\"", STR_ARG(s->key));
    buf_printf(out, " -> %.*s\n", STR_ARG(s->result));
}

str policy_explain(const policy_verdict *v, arena *mem)
{
    buf text = buf_new(1024 * 1024);

    for (size_t i = 0; i < v->step_count; i++)
        line_write(&v->steps[i], &text);
    str copy = arena_copy(mem, buf_str(&text));
    buf_free(&text);
    return copy;
}
