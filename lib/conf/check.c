#include "conf/check.h"
#include "base/num.h"
#include "conf/expand.h"
#include "conf/feedback.h"
#include "conf/list.h"
#include "conf/networks.h"
#include <pwd.h>

/* A default that follows another parameter is complained of there; a service's, with main.cf. */
static bool follows(const scope *s, parameter_index at)
{
    return !s->of[at]->is_set && (s->over || at == AT_mydomain || str_has(parameter_rows[at].value, '$'));
}

static void check_paths(scope *s, const config *c)
{
    static const parameter_index paths[] = {
        AT_config_directory,    AT_queue_directory,    AT_daemon_directory, AT_user_file,
        AT_smtpd_tls_cert_file, AT_smtpd_tls_key_file, AT_tls_cert_file,    AT_tls_key_file,
        AT_maillog_file,        AT_bounce_template_file,
        AT_mail_spool_directory,
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        str path = config_text(c, paths[i]);
        if (path.n && path.p[0] != '/' && !follows(s, paths[i]))
            scope_error(s, paths[i], "\"%.*s\" is not an absolute path", STR_ARG(str_upto(path, 60)));
    }
    const slot *directory = s->of[AT_config_directory];
    if (directory->is_set && !str_equal(directory->raw, s->parsed->directory))
        scope_error(s, AT_config_directory, "main.cf was read from %.*s; leave this out",
                    STR_ARG(s->parsed->directory));
}

/* Labels of letters, digits, hyphens and underscores, divided by single dots. */
static bool is_domain(str s)
{
    str label;
    while (str_cut(&s, '.', &label)) {
        if (label.n == 0 || label.n > 63)
            return false;
        for (size_t i = 0; i < label.n; i++) {
            unsigned char c = (unsigned char)label.p[i];
            bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
            if (!is_word && c != '-' && c != '_')
                return false;
        }
    }
    return true;
}

static void check_domains(scope *s, const config *c)
{
    static const parameter_index names[] = { AT_myhostname, AT_mydomain, AT_myorigin,
                                             AT_remote_header_rewrite_domain };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        str name = config_text(c, names[i]);
        if (name.n && !is_domain(name) && !follows(s, names[i]))
            scope_error(s, names[i], "\"%.*s\" is not a domain name", STR_ARG(str_upto(name, 60)));
    }
}

static void check_networks(scope *s, const config *c)
{
    static const parameter_index lists[] = {
        AT_mynetworks,
        AT_smtpd_client_event_limit_exceptions,
        AT_smtpd_forbid_bare_newline_exclusions,
        AT_authorized_verp_clients,
        AT_smtpd_authorized_verp_clients,
    };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        str list = config_text(c, lists[i]);
        networks ns;
        /* Tables and files of mynetworks are opened, and complained of, by who may look into them. */
        fault f = lists[i] == AT_mynetworks ? networks_read_plain(list, &ns) : networks_read(list, &ns);
        if (is_fault(f) && !follows(s, lists[i]))
            scope_error(s, lists[i], "%s", f.text);
        for (size_t j = 0; j < ns.rows.n; j++) {
            const network *n = &ns.rows.p[j];
            bool is_all = !n->is_excluded && (n->bits == 0 || (n->bits == 96 && n->bytes[10] == 0xff));
            if (lists[i] == AT_mynetworks && is_all)
                scope_error(s, lists[i], "covers the whole Internet, which could then relay through this host");
        }
        networks_free(&ns);
    }
}

typedef struct order {
    parameter_index less, more;
} order;

static void check_order(scope *s, const config *c)
{
    static const order orders[] = {
        { AT_minimum_uid, AT_maximum_uid },
        { AT_minimal_backoff_time, AT_maximal_backoff_time },
        { AT_restart_backoff_initial, AT_restart_backoff_max },
        { AT_auth_failure_delay, AT_auth_failure_delay_max },
    };
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        const parameter *less = &parameter_rows[orders[i].less], *more = &parameter_rows[orders[i].more];
        if (config_number(c, orders[i].less) > config_number(c, orders[i].more))
            scope_error(s, s->of[orders[i].less]->is_set ? orders[i].less : orders[i].more, "%.*s is more than %.*s",
                        STR_ARG(less->name), STR_ARG(more->name));
    }
}

