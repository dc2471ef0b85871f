/* Whether these rules would let a stranger relay: they are asked, with strangers that no network of this host should
 * hold. */
#include "policy/engine/decision.h"

/* One each from far apart networks, so that one of them may be listed for a test or a partner. */
static const str strangers[] = { STR_ROW("203.0.113.9"), STR_ROW("100.20.30.40"), STR_ROW("45.67.89.10"),
                                 STR_ROW("2001:db8:5::9"), STR_ROW("2a0f:1:2::9") };
static const struct {
    size_t first, count;
} families[] = { { 0, 3 }, { 3, 2 } };

enum { RELAYED_MIN = 2 };

static outcome list_run(decision *d, const restrictions *list, const restriction **out_last)
{
    outcome o = OUTCOME_DUNNO;

    for (size_t i = 0; i < list->n && o == OUTCOME_DUNNO; i++) {
        *out_last = &list->p[i];
        o = list->p[i].kind->check(d, &list->p[i]);
    }
    return o;
}

/* out_rule: the restriction that let it through: the last permit of the lists for recipients; empty when nothing held
 * it. */
static bool is_relayed(const policy_rules *rules, str client, str sender, arena *mem, str *out_rule)
{
    policy_facts facts = {
        .stage = POLICY_STAGE_RCPT,
        .client_name = STR("unknown"),
        .client_address = client,
        .helo = STR("host.stranger.invalid"),
        .sender = sender,
        .has_sender = true,
        .recipient = STR("someone@elsewhere.invalid"),
    };
    decision d = { .rules = rules, .facts = &facts, .mem = mem };
    outcome o = OUTCOME_DUNNO;

    *out_rule = STR("");
    for (list_id l = LIST_CLIENT; l <= LIST_RECIPIENT && (o == OUTCOME_DUNNO || o == OUTCOME_OK); l++) {
        const restriction *last = NULL;
        d.list = l;
        o = list_run(&d, &rules->lists[l], &last);
        if (o == OUTCOME_OK && l >= LIST_RELAY)
            *out_rule = arena_printf(mem, "%.*s: %.*s", STR_ARG(list_rows[l].name), STR_ARG(last->text));
    }
    vec_free(&d.steps);
    return o != OUTCOME_REFUSE && o != OUTCOME_WAIT && d.if_permit.code == 0 && !(d.flags & POLICY_DISCARD);
}

static bool family_relays(const policy_rules *rules, size_t family, str sender, arena *mem, str *out_rule)
{
    size_t relayed = 0;

    for (size_t i = 0; i < families[family].count; i++) {
        str rule;
        if (is_relayed(rules, strangers[families[family].first + i], sender, mem, &rule)) {
            relayed++;
            *out_rule = rule;
        }
    }
    return relayed >= RELAYED_MIN;
}

static void say(str service, str rule, problems *ps)
{
    const char *colon = service.n ? ": " : "";

    if (rule.n)
        problem_error(ps, STR(""), 0, "%.*s%s%.*s would let strangers relay", STR_ARG(service), colon, STR_ARG(rule));
    else
        problem_error(
            ps, STR(""), 0,
            "%.*s%ssmtpd_relay_restrictions and smtpd_recipient_restrictions would let strangers relay: one of "
            "them needs reject_unauth_destination, defer_unauth_destination, reject or defer",
            STR_ARG(service), colon);
}

static void networks_check(const policy_rules *rules, str service, problems *ps)
{
    for (size_t i = 0; i < rules->mynetworks.rows.n; i++) {
        const pattern *p = &rules->mynetworks.rows.p[i];
        bool is_v4 = str_find(p->text, ':') == p->text.n;
        if (p->table == NULL && !p->is_excluded && p->network.bits <= (is_v4 ? 96U : 0U))
            problem_error(ps, STR(""), 0, "%.*s%smynetworks: %.*s would let strangers relay", STR_ARG(service),
                          service.n ? ": " : "", STR_ARG(p->text));
    }
}

void relay_check(const policy_rules *rules, str service, problems *ps)
{
    static const str senders[] = { STR_ROW("someone@stranger.invalid"), STR_ROW("") };
    size_t errors = ps->error_count;
    arena mem = arena_new(0);

    networks_check(rules, service, ps);
    for (size_t i = 0; i < COUNT_OF(senders) && ps->error_count == errors; i++) {
        for (size_t f = 0; f < COUNT_OF(families) && ps->error_count == errors; f++) {
            str rule = STR("");
            if (family_relays(rules, f, senders[i], &mem, &rule))
                say(service, rule, ps);
        }
    }
    arena_free(&mem);
}
