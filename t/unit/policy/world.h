/* A small host for the tests of the engine: configuration from text, users by name. */
#pragma once
#include "conf/config.h"
#include "conf/list.h"
#include "policy/engine/decision.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define HOST                                                                                                           \
    "myhostname = mx.local.example\nmydestination = local.example, $myhostname, localhost\nmyorigin = local.example\n" \
    "mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24\nrecipient_delimiter = +\n"                                       \
    "virtual_mailbox_domains = virtual.example\n"

#define ALIASES "alias_maps = inline:{postmaster=alice}\n"

static arena mem;
static parsed conf;
static table_context context = { .default_type = STR_ROW("texthash") };
static table_context alias_context = { .default_type = STR_ROW("texthash"), .is_alias = true };
static table_pool pool, alias_pool;
static policy_world world;
static policy_rules *rules;
static problems found;
static str users_there; /* "alice bob@virtual.example"; "fail" and "wait" are special */

static user_result find_user(void *unused, str name, arena *a, str *out_name, fault *out_fault)
{
    (void)unused;
    if (str_equal(name, STR("wait")))
        return USER_WAIT;
    if (str_equal(name, STR("daemon")))
        return USER_NEEDS_ALIAS;
    if (str_equal(name, STR("fail"))) {
        *out_fault = fault_make(FAULT_TRY_LATER, "3.0", "the test says so");
        return USER_FAILED;
    }
    str rest = users_there, one;
    while (list_next(&rest, &one)) {
        if (str_equal_nocase(one, name)) {
            *out_name = arena_copy(a, one);
            return USER_FOUND;
        }
    }
    return USER_ABSENT;
}

static inline void world_end(void)
{
    policy_free(rules);
    rules = NULL;
    problems_free(&found);
    table_pool_free(&pool);
    table_pool_free(&alias_pool);
    parsed_free(&conf);
    conf = (parsed){ 0 };
}

/* Compiles; what is wrong stands in `found`. */
static inline void world_try(const char *main_cf)
{
    world_end();
    pool.context = &context;
    alias_pool.context = &alias_context;
    found = (problems){ .arena = &mem };
    world = (policy_world){ &pool, &alias_pool, find_user, NULL, STR("192.0.2.1 2001:db8::1") };
    users_there = STR("alice bob@virtual.example carol");
    config_parse(STR("/etc/postrider"), STR("mx.local.example"), str_c(main_cf), STR(""), &conf);
    rules = policy_compile(&conf.base.config, STR(""), &world, &found);
}

static inline void world_make(const char *main_cf)
{
    world_try(main_cf);
    if (rules == NULL)
        fail_msg("%.*s", STR_ARG(problems_text(&found, &mem)));
}

static inline int world_clear(void **state)
{
    (void)state;
    world_end();
    arena_free(&mem);
    mem = arena_new(0);
    return 0;
}

static const policy_facts stranger = {
    .stage = POLICY_STAGE_RCPT,
    .client_name = STR_ROW("host.stranger.example"),
    .client_address = STR_ROW("198.51.100.9"),
    .helo = STR_ROW("host.stranger.example"),
    .sender = STR_ROW("someone@stranger.example"),
    .has_sender = true,
    .recipient = STR_ROW("alice@local.example"),
};

static inline policy_verdict decided(const policy_facts *f)
{
    policy_verdict v;
    policy_decide(rules, f, &mem, &v);
    return v;
}

static inline policy_verdict asked(const char *path)
{
    policy_facts f = stranger;
    f.recipient = str_c(path);
    return decided(&f);
}

static inline void says(const policy_verdict *v, unsigned code, const char *status, const char *words)
{
    if (v->code != code || !str_equal(v->status, str_c(status)) || (words && strstr(v->reply.p, words) == NULL))
        fail_msg("%u %.*s %.*s, not %u %s %s\n%.*s", v->code, STR_ARG(v->status), STR_ARG(v->reply), code, status,
                 words ? words : "", STR_ARG(policy_explain(v, &mem)));
}

/* "local:alice@local.example=alice", one word for each route. */
static inline void goes_to(const policy_verdict *v, const char *want)
{
    str all = STR("");
    for (size_t i = 0; i < v->route_count; i++)
        all = arena_printf(&mem, "%.*s%s%.*s:%.*s=%.*s", STR_ARG(all), i ? " " : "", STR_ARG(v->routes[i].transport),
                           STR_ARG(v->routes[i].address), STR_ARG(v->routes[i].nexthop));
    if (!str_equal(all, str_c(want)))
        fail_msg("%.*s, not %s\n%u %.*s %.*s\n%.*s", STR_ARG(all), want, v->code, STR_ARG(v->status), STR_ARG(v->reply),
                 STR_ARG(policy_explain(v, &mem)));
}

#define TEST(f) cmocka_unit_test_teardown(f, world_clear)
