/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

static void users_are_found_with_and_without_extension(void **state)
{
    (void)state;
    world_make(HOST ALIASES);
    policy_verdict v = asked("Alice@local.example");
    goes_to(&v, "local:Alice@local.example=alice");
    v = asked("alice+lists@local.example");
    goes_to(&v, "local:alice+lists@local.example=alice");
    v = asked("bob@virtual.example");
    goes_to(&v, "local:bob@virtual.example=bob@virtual.example");
    v = asked("bob+x@virtual.example");
    goes_to(&v, "local:bob+x@virtual.example=bob@virtual.example");
    v = asked("carol@virtual.example");
    goes_to(&v, "local:carol@virtual.example=carol");
    v = asked("bob@local.example");
    says(&v, 550, "5.1.1", "User unknown in local recipient table");
    v = asked("nobody@virtual.example");
    says(&v, 550, "5.1.1", "User unknown in virtual mailbox table");
}

static void virtual_maps_name_users(void **state)
{
    (void)state;
    world_make(HOST ALIASES
               "virtual_mailbox_maps = inline:{info@virtual.example=alice carol@virtual.example=virtual/carol/ "
               "ghost@virtual.example=ghost}\n");
    policy_verdict v = asked("info@virtual.example");
    goes_to(&v, "local:info@virtual.example=alice");
    v = asked("info+x@virtual.example");
    goes_to(&v, "local:info+x@virtual.example=alice");
    v = asked("carol@virtual.example");
    goes_to(&v, "local:carol@virtual.example=carol");
    v = asked("ghost@virtual.example");
    says(&v, 451, "4.3.5", NULL);
    v = asked("nobody@virtual.example");
    says(&v, 550, "5.1.1", NULL);
    world_make(HOST ALIASES "virtual_mailbox_maps = inline:{@virtual.example=carol}\n");
    v = asked("anyone@virtual.example");
    goes_to(&v, "local:anyone@virtual.example=carol");
}

static void users_that_are_not_known_yet_are_waited_for(void **state)
{
    (void)state;
    world_make(HOST ALIASES);
    policy_verdict v = asked("wait@local.example");
    assert_int_equal(v.code, 0);
    assert_true(str_equal(v.waiting_for, STR("wait")));
    assert_int_equal(v.route_count, 0);
    v = asked("fail@local.example");
    says(&v, 451, "4.3.0", "Temporary lookup failure");
}

static void a_host_without_postmaster_defers_it(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = inline:{a=b}\n");
    policy_verdict v = asked("postmaster@local.example");
    says(&v, 451, "4.3.5", NULL);
    assert_non_null(strstr(policy_explain(&v, &mem).p, "add an alias"));
}

/* Root's mail, and that of accounts as which nothing is delivered, is kept until there is an alias; the text says for whom. */
static void accounts_of_the_system_need_an_alias(void **state)
{
    static const char *const names[] = { "root", "daemon" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        world_make(HOST "alias_maps = inline:{a=b}\n");
        policy_verdict v = asked(arena_printf(&mem, "%s@local.example", names[i]).p);
        says(&v, 451, "4.3.5", "Temporary lookup failure"); /* strangers hear no more */
        str hint = arena_printf(&mem, "%s has no mailbox: add an alias for %s to alias_maps", names[i], names[i]);
        assert_non_null(strstr(policy_explain(&v, &mem).p, hint.p));
    }
}

static void codes_and_maps_of_local_recipients(void **state)
{
    (void)state;
    world_make(HOST ALIASES "unknown_local_recipient_reject_code = 450\n");
    policy_verdict v = asked("nobody@local.example");
    assert_int_equal(v.code, 450);
    assert_true(str_equal(v.status, STR("4.1.1")));
    world_make(HOST ALIASES "local_recipient_maps =\n");
    v = asked("nobody@local.example");
    goes_to(&v, "error:nobody@local.example=5.1.1 User unknown");
    world_make(HOST ALIASES "local_recipient_maps = unix:passwd.byname $alias_maps inline:{listed=x}\n");
    v = asked("listed@local.example");
    says(&v, 451, "4.3.5", NULL);
    v = asked("nobody@local.example");
    says(&v, 550, "5.1.1", NULL);
}

static void unknown_names_go_to_the_luser_relay(void **state)
{
    static const struct {
        const char *relay, *asked, *goes;
    } rows[] = {
        { "carol", "nobody@local.example", "local:carol@local.example=carol" },
        { "carol+$user", "nobody+x@local.example", "local:carol+nobody@local.example=carol" },
        { "carol+$extension@$domain", "nobody+x@localhost", "local:carol+x@localhost=carol" },
        { "carol+${extension?{ext}:{none}}", "nobody@local.example", "local:carol+none@local.example=carol" },
        { "bob+$local@virtual.example", "no@local.example", "local:bob+no@virtual.example=bob@virtual.example" },
        { "carol+${recipient_delimiter}a", "nobody@local.example", "local:carol+a@local.example=carol" },
        { "carol", "alice@local.example", "local:alice@local.example=alice" },
        /* what the recipient says is not expanded again, and stays an address (HOSTILE 10) */
        { "carol+$user", "${domain}@local.example", "local:carol+${domain}@local.example=carol" },
        { "carol+$user", "|sh@local.example", "local:carol+|sh@local.example=carol" },
        { "$user", "|sh@local.example", NULL },
        { "$user@elsewhere.example", "\"a b\"@local.example", NULL },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_make(arena_printf(&mem, HOST ALIASES "local_recipient_maps =\nluser_relay = %s\n", rows[i].relay).p);
        policy_verdict v = asked(rows[i].asked);
        goes_to(&v, rows[i].goes ? rows[i].goes : "");
        if (rows[i].goes == NULL)
            assert_true(v.code >= 400);
    }
    world_make(HOST ALIASES "local_recipient_maps = inline:{listed=x}\nluser_relay = carol\n");
    policy_verdict v = asked("listed@local.example");
    goes_to(&v, "local:carol@local.example=carol");
    v = asked("nobody@local.example");
    says(&v, 550, "5.1.1", NULL);
    world_make(HOST ALIASES "local_recipient_maps =\nluser_relay = ${user\n");
    v = asked("nobody@local.example");
    says(&v, 451, "4.3.5", NULL);
    world_make(HOST ALIASES "local_recipient_maps =\nluser_relay = carol+$nonsense\n");
    v = asked("nobody@local.example");
    says(&v, 451, "4.3.5", NULL);
}

static void root_needs_an_alias(void **state)
{
    (void)state;
    world_make(HOST ALIASES);
    policy_verdict v = asked("root@local.example");
    says(&v, 451, "4.3.5", "Temporary lookup failure");
    assert_non_null(strstr(policy_explain(&v, &mem).p, "add an alias for"));
    policy_facts f = stranger;
    f.stage = POLICY_STAGE_RESOLVE;
    f.recipient = STR("Root+x@local.example");
    v = decided(&f);
    says(&v, 451, "4.3.5", "add an alias for"); /* who has the message in the queue is told */
    world_make(HOST "local_recipient_maps =\nluser_relay = carol\nalias_maps = inline:{daemon=alice}\n");
    v = asked("root@local.example"); /* is no unknown name */
    says(&v, 451, "4.3.5", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(users_are_found_with_and_without_extension),  TEST(virtual_maps_name_users),
        TEST(users_that_are_not_known_yet_are_waited_for), TEST(a_host_without_postmaster_defers_it),
        TEST(codes_and_maps_of_local_recipients),           TEST(unknown_names_go_to_the_luser_relay),
        TEST(root_needs_an_alias),
        TEST(accounts_of_the_system_need_an_alias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
