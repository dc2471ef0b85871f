/* SOURCES: ctl/sendmail/content.c ctl/sendmail/deliver.c ctl/sendmail/drop.c ctl/sendmail/header.c ctl/sendmail/recipients.c ctl/sendmail/sink.c ctl/sendmail/submit.c  NEEDS: ctl_common */
/* One message from the input into the drop folder: whose it is, whom it goes to, and when it is refused. */
#include "t/unit/ctl/input.h"
#include "ctl/sendmail/deliver.h"
#include <sysexits.h>

static int run(void *context)
{
    return message_deliver(&the_config, context);
}

static int deliver(const char *text, sendmail_options o, char **to)
{
    the_config.myorigin = STR("l.example");
    the_config.myhostname = STR("mx.l.example");
    the_config.verp_delimiter_filter = STR("-=+");
    the_config.default_verp_delimiters = STR("+=");
    o.recipients = to;
    for (o.recipient_count = 0; to && to[o.recipient_count];)
        o.recipient_count++;
    return with_input(text, run, &o);
}

static void a_message_is_dropped_with_its_envelope(void **state)
{
    char *to[] = { "joe", "u@far.example", NULL };
    (void)state;
    sendmail_options o = {
        .has_sender = true, .sender = STR("ann"), .full_name = STR("Ann B"), .envelope_id = STR("id-7")
    };
    assert_int_equal(deliver("Subject: x\n\nbody\n.\nnot read\n", o, to), EX_OK);
    assert_string_equal(said, "");
    file_has("ann@l.example", true);
    file_has("joe@l.example", true);
    file_has("u@far.example", true);
    file_has("id-7", true);
    file_has("\r\nbody\r\n", true);
    file_has("not read", false);
}

static void the_header_names_the_recipients(void **state)
{
    (void)state;
    sendmail_options o = { .reads_header = true, .has_sender = true, .sender = STR("ann@x.example") };
    assert_int_equal(deliver("To: a@l.example\nBcc: hidden@l.example\n\nbody\n", o, NULL), EX_OK);
    file_has("hidden@l.example", true);
    file_has("Bcc:", false);
}

static void who_is_nobody_gets_nothing(void **state)
{
    char *broken[] = { "a@@b", NULL };
    (void)state;
    sendmail_options o = { .has_sender = true, .sender = STR("ann") };
    assert_int_equal(deliver("Subject: x\n\n", o, NULL), EX_USAGE);
    assert_non_null(strstr(said, "name the recipients"));
    assert_int_equal(deliver("Subject: x\n\n", o, broken), EX_USAGE);
    o.reads_header = true;
    assert_int_equal(deliver("Subject: x\n\n", o, NULL), EX_USAGE);
    assert_non_null(strstr(said, "names no recipients"));
    assert_int_equal(dropped(NULL, 0), 0);
}

static void verp_needs_a_sender_and_delimiters(void **state)
{
    char *to[] = { "joe", NULL };
    (void)state;
    sendmail_options o = { .has_sender = true, .sender = STR(""), .has_verp = true };
    assert_int_equal(deliver("\n", o, to), EX_USAGE);
    o.sender = STR("list");
    o.verp = STR("ab");
    assert_int_equal(deliver("\n", o, to), EX_USAGE);
    assert_non_null(strstr(said, "-XV"));
    assert_int_equal(dropped(NULL, 0), 0);
    o.verp = STR("");
    assert_int_equal(deliver("\n", o, to), EX_OK);
    assert_int_equal(dropped(NULL, 0), 1);
}

static void faults_have_their_statuses(void **state)
{
    (void)state;
    assert_int_equal(fault_status(NO_FAULT, EX_USAGE), EX_OK);
    assert_int_equal(fault_status(fault_make(FAULT_REFUSED, "1.1", "no"), EX_NOUSER), EX_NOUSER);
    assert_int_equal(fault_status(fault_make(FAULT_TRY_LATER, "3.0", "later"), EX_USAGE), EX_TEMPFAIL);
    assert_int_equal(fault_status(fault_make(FAULT_BUG, "3.0", "bug"), EX_USAGE), EX_SOFTWARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DROP_TEST(a_message_is_dropped_with_its_envelope),
        DROP_TEST(the_header_names_the_recipients),
        DROP_TEST(who_is_nobody_gets_nothing),
        DROP_TEST(verp_needs_a_sender_and_delimiters),
        cmocka_unit_test(faults_have_their_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
