/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

#define IN(list, table) HOST ALIASES "smtpd_" list "_restrictions = " table "\n"

static void a_client_is_found_by_name_and_network(void **state)
{
    policy_facts f = stranger;
    (void)state;
    world_make(IN("client", "check_client_access inline:{stranger.example=REJECT, {10.1 = 550 5.7.9 bad net}}"));
    policy_verdict v = decided(&f);
    says(&v, 554, "5.7.1", "<host.stranger.example[198.51.100.9]>: Client host rejected: Access denied");
    f.client_name = STR("unknown");
    f.client_address = STR("10.1.2.3");
    v = decided(&f);
    says(&v, 550, "5.7.9", "bad net");
    f.client_address = STR("10.2.2.3");
    v = decided(&f);
    says(&v, 250, "", NULL);
}

static void a_table_alone_stands_for_its_list(void **state)
{
    (void)state;
    world_make(IN("helo", "inline:{stranger.example=REJECT}"));
    policy_verdict v = decided(&stranger);
    says(&v, 554, "5.7.1", "<host.stranger.example>: Helo command rejected");
    world_make(IN("sender", "inline:{someone@=DEFER}"));
    v = decided(&stranger);
    says(&v, 450, "4.7.1", "<someone@stranger.example>: Sender address rejected");
    world_make(IN("recipient", "inline:{{local.example = 551 moved}}"));
    v = decided(&stranger);
    says(&v, 551, "5.7.1", "<alice@local.example>: Recipient address rejected: moved");
}

static void the_null_sender_has_a_key(void **state)
{
    policy_facts f = stranger;
    (void)state;
    world_make(IN("sender", "inline:{<>=REJECT}"));
    policy_verdict v = decided(&f);
    says(&v, 250, "", NULL);
    f.sender = STR("");
    v = decided(&f);
    says(&v, 554, "5.7.1", NULL);
    f.has_sender = false;
    v = decided(&f);
    says(&v, 250, "", NULL);
}

static void keys_are_canonical(void **state)
{
    (void)state;
    world_make(IN("recipient", "inline:{alice@local.example=REJECT}"));
    static const char *const forms[] = { "alice@local.example",     "ALICE@Local.Example.",
                                         "\"alice\"@local.example", "\"al\\ice\"@LOCAL.example",
                                         "alice+x@local.example",   "alice" };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        policy_verdict v = asked(forms[i]);
        says(&v, 554, "5.7.1", NULL);
    }
}

static void actions_act(void **state)
{
    static const struct {
        const char *action;
        unsigned code, flags;
    } rows[] = {
        { "OK", 250, 0 },
        { "DUNNO", 554, 0 },
        { "HOLD x", 554, POLICY_HOLD },
        { "DISCARD", 250, POLICY_DISCARD },
        { "permit", 250, 0 },
        { "WARN", 554, 0 },
        { "reject_non_fqdn_sender, permit", 250, 0 },
        { "FILTER x:y", 451, 0 },
        { "nosuch", 451, 0 },
        { "check_sender_access inline:{a=b}", 451, 0 },
        { "warn_if_reject, reject", 554, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_make(arena_printf(&mem, IN("sender", "check_sender_access inline:{{stranger.example = %s}}, reject"),
                                rows[i].action)
                       .p);
        policy_verdict v = decided(&stranger);
        if (v.code != rows[i].code || v.flags != rows[i].flags)
            fail_msg("%s: %u %u %.*s", rows[i].action, v.code, v.flags, STR_ARG(policy_explain(&v, &mem)));
    }
}

/* Both let pass; the chain has the text, and says that the log wants it. */
static void warnings_and_infos_are_noted(void **state)
{
    static const struct {
        const char *list;
        policy_note note;
        const char *words, *shown;
    } rows[] = {
        { "check_sender_access inline:{{stranger.example = WARN look at this}}", NOTE_WARNING, "look at this",
          "-> WARN look at this\n" },
        { "check_sender_access inline:{{stranger.example = info}}", NOTE_INFO, "", "-> info\n" },
        { "warn_if_reject check_sender_access inline:{{stranger.example = 550 5.7.9 no}}", NOTE_WOULD_REFUSE,
          "550 5.7.9 <someone@stranger.example>: Sender address rejected: no", "-> WARN would refuse: 550 5.7.9 <" },
        { "check_sender_access inline:{{stranger.example = DUNNO x}}", NOTE_NONE, "", "-> DUNNO x\n" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_make(arena_printf(&mem, IN("sender", "%s"), rows[i].list).p);
        policy_verdict v = decided(&stranger);
        says(&v, 250, "", NULL);
        const policy_step *noted = &(policy_step){ .note = NOTE_NONE };
        for (size_t j = 0; j < v.step_count; j++)
            noted = v.steps[j].note ? &v.steps[j] : noted;
        str chain = policy_explain(&v, &mem);
        if (noted->note != rows[i].note || !str_equal(noted->words, str_c(rows[i].words)) ||
            strstr(chain.p, rows[i].shown) == NULL)
            fail_msg("%s: %d \"%.*s\"\n%.*s", rows[i].list, (int)noted->note, STR_ARG(noted->words), STR_ARG(chain));
    }
}

/* What an entry names warns only, too, also where one names another; what stands behind it in the list refuses again, and so does an
 * entry that cannot be acted on. */
static void what_an_entry_names_warns_as_well(void **state)
{
    static const struct {
        const char *list;
        unsigned code;
        size_t warnings;
    } rows[] = {
        { "warn_if_reject check_sender_access inline:{{stranger.example = permit_mynetworks, reject}}", 250, 1 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = permit_mynetworks, reject, defer}}", 250, 2 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = permit, reject}}, reject", 250, 0 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = permit_mynetworks, reject}}, reject", 554,
          1 },
        { "check_sender_access inline:{{stranger.example = permit_mynetworks, reject}}", 554, 0 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = nosuch}}", 451, 0 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = check_helo_access static:permit_mynetworks, "
          "reject}}, check_helo_access static:permit_mynetworks",
          250, 1 },
        { "warn_if_reject check_sender_access inline:{{stranger.example = check_helo_access static:{permit_mynetworks, "
          "reject}}}, permit, check_helo_access static:{permit_mynetworks, reject}",
          250, 1 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_make(arena_printf(&mem, IN("sender", "%s"), rows[i].list).p);
        policy_verdict v = decided(&stranger);
        size_t warnings = 0;
        for (size_t j = 0; j < v.step_count; j++)
            warnings += v.steps[j].note == NOTE_WOULD_REFUSE;
        if (v.code != rows[i].code || warnings != rows[i].warnings)
            fail_msg("%s: %u, %zu\n%.*s", rows[i].list, v.code, warnings, STR_ARG(policy_explain(&v, &mem)));
    }
}