static void check_accounts(scope *s, const config *c)
{
    str users = c->process_users;
    uint64_t first;
    bool is_number = users.n && users.p[0] >= '0' && users.p[0] <= '9';

    if (is_number && !num_parse(users, 1, UINT32_MAX - ROLE_COUNT, &first))
        scope_error(s, AT_process_users, "\"%.*s\" is not the first of a range of user ids", STR_ARG(users));
    for (size_t i = 0; !is_number && i < users.n; i++) {
        char b = users.p[i];
        if (!(b >= 'a' && b <= 'z') && !(b >= 'A' && b <= 'Z') && !(b >= '0' && b <= '9') && b != '-' && b != '_')
            scope_error(s, AT_process_users, "\"%.*s\" cannot begin the name of an account", STR_ARG(users));
    }
    str list = c->auth_mechanisms, word;
    while (list_next(&list, &word))
        if (!str_equal_nocase(word, STR("plain")) && !str_equal_nocase(word, STR("login")))
            scope_error(s, AT_auth_mechanisms, "\"%.*s\" is not known; there are plain and login",
                        STR_ARG(str_upto(word, 60)));
}

/* Offsets of accounts in a numeric process_users stay below this. */
enum { PROCESS_ACCOUNTS = 100 };

static bool is_own_account(const config *c, const struct passwd *p)
{
    uint64_t first;
    if (num_parse(c->process_users, 1, UINT32_MAX, &first))
        return p->pw_uid >= first && p->pw_uid < first + PROCESS_ACCOUNTS;
    return str_starts(str_c(p->pw_name), c->process_users);
}

/* Commands of strangers' mail run as it: never what could change the system or the suite. */
static void check_default_privs(scope *s, const config *c)
{
    const struct passwd *p = getpwnam(arena_c(&s->parsed->arena, c->default_privs));

    if (p == NULL)
        scope_error(s, AT_default_privs, "there is no account \"%.*s\"", STR_ARG(c->default_privs));
    else if (p->pw_uid == 0 || p->pw_gid == 0)
        scope_error(s, AT_default_privs, "\"%.*s\" is root, as which nothing of a mail is ever run", STR_ARG(c->default_privs));
    else if (is_own_account(c, p))
        scope_error(s, s->of[AT_default_privs]->is_set ? AT_default_privs : AT_process_users,
                    "default_privs \"%.*s\" is an account of the suite itself", STR_ARG(c->default_privs));
}

