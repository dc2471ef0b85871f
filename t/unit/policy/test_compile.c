/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

static void an_empty_configuration_is_safe(void **state)
{
    (void)state;
    world_make("alias_maps =\n");
    policy_verdict v = asked("someone@elsewhere.example");
    says(&v, 554, "5.7.1", "<someone@elsewhere.example>: Relay access denied");
    assert_int_equal(found.error_count, 0);
}

static void tables_that_are_missing_warn(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = texthash:/nonexistent/aliases\n");
    assert_int_equal(found.error_count, 0);
    assert_non_null(strstr(problems_text(&found, &mem).p, "alias_maps: texthash:/nonexistent/aliases"));
}

static void tables_of_unknown_types_are_errors(void **state)
{
    static const char *const names[] = { "alias_maps",           "virtual_alias_maps", "virtual_mailbox_maps",
                                         "local_recipient_maps", "mydestination",      "virtual_mailbox_domains",
                                         "relay_domains",        "mynetworks" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        world_try(arena_printf(&mem, HOST ALIASES "%s = nosuch:/x\n", names[i]).p);
        assert_null(rules);
        assert_non_null(strstr(problems_text(&found, &mem).p, names[i]));
    }
}

static void the_service_is_named(void **state)
{
    (void)state;
    world_make(HOST ALIASES "smtpd_client_restrictions = permit\n");
    config c = conf.base.config;
    c.smtpd_client_restrictions = STR("nonsense");
    assert_null(policy_compile(&c, STR("smtp/inet"), &world, &found));
    assert_non_null(strstr(problems_text(&found, &mem).p, "smtp/inet: smtpd_client_restrictions: "));
}

static void literals_of_all_own_addresses_are_local(void **state)
{
    address_class class;
    fault f;
    (void)state;
    world_make(HOST ALIASES "inet_interfaces = 203.0.113.5, [2001:db8::99]\n");
    assert_true(policy_class(rules, STR("a@[203.0.113.5]"), &mem, &class, &f) && class == CLASS_LOCAL);
    assert_true(policy_class(rules, STR("a@[IPv6:2001:DB8:0::99]"), &mem, &class, &f) && class == CLASS_LOCAL);
    assert_true(policy_class(rules, STR("a@[203.0.113.6]"), &mem, &class, &f) && class == CLASS_ELSEWHERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_configuration_is_safe),          TEST(tables_that_are_missing_warn),
        TEST(tables_of_unknown_types_are_errors),      TEST(the_service_is_named),
        TEST(literals_of_all_own_addresses_are_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
