/* local_header_rewrite_clients: whose headers are completed and rewritten as those of local programs. Runs in: cleanup. */
#include "base/log.h"
#include "cleanup/cleanup.h"

static void networks_add(local_clients *l, str list)
{
    str word;
    fault f;

    while (table_word_next(&list, &word)) {
        network n = { .is_excluded = word.p[0] == '!' };
        bool is_excluded = n.is_excluded;
        if (network_read(str_from(word, is_excluded), &n, &f)) {
            n.is_excluded = is_excluded;
            *vec_add(&l->networks.rows) = n;
        }
    }
}

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

    *l = (local_clients){ .context = { .default_type = from->default_database_type } };
    l->pool.context = &l->context;
    while (table_word_next(&rest, &word)) {
        if (str_equal_nocase(word, STR("permit_inet_interfaces"))) {
            networks_add(l, STR("127.0.0.0/8 ::1"));
            networks_add(l, c->own_addresses);
        } else if (str_equal_nocase(word, STR("permit_mynetworks"))) {
            networks_add(l, from->mynetworks);
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
    networks_free(&c->local.networks);
    vec_free(&c->local.tables);
    table_pool_free(&c->local.pool);
}

static bool is_in_tables(const local_clients *l, str address)
{
    arena a = arena_new(0);
    bool is_found = false;

    for (size_t i = 0; i < l->tables.n && !is_found; i++) {
        table_answer answer;
        table_result r = table_find(l->tables.p[i], address, &a, &answer);
        is_found = r == TABLE_FOUND;
        if (r == TABLE_FAILED)
            log_fault(LOG_WARNING, "client-unknown", answer.fault);
    }
    arena_free(&a);
    return is_found;
}

bool client_is_local(const intake *i)
{
    const local_clients *l = &i->bringer->cleanup->local;
    const envelope *e = &i->envelope;

    if (!i->bringer->is_trusted || e->client_address.n == 0)
        return true; /* a local program, now or by way of the drop folder */
    return (l->with_login && e->login.n) || networks_match_text(&l->networks, e->client_address) ||
           is_in_tables(l, e->client_address);
}
