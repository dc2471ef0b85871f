/* SOURCES:  NEEDS: policy_engine */
#include "world.h"

#define RULES(relay, recipient) \
    HOST ALIASES "smtpd_relay_restrictions = " relay "\nsmtpd_recipient_restrictions = " recipient "\n"

static void open_relays_are_refused_with_their_rule(void **state)
{
    static const struct {
        const char *main_cf, *rule;
    } rows[] = {
        { RULES("", ""), "needs reject_unauth_destination" },
        { RULES("permit", ""), "smtpd_relay_restrictions: permit would let strangers relay" },
        { RULES("permit_mynetworks", ""), "needs reject_unauth_destination" },
        { RULES("permit_mynetworks, permit_sasl_authenticated", "permit_mynetworks"),
          "needs reject_unauth_destination" },
        { RULES("", "permit, reject_unauth_destination"), "smtpd_recipient_restrictions: permit would" },
        { RULES("check_client_access static:OK, reject", ""), "check_client_access static:OK would" },
        { RULES("static:permit, reject", ""), "static:permit would" },
        { RULES("check_sender_access inline:{<>=OK}, reject", ""), "inline:{<>=OK} would" },
        { RULES("check_recipient_access inline:{elsewhere.invalid=OK}, reject", ""), "would let strangers relay" },
        { RULES("warn_if_reject reject_unauth_destination", ""), "needs reject_unauth_destination" },
        { RULES("permit_mynetworks, reject_unauth_destination", "") "mynetworks = 0.0.0.0/0\n",
          "mynetworks: 0.0.0.0/0 would" },
        { RULES("permit_mynetworks, reject_unauth_destination", "") "mynetworks = [::]/0\n",
          "mynetworks: [::]/0 would" },
        { RULES("permit_mynetworks, reject_unauth_destination", "") "mynetworks = 0.0.0.0/1 128.0.0.0/1\n",
          "smtpd_relay_restrictions: permit_mynetworks would" },
        { RULES("permit_mynetworks, reject_unauth_destination", "") "mynetworks = static:all\n",
          "permit_mynetworks would" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_try(rows[i].main_cf);
        str text = problems_text(&found, &mem);
        if (rules || strstr(text.p, rows[i].rule) == NULL)
            fail_msg("row %zu: %.*s", i, STR_ARG(text));
    }
}

static void closed_ones_are_not(void **state)
{
    static const char *const rows[] = {
        RULES("reject_unauth_destination", ""),
        RULES("defer_unauth_destination", "permit"),
        RULES("", "permit_mynetworks, reject_unauth_destination"),
        RULES("permit_sasl_authenticated, reject", ""),
        RULES("", "permit_mynetworks, defer"),
        RULES("check_client_access inline:{partner.example=OK}, reject_unauth_destination", ""),
        RULES("permit_auth_destination, reject", ""),
        RULES("defer_if_permit", ""),
        RULES("", "") "smtpd_client_restrictions = permit_mynetworks, reject\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_try(rows[i]);
        if (rules == NULL)
            fail_msg("row %zu: %.*s", i, STR_ARG(problems_text(&found, &mem)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(open_relays_are_refused_with_their_rule), TEST(closed_ones_are_not) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
