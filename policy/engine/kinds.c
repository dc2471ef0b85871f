/* The restrictions that are known, one row each, and what each checks. */
#include "mail/address.h"
#include "policy/engine/decision.h"

outcome pass(decision *d, const restriction *r, outcome o)
{
    step_add(d, r->text, STR(""), STR(""), 0, o == OUTCOME_OK ? STR("OK") : STR("DUNNO"));
    return o;
}

static outcome check_permit(decision *d, const restriction *r)
{
    return pass(d, r, OUTCOME_OK);
}

static outcome check_reject(decision *d, const restriction *r)
{
    return refuse(d, r, list_rows[d->list].subject, 554, "7.1", STR("Access denied"));
}

static outcome check_defer(decision *d, const restriction *r)
{
    return refuse(d, r, list_rows[d->list].subject, 450, "3.2", STR("Try again later"));
}

static reply deferral(decision *d, const char *text)
{
    str subject = subject_text(d, list_rows[d->list].subject);
    return (reply){ 450, STR("4.7.0"), arena_printf(d->mem, "%.*s: %s", STR_ARG(subject), text) };
}

static outcome check_defer_if_permit(decision *d, const restriction *r)
{
    if (d->if_permit.code == 0)
        d->if_permit = deferral(d, "Try again later");
    return pass(d, r, OUTCOME_DUNNO);
}

static outcome check_defer_if_reject(decision *d, const restriction *r)
{
    if (d->if_reject.code == 0)
        d->if_reject = deferral(d, "Try again later");
    return pass(d, r, OUTCOME_DUNNO);
}

static outcome check_warn(decision *d, const restriction *r)
{
    return pass(d, r, OUTCOME_DUNNO); /* the compiler marked the one behind it */
}

static outcome check_mynetworks(decision *d, const restriction *r)
{
    fault f;
    match_result m = patterns_match(&d->rules->mynetworks, d->facts->client_address, d->mem, &f);
    if (m == MATCH_FAILED)
        return refuse_lookup(d, r, f);
    return pass(d, r, m == MATCH_YES ? OUTCOME_OK : OUTCOME_DUNNO);
}

static outcome check_login(decision *d, const restriction *r)
{
    return pass(d, r, d->facts->login.n ? OUTCOME_OK : OUTCOME_DUNNO);
}

/* MATCH_YES: mail for the recipient is ours to take. */
static match_result is_ours(decision *d, fault *out_fault)
{
    address_class class;
    if (!policy_class(d->rules, d->facts->recipient, d->mem, &class, out_fault))
        return MATCH_FAILED;
    return class == CLASS_ELSEWHERE ? MATCH_NO : MATCH_YES;
}

static outcome check_permit_destination(decision *d, const restriction *r)
{
    fault f;
    match_result m = d->facts->recipient.n ? is_ours(d, &f) : MATCH_NO;
    if (m == MATCH_FAILED)
        return refuse_lookup(d, r, f);
    return pass(d, r, m == MATCH_YES ? OUTCOME_OK : OUTCOME_DUNNO);
}

static outcome check_destination(decision *d, const restriction *r, unsigned code)
{
    fault f;
    match_result m = d->facts->recipient.n ? is_ours(d, &f) : MATCH_YES;
    if (m == MATCH_FAILED)
        return refuse_lookup(d, r, f);
    if (m == MATCH_YES)
        return pass(d, r, OUTCOME_DUNNO);
    str text = arena_printf(d->mem, "<%.*s>: Relay access denied", STR_ARG(d->facts->recipient));
    return refuse_with(d, r, (reply){ code, code < 500 ? STR("4.7.1") : STR("5.7.1"), text });
}

outcome lmtp_check(decision *d)
{
    static const restriction implied = { .text = STR_ROW("reject_unauth_destination (smtpd_protocol=lmtp)") };
    bool is_due = d->rules->config->smtpd_protocol == PROTOCOL_LMTP && d->facts->stage == POLICY_STAGE_RCPT;
    if (!is_due)
        return OUTCOME_DUNNO;
    d->list = LIST_RELAY;
    return check_destination(d, &implied, 554);
}

static outcome check_reject_destination(decision *d, const restriction *r)
{
    return check_destination(d, r, 554);
}

static outcome check_defer_destination(decision *d, const restriction *r)
{
    return check_destination(d, r, 454);
}

static bool helo_is_valid(str helo)
{
    return helo.p[0] == '[' ? domain_is_literal(helo) : domain_is_valid(helo);
}

static outcome check_helo_invalid(decision *d, const restriction *r)
{
    if (d->facts->helo.n == 0 || helo_is_valid(d->facts->helo))
        return pass(d, r, OUTCOME_DUNNO);
    return refuse(d, r, SUBJECT_HELO, 501, "5.2", STR("Invalid name"));
}

