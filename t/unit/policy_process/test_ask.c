/* SOURCES: policy/ask.c policy/rules.c policy/users.c  NEEDS: daemon db mail policy_engine */
/* A question on its way through policy: rules from the configuration, a user that auth is asked for, routes, then the answer. */
#include "policy/policy.h"
#include "ipc/talk/auth.h"
#include "t/unit/daemon/parts.h"
#include "base/log.h"
#include <stdio.h>
#include <sys/mman.h>

static struct world {
    process process;
    policy policy;
    channel asker, auth;
    unsigned answers, routes, finds;
    unsigned code;
    char status[8], reason[200], nexthop[80];
    uint32_t ref;
    char lines[400];
    unsigned outcome, rewrites;
} worlds[6], *w; /* each test has its own: what it leaves stays in reach */

static bool on_route(void *context, channel *c, received *r)
{
    policy_route m = { 0 };
    (void)context, (void)c;
    assert_int_equal(policy_route_decode(r->bytes, &m), PARSE_DONE);
    assert_int_equal(w->answers, 0); /* routes come first */
    snprintf(w->nexthop, sizeof w->nexthop, "%.*s", STR_ARG(m.nexthop));
    w->routes++;
    return true;
}

static bool on_answer(void *context, channel *c, received *r)
{
    policy_answer m = { 0 };
    (void)context, (void)c;
    assert_int_equal(policy_answer_decode(r->bytes, &m), PARSE_DONE);
    w->code = m.code;
    w->ref = r->ref;
    snprintf(w->status, sizeof w->status, "%.*s", STR_ARG(m.status));
    snprintf(w->reason, sizeof w->reason, "%.*s", STR_ARG(m.reason));
    w->answers++;
    loop_stop(w->process.loop);
    return true;
}

static bool on_find(void *context, channel *c, received *r)
{
    auth_find m = { 0 };
    (void)context;
    assert_int_equal(auth_find_decode(r->bytes, &m), PARSE_DONE);
    bool is_there = str_equal(m.user, STR("joe@example.test"));
    auth_user u = { .outcome = is_there ? FAULT_NONE : FAULT_REFUSED, .user = STR("Joe@example.test") };
    w->finds++;
    return channel_put(c, AUTH_USER, r->ref, auth_user, &u);
}

static bool on_rewritten(void *context, channel *c, received *r)
{
    policy_rewritten m = { 0 };
    (void)context, (void)c;
    assert_int_equal(policy_rewritten_decode(r->bytes, &m), PARSE_DONE);
    snprintf(w->lines, sizeof w->lines, "%.*s", STR_ARG(m.lines));
    w->outcome = m.outcome;
    w->ref = r->ref;
    w->rewrites++;
    loop_stop(w->process.loop);
    return true;
}

static const talk_row asker_rows[] = { { POLICY_ROUTE, 0, 0, on_route },
                                       { POLICY_ANSWER, 0, 0, on_answer },
                                       { POLICY_REWRITTEN, 0, 0, on_rewritten } };
static void on_dropped(void *context, channel *c)
{
    (void)context, (void)c;
    loop_stop(w->process.loop);
}

static const talk asker_talk = { "asker", asker_rows, COUNT_OF(asker_rows), on_dropped };
static const talk_row find_rows[] = { { AUTH_FIND, 0, 0, on_find } };
static const talk find_talk = { "auth", find_rows, COUNT_OF(find_rows), NULL };

static void peer_give(const char *role, channel *ours, const talk *t)
{
    int pair[2];
    assert_true(channel_pair(pair));
    daemon_peer_add(&w->process, str_c(role), 0, pair[0]);
    channel_open(ours, w->process.loop, pair[1], t, NULL);
}

static void begin(const char *main_cf)
{
    static const contract look = { .role = "policy" };
    static peer_row peers[2];
    static program running;
    w = w ? w + 1 : worlds;
    peers[0] = (peer_row){ "smtpd", ask_talk, NULL, ask_lost };
    peers[1] = (peer_row){ "auth", auth_talk, NULL, users_auth_lost };
    running = (program){ .contract = &look, .peers = peers, .peer_count = 2 };
    parts_open(&w->process, &running, main_cf);
    w->process.state = &w->policy;
    assert_true(rules_prepare(&w->process));
    peer_give("smtpd", &w->asker, &asker_talk);
    peer_give("auth", &w->auth, &find_talk);
    daemon_peers_open(&w->process);
}

static void ask(const char *to, const char *client, uint32_t ref)
{
    policy_ask m = { .stage = POLICY_STAGE_RCPT, .service = STR("smtp/inet"), .client_address = str_c(client),
                     .client_name = STR("unknown"), .helo = STR("x"), .sender = STR("a@b.example"), .has_sender = 1,
                     .recipient = str_c(to) };
    w->answers = w->routes = 0;
    assert_true(channel_put(&w->asker, POLICY_ASK, ref, policy_ask, &m));
    loop_run(w->process.loop);
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->ref, ref);
}

static const char main_cf[] = "alias_maps =\nlocal_recipient_maps =\nmydestination = localhost\n"
                              "virtual_mailbox_domains = example.test\n"
                              "smtpd_recipient_restrictions = check_recipient_access inline:{no@example.test=REJECT}\n";

