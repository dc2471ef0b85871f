/* SOURCES: ctl/sendmail/content.c ctl/sendmail/deliver.c ctl/sendmail/drop.c ctl/sendmail/header.c ctl/sendmail/recipients.c ctl/sendmail/sink.c ctl/sendmail/smtp.c ctl/sendmail/submit.c  NEEDS: ctl_common proto */
/* sendmail -bs: SMTP on input and output. */
#include "t/unit/ctl/input.h"
#include "ctl/sendmail/smtp.h"
#include <sysexits.h>

static int run(void *context)
{
    return smtp_serve(&the_config, context);
}

static int serve(const char *text)
{
    sendmail_options o = { .mode = MODE_SMTP };
    the_config.myorigin = STR("l.example");
    the_config.myhostname = STR("mx.l.example");
    return with_input(text, run, &o);
}

/* The codes of the replies, a blank behind each. */
static const char *codes(void)
{
    static char out[400];
    size_t n = 0;
    for (const char *line = said; *line && n + 5 < sizeof out;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        if (strlen(line) < 4 || line[3] == '-')
            continue;
        memcpy(out + n, line, 3);
        out[n + 3] = ' ';
        n += 4;
    }
    out[n] = '\0';
    return out;
}

static void a_message_is_taken(void **state)
{
    (void)state;
    assert_int_equal(serve("EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@l.example>\r\nDATA\r\n"
                           "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"),
                     EX_OK);
    assert_string_equal(codes(), "220 250 250 250 354 250 221 ");
    file_has("a@b.example", true);
    file_has("\r\n.dot\r\n", true);
}

static void what_is_out_of_order_or_broken_is_refused(void **state)
{
    (void)state;
    serve("MAIL FROM:<a@b.example>\r\nHELO me\r\nRCPT TO:<u@l.example>\r\nNOOP\r\nRATTLE\r\nMAIL "
          "FROM:<a@@b>\r\nDATA\r\nVRFY u\r\n"
          "RSET\r\nHELP\r\nQUIT\r\n");
    assert_true(strncmp(codes(), "220 ", 4) == 0);
    assert_non_null(strstr(codes(), "503 "));
    assert_non_null(strstr(codes(), "500 "));
    assert_non_null(strstr(codes(), "501 "));
    assert_non_null(strstr(codes(), "252 "));
    assert_non_null(strstr(codes(), "214 "));
    assert_int_equal(dropped(NULL, 0), 0);
}

/* A program that ends in the middle has sent nothing. */
static void a_message_that_is_cut_off_is_none(void **state)
{
    (void)state;
    serve("EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@l.example>\r\nDATA\r\nSubject: x\r\n\r\nhalf");
    assert_int_equal(dropped(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { DROP_TEST(a_message_is_taken),
                                        DROP_TEST(what_is_out_of_order_or_broken_is_refused),
                                        DROP_TEST(a_message_that_is_cut_off_is_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
