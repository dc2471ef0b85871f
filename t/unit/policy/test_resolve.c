/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

static void virtual_aliases_lead_on(void **state)
{
    (void)state;
    world_make(HOST
               "alias_maps = inline:{{team = alice, carol}}\nvirtual_alias_domains = alias.example\n"
               "virtual_alias_maps = inline:{{sales@alias.example = alice@local.example, bob@virtual.example} "
               "all@alias.example=team @whole.example=@local.example {list@alias.example = sales@alias.example, carol} "
               "alice@old.example=alice same@local.example=same@local.example bare=carol}\n"
               "virtual_alias_domains = alias.example whole.example old.example\n");
    policy_verdict v = asked("sales@alias.example");
    goes_to(&v, "local:alice@local.example=alice local:bob@virtual.example=bob@virtual.example");
    assert_true(str_equal(v.routes[1].original, STR("sales@alias.example")));
    v = asked("All@Alias.example");
    goes_to(&v, "local:alice@local.example=alice local:carol@local.example=carol");
    v = asked("list@alias.example");
    goes_to(&v, "local:carol@local.example=carol local:alice@local.example=alice "
                "local:bob@virtual.example=bob@virtual.example");
    v = asked("carol@whole.example");
    goes_to(&v, "local:carol@local.example=carol");
    v = asked("alice+x@old.example");
    goes_to(&v, "local:alice+x@local.example=alice");
    v = asked("bare@local.example");
    goes_to(&v, "local:carol@local.example=carol");
    v = asked("nobody@alias.example");
    says(&v, 550, "5.1.1", "User unknown in virtual alias table");
    v = asked("same@local.example");
    says(&v, 550, "5.1.1", "User unknown in local recipient table");
}

static void local_aliases_lead_on(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = inline:{{all = alice, carol, alice} root=all postmaster=root alice=alice "
                    "{back = \\back, alice} {both = carol, nobody} {dead = nobody, none@elsewhere.example} {far = "
                    "x@elsewhere.example, alice} "
                    "virt=bob@virtual.example {quoted = \"alice\"}}\n");
    policy_verdict v = asked("root@local.example");
    goes_to(&v, "local:carol@local.example=carol local:alice@local.example=alice");
    v = asked("postmaster");
    goes_to(&v, "local:carol@local.example=carol local:alice@local.example=alice");
    v = asked("PostMaster@[192.0.2.1]");
    goes_to(&v, "local:carol@[192.0.2.1]=carol local:alice@[192.0.2.1]=alice");
    v = asked("alice@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    v = asked("quoted@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    v = asked("virt@local.example");
    goes_to(&v, "local:bob@virtual.example=bob@virtual.example");
    v = asked("both@local.example");
    goes_to(&v,
            "local:carol@local.example=carol error:nobody@local.example=5.1.1 User unknown in local recipient table");
    v = asked("far@local.example");
    goes_to(&v, "error:x@elsewhere.example=5.4.4 mail for other systems is not carried by this one "
                "local:alice@local.example=alice");
    v = asked("dead@local.example");
    says(&v, 550, "5.1.1", "User unknown");
    assert_int_equal(v.route_count, 0);
}

/* HOSTILE 16. */
static void circles_defer(void **state)
{
    static const char *const asking[] = { "a@local.example", "b@local.example", "d@local.example", "v@alias.example",
                                          "mix@local.example" };
    (void)state;
    world_make(
        HOST
        "alias_maps = inline:{a=b b=c c=a {d = alice, a} mix=w@alias.example}\nvirtual_alias_domains = alias.example\n"
        "virtual_alias_maps = inline:{v@alias.example=u@alias.example u@alias.example=v@alias.example "
        "w@alias.example=mix@local.example}\n");
    for (size_t i = 0; i < COUNT_OF(asking); i++) {
        policy_verdict v = asked(asking[i]);
        says(&v, 451, "4.4.6", NULL);
        assert_int_equal(v.route_count, 0);
    }
}

static void expansion_has_limits(void **state)
{
    buf b = buf_new(1 << 20);
    (void)state;
    buf_append(&b, STR(HOST ALIASES "virtual_alias_expansion_limit = 50\nvirtual_alias_recursion_limit = 10\n"
                                    "virtual_alias_maps = inline:{{many@local.example = "));
    for (int i = 0; i < 60; i++)
        buf_printf(&b, "alice+%d ", i);
    buf_append(&b, STR("} {few@local.example = alice+1, alice+2}"));
    for (int i = 0; i < 20; i++)
        buf_printf(&b, " deep%d@local.example=deep%d@local.example", i, i + 1);
    buf_append(&b, STR("}\n"));
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == ' ' && i > 2 && b.p[i - 1] >= '0' && b.p[i - 1] <= '9' && b.p[i + 1] == 'a')
            b.p[i] = ',';
    world_make(buf_c(&b));
    policy_verdict v = asked("few@local.example");
    goes_to(&v, "local:alice+1@local.example=alice local:alice+2@local.example=alice");
    v = asked("many@local.example");
    says(&v, 451, "4.4.6", NULL);
    v = asked("deep0@local.example");
    says(&v, 451, "4.4.6", NULL);
    buf_free(&b);
}