/* With a dot inside: one label is no full name. */
static bool is_qualified(str domain)
{
    if (domain.n && domain.p[domain.n - 1] == '.')
        domain.n--;
    return domain.n &&
           (domain.p[0] == '[' ? domain_is_literal(domain) : domain_is_valid(domain) && str_has(domain, '.'));
}

static outcome check_helo_qualified(decision *d, const restriction *r)
{
    if (d->facts->helo.n == 0 || is_qualified(d->facts->helo))
        return pass(d, r, OUTCOME_DUNNO);
    return refuse(d, r, SUBJECT_HELO, 504, "5.2", STR("need fully-qualified hostname"));
}

static bool address_is_qualified(str path)
{
    address a;
    return address_parse(path, &a) == PARSE_DONE && is_qualified(a.domain);
}

static outcome check_sender_qualified(decision *d, const restriction *r)
{
    if (d->facts->sender.n == 0 || address_is_qualified(d->facts->sender))
        return pass(d, r, OUTCOME_DUNNO);
    return refuse(d, r, SUBJECT_SENDER, 504, "5.2", STR("need fully-qualified address"));
}

/* RFC 5321 4.5.1: postmaster is taken without a domain. */
static outcome check_recipient_qualified(decision *d, const restriction *r)
{
    str recipient = d->facts->recipient;
    if (recipient.n == 0 || str_equal_nocase(recipient, STR("postmaster")) || address_is_qualified(recipient))
        return pass(d, r, OUTCOME_DUNNO);
    return refuse(d, r, SUBJECT_RECIPIENT, 504, "5.2", STR("need fully-qualified address"));
}

/* Mail for elsewhere is not this restriction's business. */
static outcome check_unlisted(decision *d, const restriction *r)
{
    address_class class;
    routes to;
    fault f;

    if (d->facts->recipient.n == 0)
        return pass(d, r, OUTCOME_DUNNO);
    if (!policy_class(d->rules, d->facts->recipient, d->mem, &class, &f))
        return refuse_lookup(d, r, f);
    if (class == CLASS_ELSEWHERE || class == CLASS_RELAY)
        return pass(d, r, OUTCOME_DUNNO);
    policy_resolve(d->rules, d->facts->recipient, d->mem, &to);
    d->waiting_for = to.waiting_for;
    if (to.waiting_for.p)
        return OUTCOME_WAIT;
    if (!is_fault(to.fault))
        return pass(d, r, OUTCOME_DUNNO);
    bool is_refused = to.fault.kind == FAULT_REFUSED;
    return refuse(d, r, SUBJECT_RECIPIENT, to.code, to.fault.status,
                  is_refused ? arena_copy(d->mem, str_c(to.fault.text)) : STR("Try again later"));
}

#define PLAIN(name, check)                                 \
    {                                                      \
        STR_ROW(name), false, false, SUBJECT_CLIENT, check \
    }
#define TABLE(name, about)                              \
    {                                                   \
        STR_ROW(name), true, false, about, access_check \
    }

const restriction_kind restriction_kinds[] = {
    PLAIN("permit", check_permit),
    PLAIN("reject", check_reject),
    PLAIN("defer", check_defer),
    PLAIN("defer_if_permit", check_defer_if_permit),
    PLAIN("defer_if_reject", check_defer_if_reject),
    { STR_ROW("warn_if_reject"), false, true, SUBJECT_CLIENT, check_warn },
    PLAIN("permit_mynetworks", check_mynetworks),
    PLAIN("permit_sasl_authenticated", check_login),
    PLAIN("permit_auth_destination", check_permit_destination),
    PLAIN("reject_unauth_destination", check_reject_destination),
    PLAIN("defer_unauth_destination", check_defer_destination),
    PLAIN("reject_invalid_helo_hostname", check_helo_invalid),
    PLAIN("reject_invalid_hostname", check_helo_invalid),
    PLAIN("reject_non_fqdn_helo_hostname", check_helo_qualified),
    PLAIN("reject_non_fqdn_hostname", check_helo_qualified),
    PLAIN("reject_non_fqdn_sender", check_sender_qualified),
    PLAIN("reject_non_fqdn_recipient", check_recipient_qualified),
    PLAIN("reject_unlisted_recipient", check_unlisted),
    TABLE("check_client_access", SUBJECT_CLIENT),
    TABLE("check_helo_access", SUBJECT_HELO),
    TABLE("check_sender_access", SUBJECT_SENDER),
    TABLE("check_recipient_access", SUBJECT_RECIPIENT),
};

const size_t restriction_kind_count = COUNT_OF(restriction_kinds);

const restriction_kind *restriction_kind_find(str name)
{
    for (size_t i = 0; i < restriction_kind_count; i++)
        if (str_equal_nocase(restriction_kinds[i].name, name))
            return &restriction_kinds[i];
    return NULL;
}