static void restrictions_in_tables_do_not_recur_forever(void **state)
{
    (void)state;
    char path[] = "/tmp/test-policy-XXXXXX";
    int fd = mkstemp(path);
    str text = arena_printf(&mem, "stranger.example check_sender_access texthash:%s\n", path);
    assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
    world_make(arena_printf(&mem, IN("sender", "check_sender_access texthash:%s"), path).p);
    policy_verdict v = decided(&stranger);
    says(&v, 451, "4.3.5", "Server configuration error");
    assert_in_range(v.step_count, 20, 30);
    close(fd);
    unlink(path);
}

static void deferrals_wait_for_the_end(void **state)
{
    (void)state;
    world_make(IN("sender", "check_sender_access inline:{stranger.example=DEFER_IF_PERMIT}"));
    policy_verdict v = decided(&stranger);
    says(&v, 450, "4.7.1", NULL);
    v = asked("x@elsewhere.example");
    says(&v, 554, "5.7.1", "Relay access denied");
    world_make(IN("sender", "check_sender_access inline:{stranger.example=DEFER_IF_REJECT}"));
    v = decided(&stranger);
    says(&v, 250, "", NULL);
    v = asked("x@elsewhere.example");
    says(&v, 450, "4.7.1", NULL);
}

/* HOSTILE 16, 38: never 5xx, never accepted. */
static void a_table_that_fails_defers(void **state)
{
    (void)state;
    world_make(IN("client", "check_client_access texthash:/nonexistent/table"));
    assert_int_equal(found.warning_count, 1);
    policy_verdict v = decided(&stranger);
    says(&v, 451, "4.3.0", "Temporary lookup failure");
    assert_null(strstr(v.reply.p, "nonexistent"));
    assert_non_null(strstr(policy_explain(&v, &mem).p, "/nonexistent/table"));
}

static void pattern_tables_see_whole_keys(void **state)
{
    char path[] = "/tmp/test-policy-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_int_equal(write(fd, "/^stranger/ REJECT\n/^host\\.stranger\\.example$/ 550 whole\n", 57), 57);
    world_make(arena_printf(&mem, IN("helo", "check_helo_access pcre:%s"), path).p);
    policy_verdict v = decided(&stranger);
    says(&v, 550, "5.7.1", "whole");
    assert_int_equal(v.steps[0].line, 2);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_is_found_by_name_and_network),
        TEST(a_table_alone_stands_for_its_list),
        TEST(the_null_sender_has_a_key),
        TEST(keys_are_canonical),
        TEST(actions_act),
        TEST(warnings_and_infos_are_noted),
        TEST(what_an_entry_names_warns_as_well),
        TEST(restrictions_in_tables_do_not_recur_forever),
        TEST(deferrals_wait_for_the_end),
        TEST(a_table_that_fails_defers),
        TEST(pattern_tables_see_whole_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
