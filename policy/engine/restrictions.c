/* Reading restriction lists: words of main.cf to rows. */
#include "conf/nearest.h"
#include "policy/engine/decision.h"

const list_row list_rows[LIST_COUNT] = {
    [LIST_CLIENT] = { STR_ROW("smtpd_client_restrictions"), SUBJECT_CLIENT, POLICY_STAGE_CONNECT, POLICY_STAGE_RCPT },
    [LIST_HELO] = { STR_ROW("smtpd_helo_restrictions"), SUBJECT_HELO, POLICY_STAGE_HELO, POLICY_STAGE_RCPT },
    [LIST_SENDER] = { STR_ROW("smtpd_sender_restrictions"), SUBJECT_SENDER, POLICY_STAGE_MAIL, POLICY_STAGE_RCPT },
    [LIST_RELAY] = { STR_ROW("smtpd_relay_restrictions"), SUBJECT_RECIPIENT, POLICY_STAGE_RCPT, POLICY_STAGE_RCPT },
    [LIST_RECIPIENT] = { STR_ROW("smtpd_recipient_restrictions"), SUBJECT_RECIPIENT, POLICY_STAGE_RCPT,
                         POLICY_STAGE_RCPT },
    [LIST_DATA] = { STR_ROW("smtpd_data_restrictions"), SUBJECT_DATA, POLICY_STAGE_DATA, POLICY_STAGE_DATA },
    [LIST_END_OF_DATA] = { STR_ROW("smtpd_end_of_data_restrictions"), SUBJECT_END_OF_DATA, POLICY_STAGE_END_OF_DATA,
                           POLICY_STAGE_END_OF_DATA },
};

/* Postfix has these; a configuration that counts on one must not run without it. */
static const str not_supported[] = {
    STR_ROW("check_ccert_access"),
    STR_ROW("check_client_a_access"),
    STR_ROW("check_client_mx_access"),
    STR_ROW("check_client_ns_access"),
    STR_ROW("check_etrn_access"),
    STR_ROW("check_helo_a_access"),
    STR_ROW("check_helo_mx_access"),
    STR_ROW("check_helo_ns_access"),
    STR_ROW("check_policy_service"),
    STR_ROW("check_recipient_a_access"),
    STR_ROW("check_recipient_mx_access"),
    STR_ROW("check_recipient_ns_access"),
    STR_ROW("check_reverse_client_hostname_access"),
    STR_ROW("check_sasl_access"),
    STR_ROW("check_sender_a_access"),
    STR_ROW("check_sender_mx_access"),
    STR_ROW("check_sender_ns_access"),
    STR_ROW("permit_dnswl_client"),
    STR_ROW("permit_inet_interfaces"),
    STR_ROW("permit_mx_backup"),
    STR_ROW("permit_naked_ip_address"),
    STR_ROW("permit_rhswl_client"),
    STR_ROW("permit_tls_all_clientcerts"),
    STR_ROW("permit_tls_clientcerts"),
    STR_ROW("reject_authenticated_sender_login_mismatch"),
    STR_ROW("reject_known_sender_login_mismatch"),
    STR_ROW("reject_maps_rbl"),
    STR_ROW("reject_multi_recipient_bounce"),
    STR_ROW("reject_plaintext_session"),
    STR_ROW("reject_rbl_client"),
    STR_ROW("reject_rhsbl_client"),
    STR_ROW("reject_rhsbl_helo"),
    STR_ROW("reject_rhsbl_recipient"),
    STR_ROW("reject_rhsbl_reverse_client"),
    STR_ROW("reject_rhsbl_sender"),
    STR_ROW("reject_sender_login_mismatch"),
    STR_ROW("reject_unauth_pipelining"),
    STR_ROW("reject_unauthenticated_sender_login_mismatch"),
    STR_ROW("reject_unknown_address"),
    STR_ROW("reject_unknown_client"),
    STR_ROW("reject_unknown_client_hostname"),
    STR_ROW("reject_unknown_forward_client_hostname"),
    STR_ROW("reject_unknown_helo_hostname"),
    STR_ROW("reject_unknown_hostname"),
    STR_ROW("reject_unknown_recipient_domain"),
    STR_ROW("reject_unknown_reverse_client_hostname"),
    STR_ROW("reject_unknown_sender_domain"),
    STR_ROW("reject_unlisted_sender"),
    STR_ROW("reject_unverified_recipient"),
    STR_ROW("reject_unverified_sender"),
    STR_ROW("sleep"),
};