static void a_user_is_asked_for_once_and_routed(void **state)
{
    (void)state;
    begin(main_cf);
    ask("joe@example.test", "192.0.2.1", 7);
    assert_int_equal(w->code, 250);
    assert_int_equal(w->routes, 1);
    assert_string_equal(w->nexthop, "Joe@example.test");
    assert_int_equal(w->finds, 1);
    ask("joe@example.test", "192.0.2.1", 8);
    assert_int_equal(w->code, 250);
    assert_int_equal(w->finds, 1);
}

static void refusals_have_their_reason(void **state)
{
    (void)state;
    begin(main_cf);
    ask("nobody@example.test", "192.0.2.1", 1);
    assert_int_equal(w->code, 550);
    assert_string_equal(w->status, "5.1.1");
    assert_int_equal(w->routes, 0);
    ask("x@elsewhere.example", "192.0.2.1", 2);
    assert_int_equal(w->code / 100, 5);
    assert_non_null(strstr(w->reason, "reject_unauth_destination"));
    ask("no@example.test", "192.0.2.1", 3);
    assert_int_equal(w->code / 100, 5);
    assert_non_null(strstr(w->reason, "check_recipient_access"));
}

/* What is logged while a question is answered with 250, under these restrictions for recipients. */
static const char *logged(const char *restrictions, uint32_t ref)
{
    static char text[4096];
    char lines[1000];
    int fd = memfd_create("log", 0);
    snprintf(lines, sizeof lines,
             "alias_maps =\nlocal_recipient_maps =\nmydestination = localhost\n"
             "virtual_mailbox_domains = example.test\nsmtpd_recipient_restrictions = %s\n",
             restrictions);
    begin(lines);
    log_open(fd, LOG_FORMAT_TEXT, "policy", false);
    ask("joe@example.test", "192.0.2.1", ref);
    log_flush();
    log_open(2, LOG_FORMAT_TEXT, "policy", false);
    assert_int_equal(w->code, 250);
    memset(text, 0, sizeof text);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    close(fd);
    return text;
}

/* One line each, once the answer is known: not for each time that auth made the question wait. */
static void warnings_are_logged(void **state)
{
    (void)state;
    const char *text =
        logged("check_sender_access inline:{{b.example = WARN look here}}, check_recipient_access "
               "inline:{{joe@example.test = INFO seen}}, warn_if_reject check_helo_access inline:{{x = REJECT}}",
               7);
    static const char *const wanted[] = { " access-warning ", "text=\"look here\"", " access-info ",
                                          "text=seen",        " would-refuse ",     "Helo command rejected" };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const char *at = strstr(text, wanted[i]);
        if (at == NULL || strstr(at + 1, wanted[i]))
            fail_msg("%s: not once in\n%s", wanted[i], text);
    }
    assert_non_null(strstr(text, "client=192.0.2.1 helo=x from=a@b.example to=joe@example.test"));
}

static void warnings_of_what_an_entry_names_are_logged(void **state)
{
    (void)state;
    const char *text =
        logged("warn_if_reject check_helo_access inline:{{x = reject_non_fqdn_helo_hostname, permit_mynetworks}}", 8);
    assert_non_null(strstr(text, " would-refuse "));
    assert_non_null(strstr(text, "need fully-qualified hostname"));
    assert_non_null(strstr(text, "restriction=reject_non_fqdn_helo_hostname"));
}

static void rewrite(const char *lines, uint32_t ref)
{
    policy_rewrite m = { .lines = str_c(lines) };
    assert_true(channel_put(&w->asker, POLICY_REWRITE, ref, policy_rewrite, &m));
    loop_run(w->process.loop);
    assert_int_equal(w->ref, ref);
}

static void addresses_are_answered_line_by_line(void **state)
{
    (void)state;
    begin("alias_maps =\nmyorigin = o.example\nlocal_recipient_maps =\ncanonical_maps = inline:{a@x.example=b@x.example "
          "bad@x.example=@}\nsender_bcc_maps = inline:{b@x.example=c@x.example}\n");
    rewrite("sa@x.example\nfa@x.example\ntme\nru@y.example\n", 5);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_string_equal(w->lines, "b@x.example\tc@x.example\nb@x.example\t\nme@o.example\t\nu@y.example\t\n");
    rewrite("fa@x.example\nfbad@x.example\n", 6);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    policy_rewrite broken = { .lines = STR("fa@x.example") }; /* without its end */
    assert_true(channel_put(&w->asker, POLICY_REWRITE, 7, policy_rewrite, &broken));
    loop_run(w->process.loop);
    assert_false(channel_is_open(&w->asker)); /* it was dropped */
    assert_int_equal(w->rewrites, 2);
}

static void a_configuration_that_relays_does_not_start(void **state)
{
    static const contract look = { .role = "policy" };
    static const program running = { .contract = &look };
    (void)state;
    w = w ? w + 1 : worlds;
    parts_open(&w->process, &running, "alias_maps =\nmynetworks = 0.0.0.0/1 128.0.0.0/1\n");
    w->process.state = &w->policy;
    assert_false(rules_prepare(&w->process));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_asked_for_once_and_routed),
        cmocka_unit_test(refusals_have_their_reason),
        cmocka_unit_test(warnings_are_logged),
        cmocka_unit_test(warnings_of_what_an_entry_names_are_logged),
        cmocka_unit_test(addresses_are_answered_line_by_line),
        cmocka_unit_test(a_configuration_that_relays_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
