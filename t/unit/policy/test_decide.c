/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

/* HOSTILE 14: each form of address, from each kind of stranger. */
static void tricks_do_not_relay(void **state)
{
    static const char *const forms[] = {
        "victim@elsewhere.example",
        "victim%elsewhere.example@local.example",
        "victim%elsewhere.example@mx.local.example",
        "victim%elsewhere.example",
        "victim%elsewhere.example@[192.0.2.1]",
        "elsewhere.example!victim@local.example",
        "elsewhere.example!victim",
        "local.example!elsewhere.example!victim",
        "elsewhere.example!victim@[127.0.0.1]",
        "\"victim@elsewhere.example\"@local.example",
        "\"victim@elsewhere.example\"",
        "\"victim%elsewhere.example\"@local.example",
        "\"elsewhere.example!victim\"@local.example",
        "\"vic\\@tim\"@local.example",
        "@local.example:victim@elsewhere.example",
        "@local.example,@mx.local.example:victim@elsewhere.example",
        "@elsewhere.example:alice@local.example",
        "victim@elsewhere.example@local.example",
        "victim@local.example@elsewhere.example",
        "victim@@local.example",
        "victim@[203.0.113.1]",
        "victim@[IPv6:2001:db8::77]",
        "victim@[192.0.2.1",
        "victim@[192.0.2.1].elsewhere.example",
        "victim@elsewhere.example.",
        "victim@local.example..",
        "victim@ELSEWHERE.Example",
        "victim@local.example.elsewhere.example",
        "victim@xlocal.example",
        "victim@elsewhere.example victim@local.example",
        "victim@local.example>, <alice@local.example",
        "victim@elsewhere.example\talice@local.example",
        "<victim@elsewhere.example>@local.example",
        "victim@elsewhere.example(@local.example)",
        "",
        "@",
        "@local.example",
        "victim@",
    };
    static const str senders[] = { STR_ROW("someone@stranger.example"), STR_ROW(""), STR_ROW("alice@local.example"),
                                   STR_ROW("postmaster@[192.0.2.1]") };
    static const str helos[] = { STR_ROW("host.stranger.example"), STR_ROW("localhost"), STR_ROW("mx.local.example"),
                                 STR_ROW("[127.0.0.1]"), STR_ROW("") };
    static const str clients[] = { STR_ROW("198.51.100.9"), STR_ROW("::ffff:198.51.100.9"), STR_ROW("2001:db8:9::9"),
                                   STR_ROW("") };
    static const str names[] = { STR_ROW("unknown"), STR_ROW("localhost") };
    (void)state;
    world_make(HOST ALIASES);
    for (size_t i = 0; i < COUNT_OF(forms) * COUNT_OF(senders) * COUNT_OF(helos) * COUNT_OF(clients) * COUNT_OF(names);
         i++) {
        size_t n = i;
        policy_facts f = { .stage = POLICY_STAGE_RCPT, .has_sender = true };
        f.recipient = str_c(forms[n % COUNT_OF(forms)]);
        n /= COUNT_OF(forms);
        f.sender = senders[n % COUNT_OF(senders)];
        n /= COUNT_OF(senders);
        f.helo = helos[n % COUNT_OF(helos)];
        n /= COUNT_OF(helos);
        f.client_address = clients[n % COUNT_OF(clients)];
        n /= COUNT_OF(clients);
        f.client_name = names[n];
        policy_verdict v = decided(&f);
        if (v.code < 500 || v.route_count)
            fail_msg("%.*s from %.*s: %u %.*s", STR_ARG(f.recipient), STR_ARG(f.client_address), v.code,
                     STR_ARG(policy_explain(&v, &mem)));
        if (i % 100 == 0)
            arena_clear(&mem);
    }
}

static void those_who_may_relay_hear_why_not(void **state)
{
    policy_facts f = stranger;
    (void)state;
    world_make(HOST ALIASES);
    f.recipient = STR("someone@elsewhere.example");
    f.login = STR("alice");
    policy_verdict v = decided(&f);
    says(&v, 550, "5.4.4", "mail for other systems is not carried");
    f.login = STR("");
    f.client_address = STR("127.0.0.1");
    v = decided(&f);
    says(&v, 550, "5.4.4", NULL);
    f.client_address = STR("::ffff:127.0.0.1");
    v = decided(&f);
    says(&v, 550, "5.4.4", NULL);
}

/* Whatever the lists permit: LMTP brings mail for users of this host. */
static void lmtp_takes_what_is_ours_alone(void **state)
{
    static const policy_facts local = { .stage = POLICY_STAGE_RCPT,
                                        .client_address = STR_ROW("127.0.0.1"),
                                        .sender = STR_ROW("a@b.example"),
                                        .has_sender = true,
                                        .recipient = STR_ROW("someone@elsewhere.example") };
    policy_facts ours = local;
    (void)state;
    ours.recipient = STR("alice@local.example");
    for (int is_lmtp = 0; is_lmtp < 2; is_lmtp++) {
        world_make(is_lmtp ? HOST ALIASES "smtpd_protocol = lmtp\n" : HOST ALIASES);
        policy_verdict v = decided(&local);
        assert_int_equal(strstr(v.reply.p, "Relay access denied") != NULL, is_lmtp);
        if (is_lmtp)
            says(&v, 554, "5.7.1", "Relay access denied");
        v = decided(&ours);
        goes_to(&v, "local:alice@local.example=alice");
    }
}

