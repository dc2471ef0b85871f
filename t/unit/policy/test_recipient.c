/* SOURCES:  NEEDS: policy_engine */
#include "policy/engine/recipient.h"
#include "world.h"

#define CLASSES HOST ALIASES "virtual_alias_domains = alias.example\nrelay_domains = relay.example\n"

static void classes_of_addresses(void **state)
{
    static const struct {
        const char *path;
        address_class class;
    } rows[] = {
        { "a@local.example", CLASS_LOCAL },
        { "a@LOCAL.Example.", CLASS_LOCAL },
        { "a@mx.local.example", CLASS_LOCAL },
        { "a@sub.local.example", CLASS_ELSEWHERE },
        { "a@[192.0.2.1]", CLASS_LOCAL },
        { "a@[127.0.0.1]", CLASS_LOCAL },
        { "a@[IPv6:2001:db8::1]", CLASS_LOCAL },
        { "a@[IPv6:::ffff:192.0.2.1]", CLASS_LOCAL },
        { "a@[192.0.2.2]", CLASS_ELSEWHERE },
        { "a@[IPv6:2001:db8::2]", CLASS_ELSEWHERE },
        { "a", CLASS_LOCAL },
        { "postmaster", CLASS_LOCAL },
        { "a@alias.example", CLASS_VIRTUAL_ALIAS },
        { "a@virtual.example", CLASS_VIRTUAL_MAILBOX },
        { "a@relay.example", CLASS_RELAY },
        { "a@x.relay.example", CLASS_RELAY },
        { "a@elsewhere.example", CLASS_ELSEWHERE },
        { "\"a b\"@local.example", CLASS_LOCAL },
        { "", CLASS_ELSEWHERE },
        { "a@", CLASS_ELSEWHERE },
        { "a@b@local.example", CLASS_ELSEWHERE },
        { "a%b@local.example", CLASS_ELSEWHERE },
        { "b!a@local.example", CLASS_ELSEWHERE },
        { "\"a@b\"@local.example", CLASS_ELSEWHERE },
        { "\"a\\@b\"@local.example", CLASS_ELSEWHERE },
        { "\"a\\%b\"@local.example", CLASS_ELSEWHERE },
        { "@x.example:a@local.example", CLASS_ELSEWHERE },
    };
    (void)state;
    world_make(CLASSES);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        address_class class;
        fault f;
        assert_true(policy_class(rules, str_c(rows[i].path), &mem, &class, &f));
        if (class != rows[i].class)
            fail_msg("%s: %d, not %d", rows[i].path, class, rows[i].class);
    }
}

static void parts_have_the_form_of_tables(void **state)
{
    recipient r;
    fault f;
    (void)state;
    world_make(CLASSES);
    assert_true(recipient_read(rules, STR("\"A b+c\"@Local.Example."), &mem, &r, &f));
    assert_true(str_equal(r.local, STR("A b+c")) && str_equal(r.user, STR("A b")) && str_equal(r.extension, STR("+c")));
    assert_true(str_equal(r.key, STR("A b+c@local.example")));
    assert_true(str_equal(r.text, STR("\"A b+c\"@local.example")));
    assert_true(recipient_read(rules, STR("+x"), &mem, &r, &f));
    assert_true(str_equal(r.user, STR("+x")) && r.extension.n == 0 && str_equal(r.text, STR("+x@local.example")));
}

static void a_failing_table_is_said(void **state)
{
    address_class class;
    fault f;
    (void)state;
    world_make(HOST ALIASES "relay_domains = texthash:/nonexistent\n");
    assert_false(policy_class(rules, STR("a@elsewhere.example"), &mem, &class, &f));
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    policy_verdict v = asked("a@elsewhere.example");
    says(&v, 451, "4.3.0", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(classes_of_addresses), TEST(parts_have_the_form_of_tables),
                                        TEST(a_failing_table_is_said) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
