/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

static void rows_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < restriction_kind_count; i++) {
        assert_non_null(restriction_kinds[i].check);
        assert_ptr_equal(restriction_kind_find(restriction_kinds[i].name), &restriction_kinds[i]);
    }
    assert_null(restriction_kind_find(STR("allow")));
}

/* What differs from the stranger of world.h; NULL: nothing. */
typedef struct row {
    const char *restrictions;
    struct {
        const char *client_address, *helo, *sender, *recipient, *login;
    } facts;
    unsigned code;
    const char *status;
} row;

#define FACTS(...)  \
    {               \
        __VA_ARGS__ \
    }

static const row rows[] = {
    { "permit", FACTS(.helo = "x"), 250, "" },
    { "reject", FACTS(.helo = "x"), 554, "5.7.1" },
    { "defer", FACTS(.helo = "x"), 450, "4.3.2" },
    { "defer_if_permit", FACTS(.helo = "x"), 450, "4.7.0" },
    { "defer_if_reject, reject", FACTS(.helo = "x"), 450, "4.7.0" },
    { "defer_if_reject", FACTS(.helo = "x"), 250, "" },
    { "warn_if_reject reject", FACTS(.helo = "x"), 250, "" },
    { "warn_if_reject reject reject", FACTS(.helo = "x"), 554, "5.7.1" },
    { "permit_mynetworks, reject", FACTS(.client_address = "192.0.2.9"), 250, "" },
    { "permit_mynetworks, reject", FACTS(.client_address = "::ffff:192.0.2.9"), 250, "" },
    { "permit_mynetworks, reject", FACTS(.client_address = "::ffff:198.51.100.9"), 554, "5.7.1" },
    { "permit_mynetworks, reject", FACTS(.client_address = ""), 554, "5.7.1" },
    { "permit_sasl_authenticated, reject", FACTS(.login = "alice"), 250, "" },
    { "permit_sasl_authenticated, reject", FACTS(.login = ""), 554, "5.7.1" },
    { "permit_auth_destination, reject", FACTS(.login = ""), 250, "" },
    { "permit_auth_destination, reject", FACTS(.recipient = "a@elsewhere.example"), 554, "5.7.1" },
    { "defer_unauth_destination", FACTS(.recipient = "a@elsewhere.example"), 454, "4.7.1" },
    { "reject_invalid_helo_hostname", FACTS(.helo = "a_b"), 250, "" },
    { "reject_invalid_helo_hostname", FACTS(.helo = "-a.example"), 501, "5.5.2" },
    { "reject_invalid_helo_hostname", FACTS(.helo = "[192.0.2.1]"), 250, "" },
    { "reject_invalid_helo_hostname", FACTS(.helo = "[192.0.2.1"), 501, "5.5.2" },
    { "reject_invalid_helo_hostname", FACTS(.helo = "192.0.2.1"), 501, "5.5.2" },
    { "reject_non_fqdn_helo_hostname", FACTS(.helo = "localhost"), 504, "5.5.2" },
    { "reject_non_fqdn_helo_hostname", FACTS(.helo = "a.example."), 250, "" },
    { "reject_non_fqdn_helo_hostname", FACTS(.helo = "[192.0.2.1]"), 250, "" },
    { "reject_non_fqdn_sender", FACTS(.sender = "a@b"), 504, "5.5.2" },
    { "reject_non_fqdn_sender", FACTS(.sender = "a"), 504, "5.5.2" },
    { "reject_non_fqdn_sender", FACTS(.sender = ""), 250, "" },
    { "reject_non_fqdn_sender", FACTS(.sender = "a@b.example"), 250, "" },
    { "reject_non_fqdn_recipient", FACTS(.recipient = "alice"), 504, "5.5.2" },
    { "reject_non_fqdn_recipient", FACTS(.recipient = "Postmaster"), 250, "" },
    { "reject_unlisted_recipient", FACTS(.recipient = "nobody@local.example"), 550, "5.1.1" },
    { "reject_unlisted_recipient", FACTS(.recipient = "fail@local.example"), 451, "4.3.0" },
};

static void put(const char *c, str *out)
{
    if (c)
        *out = str_c(c);
}

static policy_facts facts_of(const row *r)
{
    policy_facts f = stranger;
    put(r->facts.client_address, &f.client_address);
    put(r->facts.helo, &f.helo);
    put(r->facts.sender, &f.sender);
    put(r->facts.recipient, &f.recipient);
    put(r->facts.login, &f.login);
    return f;
}

static void each_does_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_make(arena_printf(&mem, HOST ALIASES "smtpd_sender_restrictions = %s\n", rows[i].restrictions).p);
        policy_facts f = facts_of(&rows[i]);
        policy_verdict v = decided(&f);
        if (v.code != rows[i].code || !str_equal(v.status, str_c(rows[i].status)))
            fail_msg("row %zu, %s: %u %.*s %.*s\n%.*s", i, rows[i].restrictions, v.code, STR_ARG(v.status),
                     STR_ARG(v.reply), STR_ARG(policy_explain(&v, &mem)));
    }
}

static void networks_may_be_tables(void **state)
{
    char path[] = "/tmp/test-policy-XXXXXX";
    int fd = mkstemp(path);
    policy_facts f = stranger;
    (void)state;
    assert_int_equal(write(fd, "198.51.100.0/24 x\n", 18), 18);
    world_make(arena_printf(&mem,
                            HOST ALIASES "mynetworks = !198.51.100.10 cidr:%s\n"
                                         "smtpd_client_restrictions = permit_mynetworks, reject\n",
                            path)
                   .p);
    policy_verdict v = decided(&f);
    says(&v, 250, "", NULL);
    f.client_address = STR("198.51.100.10");
    v = decided(&f);
    says(&v, 554, "5.7.1", NULL);
    world_make(HOST ALIASES "mynetworks = cidr:/nonexistent\n");
    v = decided(&stranger);
    says(&v, 451, "4.3.0", NULL);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(rows_are_complete), TEST(each_does_what_it_says),
                                        TEST(networks_may_be_tables) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
