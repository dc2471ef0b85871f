/* SOURCES:  NEEDS: policy_engine */
#include "policy/engine/access.h"
#include "policy/engine/policy.h"
#include <assert.h>

/* Lines: restrictions of main.cf, value of an access table, recipient, sender, HELO, client. Whatever they are, mail for
 * elsewhere finds no route, and a reply is one line. */
enum { LINES = 6 };

static const config *base(void)
{
    static config c;
    static arena mem;

    if (mem.chunks)
        return &c;
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (!str_has(parameter_rows[i].value, '$') && parameter_rows[i].value.n)
            parameter_read(&parameter_rows[i], parameter_rows[i].value, &mem, &c);
    c.myhostname = c.myorigin = STR("local.example");
    c.mydestination = STR("local.example, localhost");
    c.recipient_delimiter = STR("+");
    c.virtual_alias_maps = STR("inline:{v@local.example=a@local.example}");
    c.alias_maps = c.local_recipient_maps = STR("inline:{{a = b, c} b=a c=alice}");
    return &c;
}

static user_result find_user(void *unused, str name, arena *mem, str *out_name, fault *out_fault)
{
    (void)unused;
    (void)mem;
    (void)out_fault;
    *out_name = name;
    return str_equal(name, STR("alice")) ? USER_FOUND : USER_ABSENT;
}

static void check(const policy_verdict *v)
{
    assert(v->waiting_for.p || (v->code >= 250 && v->code <= 599));
    for (size_t i = 0; i < v->reply.n; i++)
        assert((unsigned char)v->reply.p[i] >= ' ' && (unsigned char)v->reply.p[i] < 0x7f);
    for (size_t i = 0; i < v->route_count; i++)
        assert(str_equal(v->routes[i].nexthop, STR("alice")) || str_equal(v->routes[i].transport, STR("error")));
    assert(v->route_count == 0 || v->code == 250);
}

static void decide_all(const policy_rules *rules, const str line[LINES], arena *mem)
{
    for (enum policy_stage stage = POLICY_STAGE_CONNECT; stage <= POLICY_STAGE_RESOLVE; stage++) {
        policy_facts f = { .stage = stage,
                           .client_name = line[5],
                           .client_address = STR("198.51.100.9"),
                           .helo = line[4],
                           .sender = line[3],
                           .has_sender = true,
                           .recipient = line[2] };
        policy_verdict v;
        policy_decide(rules, &f, mem, &v);
        check(&v);
        policy_explain(&v, mem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena mem = arena_new(0);
    str rest = { (const char *)data, size }, line[LINES] = { { 0 } };
    static const table_context context = { 0 }, alias_context = { .is_alias = true };
    table_pool pool = { .context = &context }, alias_pool = { .context = &alias_context };
    policy_world world = { &pool, &alias_pool, find_user, NULL, STR("192.0.2.1") };
    problems ps = { .arena = &mem };
    config c = *base();

    for (size_t i = 0; i < LINES && str_cut(&rest, '\n', &line[i]); i++)
        continue;
    access_read(line[1]);
    c.smtpd_client_restrictions = arena_printf(
        &mem,
        "check_recipient_access inline:{{local.example = %.*s}} check_sender_access inline:{{a.example = %.*s}} %.*s",
        STR_ARG(line[1]), STR_ARG(line[1]), STR_ARG(line[0]));
    policy_rules *rules = policy_compile(&c, STR("smtp/inet"), &world, &ps);
    if (rules)
        decide_all(rules, line, &mem);
    policy_free(rules);
    table_pool_free(&pool);
    table_pool_free(&alias_pool);
    problems_free(&ps);
    arena_free(&mem);
    return 0;
}