static void stages_look_at_their_lists(void **state)
{
    static const enum policy_stage stages[] = { POLICY_STAGE_CONNECT, POLICY_STAGE_HELO, POLICY_STAGE_MAIL,
                                                POLICY_STAGE_RCPT,    POLICY_STAGE_DATA, POLICY_STAGE_END_OF_DATA };
    static const struct {
        const char *list;
        enum policy_stage at, delayed;
        const char *words;
    } rows[] = {
        { "client", POLICY_STAGE_CONNECT, POLICY_STAGE_RCPT, "Client host rejected" },
        { "helo", POLICY_STAGE_HELO, POLICY_STAGE_RCPT, "Helo command rejected" },
        { "sender", POLICY_STAGE_MAIL, POLICY_STAGE_RCPT, "Sender address rejected" },
        { "relay", POLICY_STAGE_RCPT, POLICY_STAGE_RCPT, "Recipient address rejected" },
        { "recipient", POLICY_STAGE_RCPT, POLICY_STAGE_RCPT, "Recipient address rejected" },
        { "data", POLICY_STAGE_DATA, POLICY_STAGE_DATA, "<DATA>: Data command rejected" },
        { "end_of_data", POLICY_STAGE_END_OF_DATA, POLICY_STAGE_END_OF_DATA, "<END-OF-MESSAGE>: End-of-data rejected" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        bool is_delayed = i % 2;
        world_make(arena_printf(&mem, HOST ALIASES "smtpd_%s_restrictions = reject\nsmtpd_delay_reject = %s\n",
                                rows[i / 2].list, is_delayed ? "yes" : "no")
                       .p);
        for (size_t s = 0; s < COUNT_OF(stages); s++) {
            policy_facts f = stranger;
            f.stage = stages[s];
            policy_verdict v = decided(&f);
            bool is_due = stages[s] == (is_delayed ? rows[i / 2].delayed : rows[i / 2].at);
            assert_int_equal(v.code, is_due ? 554 : 250);
            if (is_due)
                says(&v, 554, "5.7.1", rows[i / 2].words);
        }
    }
}

static void a_permit_ends_its_list_only(void **state)
{
    (void)state;
    world_make(HOST ALIASES
               "smtpd_client_restrictions = permit, reject\nsmtpd_recipient_restrictions = permit_mynetworks, "
               "reject_unauth_destination, reject\n");
    policy_verdict v = asked("alice@local.example");
    says(&v, 554, "5.7.1", "Recipient address rejected");
    assert_true(str_equal(v.reason, STR("smtpd_recipient_restrictions/reject")));
}

static void vrfy_tells_nothing(void **state)
{
    policy_facts f = stranger;
    (void)state;
    world_make(HOST ALIASES);
    f.stage = POLICY_STAGE_VRFY;
    policy_verdict one = decided(&f);
    f.recipient = STR("nobody@local.example");
    policy_verdict two = decided(&f);
    says(&one, 252, "2.0.0", NULL);
    assert_true(two.code == one.code && str_equal(one.reply, two.reply) && two.step_count == 0 && two.route_count == 0);
}

static void resolving_has_no_restrictions(void **state)
{
    policy_facts f = stranger;
    (void)state;
    world_make(HOST ALIASES "smtpd_client_restrictions = reject\n");
    f.stage = POLICY_STAGE_RESOLVE;
    policy_verdict v = decided(&f);
    goes_to(&v, "local:alice@local.example=alice");
}

static void refusals_soften(void **state)
{
    (void)state;
    world_make(HOST ALIASES "soft_bounce = yes\n");
    policy_verdict v = asked("nobody@local.example");
    says(&v, 450, "4.1.1", NULL);
    v = asked("x@elsewhere.example");
    says(&v, 454, "4.7.1", NULL);
}

static void replies_are_one_printable_line(void **state)
{
    policy_facts f = stranger;
    char long_name[3000];
    (void)state;
    memset(long_name, 'x', sizeof long_name);
    world_make(HOST ALIASES "smtpd_helo_restrictions = reject\n");
    f.helo = STR("a\r\n250 fine\x1b[1m\0z");
    policy_verdict v = decided(&f);
    for (size_t i = 0; i < v.reply.n; i++)
        assert_in_range((unsigned char)v.reply.p[i], ' ', '~');
    f.helo = (str){ long_name, sizeof long_name };
    v = decided(&f);
    assert_in_range(v.reply.n, 1, 490);
}

static void the_chain_is_told(void **state)
{
    (void)state;
    world_make(HOST ALIASES "smtpd_client_restrictions = check_client_access inline:{stranger.example=REJECT}\n");
    policy_verdict v = decided(&stranger);
    assert_true(
        str_equal(v.reason, STR("smtpd_client_restrictions/check_client_access inline:{stranger.example=REJECT}/"
                                "inline:{stranger.example=REJECT}/stranger.example")));
    str text = policy_explain(&v, &mem);
    assert_non_null(strstr(text.p, "key \"stranger.example\" -> REJECT\n"));
    assert_non_null(strstr(text.p, "-> 554 5.7.1 "));
    v = asked("x@elsewhere.example");
}

static void a_user_waited_for_gives_no_verdict(void **state)
{
    (void)state;
    world_make(HOST ALIASES "smtpd_recipient_restrictions = reject_unlisted_recipient, reject\n");
    policy_verdict v = asked("wait@local.example");
    assert_int_equal(v.code, 0);
    assert_true(str_equal(v.waiting_for, STR("wait")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tricks_do_not_relay),
        TEST(those_who_may_relay_hear_why_not),
        TEST(lmtp_takes_what_is_ours_alone),
        TEST(stages_look_at_their_lists),
        TEST(a_permit_ends_its_list_only),
        TEST(vrfy_tells_nothing),
        TEST(resolving_has_no_restrictions),
        TEST(refusals_soften),
        TEST(replies_are_one_printable_line),
        TEST(the_chain_is_told),
        TEST(a_user_waited_for_gives_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