/* Each step doubles: 2^20 addresses if they were not remembered. */
static void diamonds_are_expanded_once(void **state)
{
    buf b = buf_new(1 << 20);
    (void)state;
    buf_append(&b, STR(HOST "alias_maps = inline:{"));
    for (int i = 0; i < 20; i++)
        buf_printf(&b, "{x%d = x%d, y%d} {y%d = x%d, y%d} ", i, i + 1, i + 1, i, i + 1, i + 1);
    buf_append(&b, STR("x20=alice y20=alice}\n"));
    world_make(buf_c(&b));
    policy_verdict v = asked("x0@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    buf_free(&b);
}

static void those_who_moved_are_refused_with_their_new_address(void **state)
{
    static const struct {
        const char *to, *words;
    } rows[] = {
        { "gone@local.example", "User has moved to gone@new.example" },
        { "gone+x@local.example", "User has moved to gone@new.example" },
        { "bob@virtual.example", "User has moved to the moon" },
        { "anyone@moved.example", "User has moved to elsewhere.example" },
        { "old@local.example", "User has moved to gone@new.example" }, /* by a virtual alias */
    };
    (void)state;
    world_make(HOST ALIASES
               "virtual_mailbox_domains = virtual.example moved.example\nvirtual_alias_maps = inline:{old@local.example=gone}\n"
               "relocated_maps = inline:{gone=gone@new.example {bob@virtual.example = the moon} "
               "@moved.example=elsewhere.example}\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        policy_verdict v = asked(rows[i].to);
        says(&v, 550, "5.1.6", rows[i].words);
    }
    policy_verdict v = asked("alice@local.example");
    goes_to(&v, "local:alice@local.example=alice");
}

static void extensions_go_on_where_they_are_told_to(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = inline:{team=alice postmaster=alice carol=carol}\n"
                    "virtual_alias_maps = inline:{all@local.example=alice}\n");
    policy_verdict v = asked("all+x@local.example");
    goes_to(&v, "local:alice+x@local.example=alice");
    v = asked("team+x@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    world_make(HOST "alias_maps = inline:{team=alice postmaster=alice carol=carol}\npropagate_unmatched_extensions = alias\n"
                    "virtual_alias_maps = inline:{all@local.example=alice}\n");
    v = asked("all+x@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    v = asked("team+x@local.example");
    goes_to(&v, "local:alice+x@local.example=alice");
    v = asked("carol+x@local.example"); /* names itself */
    goes_to(&v, "local:carol+x@local.example=carol");
}

static void failing_maps_defer(void **state)
{
    static const char *const maps[] = { "alias_maps", "virtual_alias_maps", "virtual_mailbox_maps",
                                        "local_recipient_maps", "relocated_maps" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        world_make(arena_printf(&mem, HOST ALIASES "%s = texthash:/nonexistent\n", maps[i]).p);
        policy_verdict v = asked(i == 2 ? "bob@virtual.example" : "nobody@local.example");
        says(&v, 451, "4.3.0", "Temporary lookup failure");
    }
}

static void hostile_results_are_no_addresses(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = inline:{{a = alice%x@local.example} b=x!y {c = @evil.example:alice@local.example} {d "
                    "= a@b@c}}\n");
    for (const char *p = "abcd"; *p; p++) {
        policy_verdict v = asked(arena_printf(&mem, "%c@local.example", *p).p);
        assert_true(v.code >= 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(virtual_aliases_lead_on),
        TEST(local_aliases_lead_on),
        TEST(circles_defer),
        TEST(expansion_has_limits),
        TEST(diamonds_are_expanded_once),
        TEST(those_who_moved_are_refused_with_their_new_address),
        TEST(extensions_go_on_where_they_are_told_to),
        TEST(failing_maps_defer),
        TEST(hostile_results_are_no_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