/* A word that nobody knows would be heeded by nobody: mail would be written without a lock. */
static void check_words(scope *s, const config *c)
{
    static const struct {
        parameter_index at;
        const char *words;
    } rows[] = {
        { AT_mailbox_delivery_lock, "fcntl, dotlock" },
        { AT_allow_mail_to_commands, "alias, forward, include" },
        { AT_allow_mail_to_files, "alias, forward, include" },
        { AT_propagate_unmatched_extensions, "canonical, virtual, alias, forward, include, generic" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str list = config_text(c, rows[i].at), word;
        while (list_next(&list, &word))
            if (!list_has(str_c(rows[i].words), word) && !follows(s, rows[i].at))
                scope_error(s, rows[i].at, "\"%.*s\" is not known; there are %s", STR_ARG(str_upto(word, 60)), rows[i].words);
    }
}

static void check_tls(scope *s, const config *c, service_role role)
{
    bool has_cert = c->smtpd_tls_cert_file.n > 0;
    bool may_be_smtpd = role == ROLE_SMTPD || role == ROLE_COUNT,
         may_be_login = role == ROLE_LOGIN || role == ROLE_COUNT;

    if (may_be_smtpd && !has_cert && c->smtpd_tls_security_level != TLS_LEVEL_NONE)
        scope_error(s, AT_smtpd_tls_security_level, "needs smtpd_tls_cert_file");
    if (may_be_smtpd && !has_cert && c->smtpd_tls_wrappermode)
        scope_error(s, AT_smtpd_tls_wrappermode, "needs smtpd_tls_cert_file");
    if (may_be_login && c->tls_cert_file.n == 0 && c->tls_wrappermode)
        scope_error(s, AT_tls_wrappermode, "needs tls_cert_file or smtpd_tls_cert_file");
    if (role == ROLE_LOGIN && c->tls_cert_file.n == 0 && c->login_tls_required)
        scope_warning(s, AT_login_tls_required, "without tls_cert_file nobody can log in to this service");
}

/* Whether a list of restrictions ends for a stranger's relaying before it may be permitted. */
static bool is_guarded(str list)
{
    static const str guards[] = {
        STR_ROW("reject_unauth_destination"),
        STR_ROW("defer_unauth_destination"),
        STR_ROW("reject"),
        STR_ROW("defer"),
    };
    str word;
    while (list_next(&list, &word)) {
        if (str_equal_nocase(word, STR("permit")))
            return false;
        for (size_t i = 0; i < COUNT_OF(guards); i++)
            if (str_equal_nocase(word, guards[i]))
                return true;
    }
    return false;
}

static void check_relay(scope *s, const config *c)
{
    if (!is_guarded(c->smtpd_relay_restrictions) && !is_guarded(c->smtpd_recipient_restrictions))
        scope_error(s, AT_smtpd_relay_restrictions,
                    "strangers could relay: neither this nor smtpd_recipient_restrictions has "
                    "reject_unauth_destination, defer_unauth_destination, reject or defer before any permit");
}

static void check_rewriting(scope *s, const config *c)
{
    static const str known[] = { STR_ROW("permit_inet_interfaces"), STR_ROW("permit_mynetworks"),
                                 STR_ROW("permit_sasl_authenticated"), STR_ROW("check_address_map") };
    str rest = c->local_header_rewrite_clients, field = c->undisclosed_recipients_header, word;
    while (list_next(&rest, &word)) {
        size_t i = 0;
        while (i < COUNT_OF(known) && !str_equal_nocase(known[i], word))
            i++;
        if (i == COUNT_OF(known) && !str_has(word, ':') && !follows(s, AT_local_header_rewrite_clients))
            scope_error(s, AT_local_header_rewrite_clients, "\"%.*s\" is not known here", STR_ARG(str_upto(word, 60)));
    }
    bool is_field = field.n == 0 || (field.p[0] != ':' && str_find(field, ':') < str_find(field, ' '));
    if (!is_field && !follows(s, AT_undisclosed_recipients_header))
        scope_error(s, AT_undisclosed_recipients_header, "expected a field, such as \"To: undisclosed-recipients:;\"");
}

static void check_braces(scope *s, const config *c)
{
    for (size_t i = AT_smtpd_client_restrictions; i <= AT_smtpd_end_of_data_restrictions; i++)
        if (!list_is_balanced(config_text(c, (parameter_index)i)))
            scope_error(s, (parameter_index)i, "a brace does not close");
}

static void check_feedback(scope *s, const config *c)
{
    static const parameter_index texts[] = {
        AT_default_destination_concurrency_positive_feedback, AT_default_destination_concurrency_negative_feedback,
        AT_local_destination_concurrency_positive_feedback,   AT_local_destination_concurrency_negative_feedback,
        AT_pipe_destination_concurrency_positive_feedback,    AT_pipe_destination_concurrency_negative_feedback,
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        feedback unused;
        fault f = feedback_read(config_text(c, texts[i]), &unused);
        if (is_fault(f) && !follows(s, texts[i]))
            scope_error(s, texts[i], "%s", f.text);
    }
}

static void check_reports(scope *s, const config *c)
{
    static const str classes[] = { STR_ROW("bounce"),   STR_ROW("2bounce"),  STR_ROW("data"),    STR_ROW("delay"),
                                   STR_ROW("policy"),   STR_ROW("protocol"), STR_ROW("resource"), STR_ROW("software") };
    str rest = c->notify_classes, word, delimiters = c->default_verp_delimiters;
    while (list_next(&rest, &word)) {
        bool is_known = false;
        for (size_t i = 0; i < COUNT_OF(classes); i++)
            is_known = is_known || str_equal_nocase(word, classes[i]);
        if (!is_known)
            scope_error(s, AT_notify_classes, "\"%.*s\" is not a class of reports", STR_ARG(str_upto(word, 60)));
    }
    for (size_t i = 0; i < delimiters.n; i++)
        if (!str_has(c->verp_delimiter_filter, delimiters.p[i]))
            scope_error(s, AT_default_verp_delimiters, "verp_delimiter_filter does not have '%c'", delimiters.p[i]);
}

void check_values(scope *s, const config *c, service_role role)
{
    check_paths(s, c);
    check_domains(s, c);
    check_networks(s, c);
    check_order(s, c);
    check_accounts(s, c);
    if (role == ROLE_COUNT)
        check_default_privs(s, c);
    check_words(s, c);
    check_tls(s, c, role);
    check_braces(s, c);
    check_rewriting(s, c);
    check_feedback(s, c);
    check_reports(s, c);
    if (role == ROLE_SMTPD || role == ROLE_COUNT)
        check_relay(s, c);
}

/* Which names are referred to by a $name, in main.cf or in an override. */
static void mark(void *context, str name)
{
    map_put(context, name, context);
}

static void used_names(const parsed *p, map *out)
{
    for (size_t i = 0; i < p->main.rows.n; i++) {
        const parameter *row = parameter_find(p->main.rows.p[i].name);
        if (row == NULL || row->kind != PARAMETER_raw)
            expand_names(p->main.rows.p[i].value, mark, out);
    }
    for (size_t i = 0; i < p->services.rows.n; i++)
        for (size_t j = 0; j < p->services.rows.p[i].override_count; j++)
            expand_names(p->services.rows.p[i].overrides[j].value, mark, out);
}

/* What Postfix has and this suite does not: better said than guessed at. */
static const char *why_not(str name)
{
    static const struct {
        str name;
        const char *why;
    } rows[] = {
        { STR_ROW("mailbox_command_maps"), "there is mailbox_command for all, and .forward for each user" },
        { STR_ROW("mailbox_transport"), "mail for users of this host is delivered here" },
        { STR_ROW("mailbox_transport_maps"), "mail for users of this host is delivered here" },
        { STR_ROW("fallback_transport"), "mail for unknown users is refused, or goes to luser_relay" },
        { STR_ROW("fallback_transport_maps"), "mail for unknown users is refused, or goes to luser_relay" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal(rows[i].name, name))
            return rows[i].why;
    return NULL;
}

static void unknown(parsed *p, str file, unsigned line, str name)
{
    str nearest;
    const char *why = why_not(name);
    if (why)
        problem_error(&p->problems, file, line, "%.*s is not supported: %s", STR_ARG(name), why);
    else if (p->problems.error_count < PROBLEM_COUNT_MAX && parameter_nearest(name, &nearest))
        problem_error(&p->problems, file, line, "%.*s is not a parameter; did you mean %.*s?",
                      STR_ARG(str_upto(name, 100)), STR_ARG(nearest));
    else
        problem_error(&p->problems, file, line, "%.*s is not a parameter, and nothing uses it",
                      STR_ARG(str_upto(name, 100)));
}

void check_names(parsed *p)
{
    map used = { 0 };

    used_names(p, &used);
    for (size_t i = 0; i < p->main.rows.n; i++) {
        setting *row = &p->main.rows.p[i];
        row->is_used = map_get(&used, row->name) != NULL;
        if (!row->is_used && !parameter_find(row->name))
            unknown(p, p->main_file, row->line, row->name);
    }
    for (size_t i = 0; i < p->services.rows.n; i++)
        for (size_t j = 0; j < p->services.rows.p[i].override_count; j++) {
            const service_override *o = &p->services.rows.p[i].overrides[j];
            if (!parameter_find(o->name) && !map_get(&used, o->name))
                unknown(p, p->master_file, o->line, o->name);
        }
    map_free(&used);
}

typedef struct need {
    service_role of, other;
} need;

static const service *role_row(const parsed *p, service_role role)
{
    for (size_t i = 0; i < p->services.rows.n; i++)
        if (p->services.rows.p[i].role == role)
            return &p->services.rows.p[i];
    return NULL;
}

static void needs(parsed *p, const service *s, service_role other)
{
    if (!role_row(p, other))
        problem_error(&p->problems, p->master_file, s->line, "%.*s: runs %s, which needs a service that runs %s",
                      STR_ARG(str_upto(s->name, 100)), role_name(s->role), role_name(other));
}

static void check_login(parsed *p, const service *s, const config *c)
{
    needs(p, s, c->login_protocol == LOGIN_IMAP ? ROLE_IMAPD : ROLE_POP3D);
}

void check_services(parsed *p)
{
    static const need rows[] = {
        { ROLE_SMTPD, ROLE_METER }, { ROLE_SMTPD, ROLE_POLICY }, { ROLE_SMTPD, ROLE_CLEANUP },
        { ROLE_LOGIN, ROLE_METER }, { ROLE_LOGIN, ROLE_AUTH },   { ROLE_CLEANUP, ROLE_QMGR },
        { ROLE_QMGR, ROLE_LOCAL },  { ROLE_QMGR, ROLE_POLICY },
    };
    if (p->services.rows.n == 0)
        problem_warning(&p->problems, p->master_file, 0, "has no service");
    for (size_t i = 0; i < p->services.rows.n; i++) {
        const service *s = &p->services.rows.p[i];
        const config *c = &p->of_services[i].config;
        for (size_t j = 0; j < COUNT_OF(rows); j++)
            if (rows[j].of == s->role)
                needs(p, s, rows[j].other);
        if (s->role == ROLE_LOGIN)
            check_login(p, s, c);
        if (s->role == ROLE_SMTPD && c->smtpd_sasl_auth_enable)
            needs(p, s, ROLE_AUTH);
        if (s->role == ROLE_AUTH && c->system_users)
            needs(p, s, ROLE_PAM);
    }
}
