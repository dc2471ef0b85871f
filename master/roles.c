#include "master/roles.h"
#include "conf/list.h"
#include "conf/networks.h"

enum { CLEANUP_DEFAULT = 8, SMTPD_DEFAULT = 4, CRYPT_WORKERS = 2 };

static size_t one(const parsed *p, size_t cpus)
{
    (void)p, (void)cpus;
    return 1;
}

static size_t crypt_workers(const parsed *p, size_t cpus)
{
    (void)p, (void)cpus;
    return CRYPT_WORKERS;
}

static size_t pam_helpers(const parsed *p, size_t cpus)
{
    (void)cpus;
    return p->base.config.system_users ? 1 : 0;
}

/* The largest maxproc of the services of a role. A dash means `usual`, and so does no limit. */
static size_t process_max(const parsed *p, service_role r, size_t usual)
{
    size_t most = 0;
    for (size_t i = 0; i < p->services.rows.n; i++) {
        const service *s = &p->services.rows.p[i];
        bool is_usual = s->process_max == 0 || s->process_max == PROCESS_UNLIMITED;
        size_t n = is_usual ? usual : (size_t)s->process_max;
        if (s->role == r && n > most)
            most = n;
    }
    return most ? most : usual;
}

/* A dash means what keeps an fsync each in flight for many sessions (PIPELINE 3). */
static size_t cleanups(const parsed *p, size_t cpus)
{
    (void)cpus;
    return process_max(p, ROLE_CLEANUP, CLEANUP_DEFAULT);
}

/* One has any number of sessions: more than one a CPU would have nothing to do. */
static size_t smtpds(const parsed *p, size_t cpus)
{
    size_t most = process_max(p, ROLE_SMTPD, SMTPD_DEFAULT);
    return most < cpus ? most : cpus;
}

/* Whether a service of the role stands in master.cf at all. */
static bool has_service(const parsed *p, service_role r)
{
    for (size_t i = 0; i < p->services.rows.n; i++)
        if (p->services.rows.p[i].role == r)
            return true;
    return false;
}

static size_t imapds(const parsed *p, size_t cpus)
{
    (void)cpus;
    return has_service(p, ROLE_LOGIN) ? 1 : 0;
}

/* The order is the order of accounts: new rows go to the end. */
const role roles[] = {
    { "smtpd", ROOT_IS_EMPTY, ROLE_HAS_KEYS | ROLE_HAS_SERVICES, NULL, 0, RANK_TAKES, smtpds },
    { "cleanup", ROOT_IS_EMPTY, ROLE_WITH_CHECKS, "submit", 1, RANK_MAKES_DURABLE, cleanups },
    { "qmgr", ROOT_IS_QUEUE, 0, "queue", 2, RANK_QUEUES, one },
    { "policy", ROOT_IS_HOST, ROLE_REPLACED, NULL, 3, RANK_ANSWERS, one },
    { "local", ROOT_IS_HOST, ROLE_HAS_WORKER, NULL, 4, RANK_DELIVERS, one },
    { "auth", ROOT_IS_USERS, ROLE_REPLACED, NULL, 5, RANK_ANSWERS, one },
    { "auth-worker", ROOT_IS_EMPTY, 0, NULL, 6, RANK_ANSWERS, crypt_workers },
    { "pam", ROOT_IS_HOST, ROLE_REPLACED, NULL, 7, RANK_ANSWERS, pam_helpers },
    { "login", ROOT_IS_EMPTY, ROLE_HAS_KEYS | ROLE_HAS_SERVICES, NULL, 8, RANK_TAKES, imapds },
    { "imapd", ROOT_IS_HOST, ROLE_HAS_WORKER, NULL, 9, RANK_TAKES, imapds },
    { "pop3d", ROOT_IS_HOST, ROLE_HAS_WORKER, NULL, 10, RANK_TAKES, imapds },
    { "meter", ROOT_IS_EMPTY, 0, NULL, 11, RANK_ANSWERS, one },
    { "pickup", ROOT_IS_DROP, 0, NULL, 12, RANK_TAKES, one },
    { "bounce", ROOT_IS_EMPTY, ROLE_REPLACED, NULL, 13, RANK_DELIVERS, one },
    { "pipe", ROOT_IS_HOST, ROLE_HAS_WORKER, NULL, 14, RANK_DELIVERS, one },
};
const size_t role_count = COUNT_OF(roles);

const role_link role_links[] = {
    { "smtpd", "policy" }, { "smtpd", "cleanup" },  { "smtpd", "auth" },     { "smtpd", "meter" },     { "smtpd", "smtpd" },
    { "cleanup", "qmgr" }, { "cleanup", "policy" }, { "pickup", "cleanup" }, { "qmgr", "policy" },
    { "qmgr", "local" },   { "local", "auth" },     { "policy", "auth" },    { "auth", "auth-worker" },
    { "auth", "pam" },     { "login", "auth" },     { "login", "meter" },    { "login", "imapd" },
    { "login", "pop3d" },  { "auth", "imapd" },     { "auth", "pop3d" },     { "qmgr", "bounce" },
    { "bounce", "cleanup" }, { "local", "cleanup" },  { "qmgr", "pipe" },    { "pipe", "auth" },
    { "pipe", "cleanup" }, { "smtpd", "bounce" },
};
const size_t role_link_count = COUNT_OF(role_links);

/* Tables and files, which a process can open only while it starts. */
static bool is_looked_up(str list)
{
    networks ns;
    fault f = networks_read(list, &ns);
    networks_free(&ns);
    return is_fault(f);
}

/* header_checks and the like, and tables of clients. */
static bool has_checks(const config *c)
{
    str clients = c->local_header_rewrite_clients;
    return c->header_checks.n || c->mime_header_checks.n || c->nested_header_checks.n || c->body_checks.n ||
           str_has(clients, ':') || (list_has(clients, STR("permit_mynetworks")) && is_looked_up(c->mynetworks));
}

bool role_is_replaced(const role *r, const parsed *p)
{
    return r->flags & ROLE_REPLACED || (r->flags & ROLE_WITH_CHECKS && has_checks(&p->base.config));
}

const role *role_by_name(const char *name)
{
    for (size_t i = 0; i < role_count; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

size_t role_index(const role *r)
{
    return (size_t)(r - roles);
}
