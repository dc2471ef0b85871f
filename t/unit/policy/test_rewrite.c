/* SOURCES:  NEEDS: policy_engine */
/* Addresses in another form: order of tables and keys, extensions, masquerading, what is completed, what stays as it is. */
#include "policy/engine/rewrite.h"
#include "world.h"

static rewritten rewrite(enum policy_rewrite_line class, const char *path)
{
    rewritten r;
    policy_rewrite_address(rules, class, false, str_c(path), &mem, &r);
    return r;
}

static void becomes(enum policy_rewrite_line class, const char *path, const char *want)
{
    rewritten r = rewrite(class, path);
    if (is_fault(r.fault) || !str_equal(r.address, str_c(want)))
        fail_msg("%c %s: %.*s %s, not %s", (char)class, path, STR_ARG(r.address), r.fault.text, want);
}

static void keys_are_tried_in_their_order(void **state)
{
    (void)state;
    world_make(HOST ALIASES "canonical_maps = inline:{u+x@a.example=r1@r.example u@a.example=r2@r.example "
                            "@a.example=@r.example alice=r4@r.example carol+y=r5@r.example @local.example=r6@r.example "
                            "bare@b.example=name @c.example=all@r.example}\n");
    becomes(REWRITE_HEADER_SENDER, "u+x@a.example", "r1@r.example");
    becomes(REWRITE_HEADER_SENDER, "U+X@A.example", "r1@r.example");
    becomes(REWRITE_HEADER_SENDER, "u+z@a.example", "r2+z@r.example");
    becomes(REWRITE_HEADER_SENDER, "any+z@a.example", "any+z@r.example");
    becomes(REWRITE_HEADER_SENDER, "\"a b\"@a.example", "\"a b\"@r.example");
    becomes(REWRITE_HEADER_SENDER, "alice@local.example", "r4@r.example");
    becomes(REWRITE_HEADER_SENDER, "alice+q@local.example", "r4+q@r.example");
    becomes(REWRITE_HEADER_SENDER, "carol+y@local.example", "r5@r.example");
    becomes(REWRITE_HEADER_SENDER, "alice@elsewhere.example", "alice@elsewhere.example");
    becomes(REWRITE_HEADER_SENDER, "dave@local.example", "r6@r.example");
    becomes(REWRITE_HEADER_SENDER, "x+z@c.example", "all@r.example");
    becomes(REWRITE_HEADER_SENDER, "bare@b.example", "r6@r.example"); /* name@local.example, looked for again */
}

static void each_class_has_its_tables(void **state)
{
    (void)state;
    world_make(HOST ALIASES "sender_canonical_maps = inline:{u@a.example=s@a.example}\n"
                            "recipient_canonical_maps = inline:{u@a.example=r@a.example}\n"
                            "canonical_maps = inline:{s@a.example=s2@a.example r@a.example=r2@a.example}\n"
                            "recipient_canonical_classes = envelope_recipient\n");
    becomes(REWRITE_ENVELOPE_SENDER, "u@a.example", "s2@a.example");
    becomes(REWRITE_HEADER_SENDER, "u@a.example", "s2@a.example");
    becomes(REWRITE_ENVELOPE_RECIPIENT, "u@a.example", "r2@a.example");
    becomes(REWRITE_HEADER_RECIPIENT, "u@a.example", "u@a.example");
}

static void hosts_are_hidden(void **state)
{
    (void)state;
    world_make(HOST ALIASES "masquerade_domains = !in.example.com example.com, org.example\n"
                            "masquerade_exceptions = root, admin\n");
    becomes(REWRITE_HEADER_SENDER, "u@h.example.com", "u@example.com");
    becomes(REWRITE_HEADER_SENDER, "u@a.b.example.com", "u@example.com");
    becomes(REWRITE_HEADER_SENDER, "u@EXAMPLE.com", "u@EXAMPLE.com");
    becomes(REWRITE_HEADER_SENDER, "u@in.example.com", "u@in.example.com");
    becomes(REWRITE_HEADER_SENDER, "u@x.in.example.com", "u@x.in.example.com");
    becomes(REWRITE_HEADER_SENDER, "u@notexample.com", "u@notexample.com");
    becomes(REWRITE_HEADER_SENDER, "Root@h.example.com", "Root@h.example.com");
    becomes(REWRITE_ENVELOPE_RECIPIENT, "u@h.example.com", "u@h.example.com");
    becomes(REWRITE_ENVELOPE_SENDER, "u@h.org.example", "u@org.example");
}

static void short_addresses_are_completed(void **state)
{
    rewritten r;
    (void)state;
    world_make(HOST ALIASES
               "mydomain = dom.example\nappend_dot_mydomain = yes\nremote_header_rewrite_domain = domain.invalid\n");
    becomes(REWRITE_HEADER_SENDER, "me", "me@local.example");
    becomes(REWRITE_ENVELOPE_SENDER, "me", "me@local.example");
    becomes(REWRITE_HEADER_SENDER, "me@host", "me@host.dom.example");
    becomes(REWRITE_HEADER_SENDER, "me@[192.0.2.1]", "me@[192.0.2.1]");
    becomes(REWRITE_ENVELOPE_RECIPIENT, "postmaster", "postmaster");
    policy_rewrite_address(rules, REWRITE_HEADER_SENDER, true, STR("me"), &mem, &r);
    assert_true(str_equal(r.address, STR("me@domain.invalid")));
    world_make(HOST ALIASES "append_at_myorigin = no\n");
    becomes(REWRITE_HEADER_SENDER, "me", "me");
    becomes(REWRITE_HEADER_SENDER, "me@host", "me@host");
}