static bool is_not_supported(str name)
{
    for (size_t i = 0; i < COUNT_OF(not_supported); i++)
        if (str_equal_nocase(not_supported[i], name))
            return true;
    return false;
}

static str nearest(str name)
{
    unsigned best = nearest_limit(name) + 1;
    str found = STR("");

    for (size_t i = 0; i < restriction_kind_count; i++) {
        unsigned distance = nearest_distance(name, restriction_kinds[i].name, best);
        if (distance < best) {
            best = distance;
            found = restriction_kinds[i].name;
        }
    }
    return found;
}

static bool unknown(str where, str name, problems *ps)
{
    str meant = nearest(name), shown = str_upto(name, 100);

    if (is_not_supported(name))
        problem_error(ps, STR(""), 0, "%.*s: not supported yet: %.*s", STR_ARG(where), STR_ARG(shown));
    else if (meant.n)
        problem_error(ps, STR(""), 0, "%.*s: no such restriction: %.*s; did you mean %.*s?", STR_ARG(where),
                      STR_ARG(shown), STR_ARG(meant));
    else
        problem_error(ps, STR(""), 0, "%.*s: no such restriction: %.*s", STR_ARG(where), STR_ARG(shown));
    return false;
}

/* The check that a table alone stands for in this list; NULL: none. */
static const restriction_kind *kind_of_list(list_id list)
{
    static const str names[] = {
        [SUBJECT_CLIENT] = STR_ROW("check_client_access"),
        [SUBJECT_HELO] = STR_ROW("check_helo_access"),
        [SUBJECT_SENDER] = STR_ROW("check_sender_access"),
        [SUBJECT_RECIPIENT] = STR_ROW("check_recipient_access"),
    };
    subject_id about = list_rows[list].subject;
    return about < COUNT_OF(names) ? restriction_kind_find(names[about]) : NULL;
}

typedef struct reading {
    str where;
    list_id list;
    table_pool *pool;
    bool may_open;
    problems *ps;
} reading;

static table *table_of(const reading *in, str spec)
{
    if (in->may_open)
        return rule_table(in->where, spec, in->pool, in->ps);
    table *t = table_pool_get(in->pool, spec);
    if (t == NULL)
        problem_error(in->ps, STR(""), 0, "%.*s: %.*s must be named in main.cf too", STR_ARG(in->where),
                      STR_ARG(str_upto(spec, 100)));
    return t;
}

static bool word_read(const reading *in, str word, str *rest, restriction *out)
{
    str spec = word;

    out->text = word;
    out->kind = restriction_kind_find(word);
    if (out->kind == NULL && str_has(word, ':'))
        out->kind = kind_of_list(in->list);
    else if (out->kind && out->kind->has_table) {
        if (!table_word_next(rest, &spec)) {
            problem_error(in->ps, STR(""), 0, "%.*s: %.*s must be followed by a table", STR_ARG(in->where),
                          STR_ARG(word));
            return false;
        }
        out->text = (str){ word.p, (size_t)(spec.p + spec.n - word.p) };
    }
    if (out->kind == NULL)
        return unknown(in->where, word, in->ps);
    if (!out->kind->has_table)
        return true;
    out->table = table_of(in, spec);
    return out->table != NULL;
}

bool restrictions_read(str where, str value, list_id list, table_pool *open, bool may_open, restrictions *out,
                       problems *ps)
{
    reading in = { where, list, open, may_open, ps };
    bool is_right = true, only_warns = false;
    str word;

    while (table_word_next(&value, &word)) {
        restriction r = { .only_warns = only_warns };
        bool is_read = word_read(&in, word, &value, &r);
        is_right = is_right && is_read;
        if (!is_read)
            continue;
        only_warns = r.kind->is_warning;
        *vec_add(out) = r;
    }
    return is_right;
}
