/* check_{client,helo,sender,recipient}_access: keys from the facts, look-ups, and what the result does. */
#include "mail/address.h"
#include "policy/engine/access.h"
#include "policy/engine/decision.h"

/* The form that tables have: quotes off, domain in lower case, myorigin where there is none. As it is when it is no
 * address. */
static str mail_key(const decision *d, str path)
{
    address a;

    if (address_parse(path, &a) != PARSE_DONE || a.is_null)
        return path;
    str key = address_key(&a, d->mem);
    return a.domain.n ? key : arena_printf(d->mem, "%.*s@%.*s", STR_ARG(key), STR_ARG(d->rules->config->myorigin));
}

static void keys_of(const decision *d, subject_id about, bool is_pattern, access_keys *out)
{
    const policy_facts *f = d->facts;
    const config *c = d->rules->config;

    if (about == SUBJECT_CLIENT) {
        access_host_keys(f->client_name, is_pattern, d->mem, out);
        access_address_keys(f->client_address, is_pattern, d->mem, out);
    } else if (about == SUBJECT_HELO) {
        access_host_keys(f->helo, is_pattern, d->mem, out);
    } else if (about == SUBJECT_SENDER && f->has_sender && f->sender.n == 0) {
        *vec_add(out) = c->smtpd_null_access_lookup_key;
    } else {
        str path = about == SUBJECT_SENDER ? f->sender : f->recipient;
        access_mail_keys(mail_key(d, path), c->recipient_delimiter, is_pattern, d->mem, out);
    }
}

/* An entry that was found. */
typedef struct entry {
    str table, key, value;
    unsigned line;
} entry;

static outcome entry_use(decision *d, const restriction *r, const entry *e);

outcome access_check(decision *d, const restriction *r)
{
    access_keys keys = { 0 };
    table_answer answer;
    outcome o = OUTCOME_DUNNO;
    size_t i = 0;
    table_result found = TABLE_ABSENT;

    keys_of(d, r->kind->about, table_is_pattern(r->table), &keys);
    for (; i < keys.n && found == TABLE_ABSENT; i++)
        found = table_find(r->table, keys.p[i], d->mem, &answer);
    if (found == TABLE_FAILED)
        o = refuse_lookup(d, r, answer.fault);
    else if (found == TABLE_FOUND)
        o = entry_use(d, r, &(entry){ table_name(r->table), keys.p[i - 1], answer.value, answer.line });
    else
        pass(d, r, OUTCOME_DUNNO);
    vec_free(&keys);
    return o;
}

static str default_status(const access_result *a)
{
    return a->code < 500 ? STR("4.7.1") : STR("5.7.1");
}

static reply reply_of(const decision *d, const restriction *r, const access_result *a)
{
    static const char *const what[] = {
        [SUBJECT_CLIENT] = "Client host rejected",
        [SUBJECT_HELO] = "Helo command rejected",
        [SUBJECT_SENDER] = "Sender address rejected",
        [SUBJECT_RECIPIENT] = "Recipient address rejected",
    };
    subject_id about = r->kind->about;
    str words = a->words.n ? a->words : STR("Access denied");
    return (reply){ a->code, a->status.n ? a->status : default_status(a),
                    arena_printf(d->mem, "<%.*s>: %s: %.*s", STR_ARG(subject_text(d, about)), what[about],
                                 STR_ARG(words)) };
}

/* An answer that cannot be acted on must not let mail pass. */
static outcome refuse_entry(decision *d, const restriction *r, const entry *e, str why)
{
    step_add(d, r->text, e->table, e->key, e->line, why);
    d->reply = (reply){ 451, STR("4.3.5"), STR("Server configuration error") };
    return OUTCOME_REFUSE;
}

static outcome run_named(decision *d, const restriction *r, const entry *e)
{
    restrictions list = { 0 };
    problems ps = { .arena = d->mem };
    outcome o;

    step_add(d, r->text, e->table, e->key, e->line, e->value);
    if (d->depth >= DECISION_DEPTH_MAX) {
        o = refuse_entry(d, r, e, STR("restrictions name each other too deeply"));
    } else if (!restrictions_read(e->table, e->value, d->list, d->rules->world->tables, false, &list, &ps)) {
        o = refuse_entry(d, r, e, ps.rows.n ? ps.rows.p[0].text : STR("no restrictions"));
    } else {
        bool only_warned = d->only_warns;
        d->only_warns = only_warned || r->only_warns;
        d->depth++;
        o = restrictions_run(d, &list);
        d->depth--;
        d->only_warns = only_warned;
    }
    vec_free(&list);
    problems_free(&ps);
    return o;
}

static void keep_first(reply *kept, reply r)
{
    if (kept->code == 0)
        *kept = r;
}

static outcome entry_use(decision *d, const restriction *r, const entry *e)
{
    access_result a = access_read(e->value);

    if (a.verb == ACCESS_RESTRICTIONS)
        return run_named(d, r, e);
    if (a.verb == ACCESS_NOT_SUPPORTED)
        return refuse_entry(d, r, e, arena_printf(d->mem, "not supported yet: %.*s", STR_ARG(e->value)));
    step_add(d, r->text, e->table, e->key, e->line, e->value);
    switch (a.verb) {
    case ACCESS_REPLY: return refuse_with(d, r, reply_of(d, r, &a));
    case ACCESS_OK: return OUTCOME_OK;
    case ACCESS_HOLD: d->flags |= POLICY_HOLD; break;
    case ACCESS_DISCARD: d->flags |= POLICY_DISCARD; return OUTCOME_OK;
    case ACCESS_IF_PERMIT: keep_first(&d->if_permit, reply_of(d, r, &a)); break;
    case ACCESS_IF_REJECT: keep_first(&d->if_reject, reply_of(d, r, &a)); break;
    case ACCESS_WARN: step_note(d, NOTE_WARNING, a.words); break;
    case ACCESS_INFO: step_note(d, NOTE_INFO, a.words); break;
    default: break;
    }
    return OUTCOME_DUNNO;
}