static void a_short_domain_goes_where_it_is_completed_to(void **state)
{
    (void)state;
    world_make(HOST ALIASES "mydomain = example\nappend_dot_mydomain = yes\n");
    policy_verdict v = asked("alice@local");
    goes_to(&v, "local:alice@local.example=alice");
}

static void what_is_no_plain_address_stays(void **state)
{
    static const char *const paths[] = { "",
                                         "@",
                                         "a@b@c",
                                         "u%h@a.example",
                                         "h!u@a.example",
                                         "@x.example:u@a.example",
                                         "u@a..example",
                                         "\"u@a.example",
                                         "x y@a.example" };
    (void)state;
    world_make(HOST ALIASES "canonical_maps = static:caught@r.example\n");
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        becomes(REWRITE_HEADER_SENDER, paths[i], paths[i]);
    becomes(REWRITE_HEADER_SENDER, "u@a.example", "caught@r.example");
}

static void what_cannot_be_told_defers(void **state)
{
    static const char *const maps[] = { "canonical_maps = inline:{a@x.example=b@x.example b@x.example=a@x.example}\n",
                                        "canonical_maps = inline:{a@x.example=@}\n",
                                        "canonical_maps = inline:{{a@x.example = no address}}\n",
                                        "canonical_maps = texthash:/nowhere/at/all\n",
                                        "sender_bcc_maps = texthash:/nowhere/at/all\n",
                                        "sender_bcc_maps = inline:{{a@x.example = no address}}\n" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        world_make(arena_printf(&mem, HOST ALIASES "%s", maps[i]).p);
        rewritten r = rewrite(REWRITE_ENVELOPE_SENDER, "a@x.example");
        if (r.fault.kind != FAULT_TRY_LATER)
            fail_msg("%s: %.*s", maps[i], STR_ARG(r.address));
    }
}

static void blind_copies_are_found(void **state)
{
    (void)state;
    world_make(HOST ALIASES "canonical_maps = inline:{old@x.example=new@x.example}\n"
                            "sender_bcc_maps = inline:{new@x.example=watch}\n"
                            "recipient_bcc_maps = inline:{alice=log@y.example @z.example=all@y.example}\n");
    assert_true(str_equal(rewrite(REWRITE_ENVELOPE_SENDER, "old@x.example").bcc, STR("watch@local.example")));
    assert_true(str_equal(rewrite(REWRITE_ENVELOPE_SENDER, "new+a@x.example").bcc, STR("watch@local.example")));
    assert_true(str_equal(rewrite(REWRITE_ENVELOPE_RECIPIENT, "alice@local.example").bcc, STR("log@y.example")));
    assert_true(str_equal(rewrite(REWRITE_ENVELOPE_RECIPIENT, "any@z.example").bcc, STR("all@y.example")));
    assert_int_equal(rewrite(REWRITE_HEADER_SENDER, "new@x.example").bcc.n, 0);
    assert_int_equal(rewrite(REWRITE_ENVELOPE_RECIPIENT, "new@x.example").bcc.n, 0);
}

/* What is checked at RCPT is what is delivered. */
static void recipients_are_rewritten_before_they_are_resolved(void **state)
{
    (void)state;
    world_make(HOST ALIASES "recipient_canonical_maps = inline:{old@local.example=alice@local.example "
                            "gone@local.example=nobody@local.example @old.example=@local.example}\n"
                            "mydestination = local.example old.example\n");
    policy_verdict v = asked("old@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    assert_true(str_equal(v.routes[0].original, STR("old@local.example")));
    v = asked("alice+x@old.example");
    goes_to(&v, "local:alice+x@local.example=alice");
    v = asked("gone@local.example");
    says(&v, 550, "5.1.1", "User unknown");
    /* the class of an address that a stranger names is decided before */
    world_make(HOST ALIASES "canonical_maps = inline:{x@far.example=alice@local.example}\n");
    v = asked("x@far.example");
    assert_int_equal(v.code, 554);
}

static void extensions_stop_where_they_are_told_to(void **state)
{
    (void)state;
    world_make(HOST ALIASES
               "canonical_maps = inline:{u@a.example=v@a.example}\npropagate_unmatched_extensions = virtual\n");
    becomes(REWRITE_HEADER_SENDER, "u+x@a.example", "v@a.example");
    world_make(HOST ALIASES
               "virtual_alias_maps = inline:{v@local.example=alice}\npropagate_unmatched_extensions = canonical\n");
    policy_verdict v = asked("v+x@local.example");
    goes_to(&v, "local:alice@local.example=alice");
}

static void mistakes_are_errors(void **state)
{
    static const char *const wrong[] = { "canonical_classes = nonsense\n", "masquerade_classes = envelope\n",
                                         "sender_canonical_maps = nothing:x\n" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        world_try(arena_printf(&mem, HOST ALIASES "%s", wrong[i]).p);
        assert_null(rules);
        assert_int_equal(found.error_count, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_tried_in_their_order),
        TEST(each_class_has_its_tables),
        TEST(hosts_are_hidden),
        TEST(short_addresses_are_completed),
        TEST(a_short_domain_goes_where_it_is_completed_to),
        TEST(what_is_no_plain_address_stays),
        TEST(what_cannot_be_told_defers),
        TEST(blind_copies_are_found),
        TEST(recipients_are_rewritten_before_they_are_resolved),
        TEST(extensions_stop_where_they_are_told_to),
        TEST(mistakes_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
