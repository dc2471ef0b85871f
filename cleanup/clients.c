/* local_header_rewrite_clients: whose headers are completed and rewritten as those of local programs. Runs in: cleanup. */
#include "base/log.h"
#include "cleanup/cleanup.h"

static void table_add(local_clients *l, str spec, problems *ps)
{
    table *t = NULL;
    fault f = table_pool_open(&l->pool, spec, &t);
    if (is_fault(f))
        problem_error(ps, STR(""), 0, "local_header_rewrite_clients: %s", f.text);
    if (t)
        *vec_add(&l->tables) = t;
}

void clients_open(cleanup *c, problems *ps)
{
    const config *from = daemon_config(c->process);
    local_clients *l = &c->local;
    str rest = from->local_header_rewrite_clients, word;

    *l = (local_clients){ .networks = { .kind = PATTERN_NETWORKS }, .context = { .default_type = from->default_database_type } };
    l->pool.context = &l->context;
    while (table_word_next(&rest, &word)) {
        if (str_equal_nocase(word, STR("permit_inet_interfaces"))) {
            patterns_read(STR("permit_inet_interfaces"), STR("127.0.0.0/8 ::1"), &l->pool, &l->networks, ps);
            patterns_read(STR("permit_inet_interfaces"), c->own_addresses, &l->pool, &l->networks, ps);
        } else if (str_equal_nocase(word, STR("permit_mynetworks"))) {
            patterns_read(STR("mynetworks"), from->mynetworks, &l->pool, &l->networks, ps);
        } else if (str_equal_nocase(word, STR("permit_sasl_authenticated"))) {
            l->with_login = true;
        } else if (str_has(word, ':')) {
            table_add(l, word, ps);
        } else if (!str_equal_nocase(word, STR("check_address_map"))) {
            problem_error(ps, STR(""), 0, "local_header_rewrite_clients: \"%.*s\" is not known here",
                          STR_ARG(str_upto(word, 60)));
        }
    }
}

void clients_close(cleanup *c)
{
    patterns_free(&c->local.networks);
    vec_free(&c->local.tables);
    table_pool_free(&c->local.pool);
}

static bool is_listed(const local_clients *l, str address)
{
    arena a = arena_new(0);
    fault f = NO_FAULT;
    match_result found = patterns_match(&l->networks, address, &a, &f);

    for (size_t i = 0; i < l->tables.n && found != MATCH_YES; i++) {
        table_answer answer;
        table_result r = table_find(l->tables.p[i], address, &a, &answer);
        found = r == TABLE_FOUND ? MATCH_YES : found;
        f = r == TABLE_FAILED ? answer.fault : f;
    }
    if (is_fault(f))
        log_fault(LOG_WARNING, "client-unknown", f);
    arena_free(&a);
    return found == MATCH_YES;
}

bool client_is_local(const intake *i)
{
    const local_clients *l = &i->bringer->cleanup->local;
    const envelope *e = &i->envelope;

    if (!i->bringer->is_trusted || e->client_address.n == 0)
        return true; /* a local program, now or by way of the drop folder */
    return (l->with_login && e->login.n) || is_listed(l, e->client_address);
}
