/* Configurations that are right by grammar and range, and wrong all the same. */
#include "conf/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    const char *main_cf, *master_cf;
    const char *want; /* all that is said; "" when nothing */
} row;

#define INNER                                                                                    \
    "meter unix - - - - - meter\npolicy unix - - - - - policy\ncleanup unix - - - - - cleanup\n" \
    "qmgr unix - - - - - qmgr\nlocal unix - - - - - local\n"
#define SMTP "smtp inet n - - - - smtpd"
#define RELAY                                                                                             \
    "smtpd_relay_restrictions: strangers could relay: neither this nor smtpd_recipient_restrictions has " \
    "reject_unauth_destination, defer_unauth_destination, reject or defer before any permit\n"

static const row rows[] = {
    { "", INNER, "" },
    { "", INNER SMTP, "" },
    { "", "", "/e/master.cf: warning: has no service\n" },
    { "mynetwork = 10.0.0.0/8", INNER,
      "/e/main.cf:1: error: mynetwork is not a parameter; did you mean mynetworks?\n" },
    { "xyzzy_plugh = 1", INNER, "/e/main.cf:1: error: xyzzy_plugh is not a parameter, and nothing uses it\n" },
    { "own = a.b\nmyorigin = $own", INNER, "" },
    { "own = a.b", INNER SMTP " -o myorigin=$own", "" },
    { "own = a.b\nmydestination = ${none?$own}", INNER, "" },
    { "own = a.b\nmyorigin = $own", INNER SMTP " -o own=c.d", "" },
    { "", INNER SMTP " -o smtp_timeout=1",
      "/e/master.cf:6: error: smtp_timeout is not a parameter; did you mean smtpd_timeout?\n" },
    { "queue_directory = spool", INNER, "/e/main.cf:1: error: queue_directory: \"spool\" is not an absolute path\n" },
    { "config_directory = /f", INNER,
      "/e/main.cf:1: error: config_directory: main.cf was read from /e; leave this out\n" },
    { "config_directory = /e", INNER, "" },
    { "myhostname = a..b", INNER, "/e/main.cf:1: error: myhostname: \"a..b\" is not a domain name\n" },
    { "mydomain = a b", INNER, "/e/main.cf:1: error: mydomain: \"a b\" is not a domain name\n" },
    { "mynetworks = 10.0.0.1/8", INNER,
      "/e/main.cf:1: error: mynetworks: \"10.0.0.1/8\" has bits set behind its length\n" },
    { "mynetworks = cidr:/e/x inline:{a=b, c=d} !/e/y 10.0.0.0/8", INNER, "" },
    { "smtpd_client_event_limit_exceptions = cidr:/e/x", INNER,
      "/e/main.cf:1: error: smtpd_client_event_limit_exceptions: \"cidr:/e/x\" is a table or file, which only mynetworks may name\n" },
    { "mynetworks = 0.0.0.0/0", INNER,
      "/e/main.cf:1: error: mynetworks: covers the whole Internet, which could then relay through this host\n" },
    { "mynetworks = [::]/0", INNER,
      "/e/main.cf:1: error: mynetworks: covers the whole Internet, which could then relay through this host\n" },
    { "mynetworks = 10.0.0.0/8 !0.0.0.0/0", INNER, "" },
    { "remote_header_rewrite_domain = a b", INNER,
      "/e/main.cf:1: error: remote_header_rewrite_domain: \"a b\" is not a domain name\n" },
    { "local_header_rewrite_clients = permit_mynetworks static:all check_address_map cidr:/x", INNER, "" },
    { "local_header_rewrite_clients = permit_tls_clientcerts", INNER,
      "/e/main.cf:1: error: local_header_rewrite_clients: \"permit_tls_clientcerts\" is not known here\n" },
    { "undisclosed_recipients_header = To: undisclosed-recipients:;", INNER, "" },
    { "undisclosed_recipients_header = nobody in particular:", INNER,
      "/e/main.cf:1: error: undisclosed_recipients_header: expected a field, such as \"To: undisclosed-recipients:;\"\n" },
    { "minimum_uid = 70000", INNER, "/e/main.cf:1: error: minimum_uid: minimum_uid is more than maximum_uid\n" },
    { "maximal_backoff_time = 10s", INNER,
      "/e/main.cf:1: error: maximal_backoff_time: minimal_backoff_time is more than maximal_backoff_time\n" },
    { "maximal_backoff_time = x", INNER,
      "/e/main.cf:1: error: maximal_backoff_time: \"x\" is not a time from 1s to 1w\n" },
    { "process_users = 90000", INNER, "" },
    { "default_privs = root", INNER,
      "/e/main.cf:1: error: default_privs: \"root\" is root, as which nothing of a mail is ever run\n" },
    { "default_privs = no-such-account", INNER,
      "/e/main.cf:1: error: default_privs: there is no account \"no-such-account\"\n" },
    { "process_users = 65500", INNER, "/e/main.cf:1: error: process_users: default_privs \"nobody\" is an account of the suite itself\n" },
    { "process_users = no", INNER, "/e/main.cf:1: error: process_users: default_privs \"nobody\" is an account of the suite itself\n" },
    { "allow_mail_to_commands = alias, forwards", INNER,
      "/e/main.cf:1: error: allow_mail_to_commands: \"forwards\" is not known; there are alias, forward, include\n" },
    { "allow_mail_to_files =\npropagate_unmatched_extensions = canonical generic x", INNER,
      "/e/main.cf:2: error: propagate_unmatched_extensions: \"x\" is not known; there are canonical, virtual, alias, "
      "forward, include, generic\n" },
    { "mailbox_transport = lmtp:unix:x", INNER,
      "/e/main.cf:1: error: mailbox_transport is not supported: mail for users of this host is delivered here\n" },
    { "fallback_transport = x:", INNER,
      "/e/main.cf:1: error: fallback_transport is not supported: mail for unknown users is refused, or goes to luser_relay\n" },
    { "process_users = 0", INNER,
      "/e/main.cf:1: error: process_users: \"0\" is not the first of a range of user ids\n" },
    { "process_users = a:", INNER, "/e/main.cf:1: error: process_users: \"a:\" cannot begin the name of an account\n" },
    { "auth_mechanisms = plain cram-md5", INNER,
      "/e/main.cf:1: error: auth_mechanisms: \"cram-md5\" is not known; there are plain and login\n" },
    { "mailbox_delivery_lock = dotlock, flock", INNER,
      "/e/main.cf:1: error: mailbox_delivery_lock: \"flock\" is not known; there are fcntl, dotlock\n" },
    { "mailbox_delivery_lock = dotlock, fcntl", INNER, "" },
    { "allow_mail_to_commands = forwards", INNER,
      "/e/main.cf:1: error: allow_mail_to_commands: \"forwards\" is not known; there are alias, forward, include\n" },
    { "allow_mail_to_files =", INNER, "" },
    { "mail_spool_directory = mail", INNER, "/e/main.cf:1: error: mail_spool_directory: \"mail\" is not an absolute path\n" },
    { "smtpd_tls_security_level = may", INNER,
      "/e/main.cf:1: error: smtpd_tls_security_level: needs smtpd_tls_cert_file\n" },
    { "", INNER SMTP " -o smtpd_tls_wrappermode=yes",
      "/e/master.cf:6: error: smtpd_tls_wrappermode: needs smtpd_tls_cert_file\n" },
    { "smtpd_tls_cert_file = /c", INNER SMTP " -o smtpd_tls_wrappermode=yes", "" },
    { "smtpd_client_restrictions = { a", INNER,
      "/e/main.cf:1: error: smtpd_client_restrictions: a brace does not close\n" },
    { "smtpd_relay_restrictions =", INNER, "/e/main.cf:1: error: " RELAY },
    { "smtpd_relay_restrictions = permit", INNER, "/e/main.cf:1: error: " RELAY },
    { "smtpd_relay_restrictions = permit_mynetworks, permit, reject", INNER, "/e/main.cf:1: error: " RELAY },
    { "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks reject_unauth_destination permit",
      INNER, "" },
    { "", INNER SMTP " -o smtpd_relay_restrictions=permit_mynetworks", "/e/master.cf:6: error: " RELAY },
    { "", INNER SMTP " -o smtpd_relay_restrictions=permit_sasl_authenticated,reject", "" },
    { "", SMTP,
      "/e/master.cf:1: error: smtp: runs smtpd, which needs a service that runs meter\n"
      "/e/master.cf:1: error: smtp: runs smtpd, which needs a service that runs policy\n"
      "/e/master.cf:1: error: smtp: runs smtpd, which needs a service that runs cleanup\n" },
    { "", INNER SMTP " -o smtpd_sasl_auth_enable=yes",
      "/e/master.cf:6: error: smtp: runs smtpd, which needs a service that runs auth\n" },
    { "tls_cert_file = /c", INNER "auth unix - - - - - auth\npop3 inet n - - - - login -o login_protocol=pop3",
      "/e/master.cf:7: error: pop3: runs login, which needs a service that runs pop3d\n" },
    { "", INNER "auth unix - - - - - auth\nimapd unix - - - - - imapd\nimap inet n - - - - login",
      "/e/master.cf:8: warning: login_tls_required: without tls_cert_file nobody can log in to this service\n" },
    { "notify_classes = bounce, 2bounce delay\n policy,Protocol resource software data", INNER, "" },
    { "notify_classes = bounce, bounces", INNER,
      "/e/main.cf:1: error: notify_classes: \"bounces\" is not a class of reports\n" },
    { "default_verp_delimiters = +@", INNER,
      "/e/main.cf:1: error: default_verp_delimiters: verp_delimiter_filter does not have '@'\n" },
    { "bounce_template_file = bounce.cf", INNER,
      "/e/main.cf:1: error: bounce_template_file: \"bounce.cf\" is not an absolute path\n" },
    { "2bounce_notice_recipient = x", INNER, "" },
    { "system_users = yes", INNER "auth unix - - - - - auth",
      "/e/master.cf:6: error: auth: runs auth, which needs a service that runs pam\n" },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        parsed p;
        arena a = arena_new(0);
        bool is_right =
            config_parse(STR("/e"), STR("h.example.com"), str_c(rows[i].main_cf), str_c(rows[i].master_cf), &p);
        const char *said = problems_text(&p.problems, &a).p;
        if (strcmp(said, rows[i].want) != 0)
            fail_msg("%s\n%s\nsaid:\n%s", rows[i].main_cf, rows[i].master_cf, said);
        assert_int_equal(is_right, p.problems.error_count == 0);
        arena_free(&a);
        parsed_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
