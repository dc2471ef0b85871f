/* SOURCES: cleanup/fields.c  NEEDS: daemon db queue proto */
/* What is put in front of a message: its trace, and what a submitted message lacks; loops; nothing that forges a line. */
#include "cleanup/cleanup.h"
#include "queue/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static process p;
static generation g;
static cleanup c;
static bringer b;
static intake i;
static buf added;

static int setup(void **state)
{
    (void)state;
    g.snapshot.base = (config){ .myhostname = STR("mx.example"), .hopcount_limit = 50 };
    p = (process){ .current = &g };
    c = (cleanup){ .process = &p };
    b = (bringer){ .cleanup = &c };
    i = (intake){ .bringer = &b,
                  .file = { .id = 4711, .read_write = -1 },
                  .envelope = { .reverse_path = STR("a@b.example"),
                                .helo = STR("client.example"),
                                .protocol = STR("ESMTP"),
                                .client_name = STR("unknown"),
                                .client_address = STR("192.0.2.1") },
                  .brought_count = 1,
                  .first_recipient = STR("u@mx.example") };
    added = buf_new(QUEUE_ADDED_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&added);
    buf_free(&i.header);
    return 0;
}

static fault make(str content)
{
    buf_clear(&added);
    buf_free(&i.header);
    i.header = buf_new(1024 * 1024);
    buf_append(&i.header, str_upto(content, i.header.max));
    return fields_make(&i, &added);
}

static bool has(const char *text)
{
    return strstr(buf_c(&added), text) != NULL;
}

/* Each line is a field or its continuation, in CRLF, and none is empty. */
static void form_check(void)
{
    const char *at = buf_c(&added);
    assert_true(*at && *at != ' ' && *at != '\t');
    while (*at) {
        const char *end = strstr(at, "\r\n");
        assert_non_null(end);
        assert_true(end > at && end - at <= 998);
        for (const char *k = at; k < end; k++)
            assert_true(*k != '\r' && *k != '\n');
        at = end + 2;
    }
}

static void the_trace_says_who_brought_it(void **state)
{
    (void)state;
    assert_false(is_fault(make(STR("Subject: x\r\n\r\nbody\r\n"))));
    form_check();
    assert_true(has("Received: from client.example") && has("[192.0.2.1]") && has("by mx.example") && has("ESMTP"));
    assert_true(has("for <u@mx.example>"));
    assert_false(has("Date: ") || has("Message-ID: "));
}

static void several_recipients_do_not_learn_of_each_other(void **state)
{
    (void)state;
    i.brought_count = 2;
    assert_false(is_fault(make(STR("Subject: x\r\n\r\n"))));
    assert_false(has("u@mx.example"));
}

static void tls_and_login_show(void **state)
{
    (void)state;
    i.envelope.protocol = STR("ESMTPSA");
    i.envelope.login = STR("u");
    i.envelope.tls = STR("TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
    assert_false(is_fault(make(STR("Subject: x\r\n\r\n"))));
    assert_true(has("ESMTPSA") && has("TLSv1.3") && has("TLS_AES_256_GCM_SHA384"));
    form_check();
}

static void what_is_missing_is_added_for_those_who_submit(void **state)
{
    static const struct {
        str content;
        bool date, id, from;
    } rows[] = {
        { STR_ROW("Subject: x\r\n\r\n"), true, true, true },
        { STR_ROW(""), true, true, true },
        { STR_ROW("\r\nDate: in the body\r\n"), true, true, true },
        { STR_ROW("dAtE: x\r\nMESSAGE-ID: <x@y>\r\nFROM: z\r\n\r\n"), false, false, false },
        { STR_ROW("Date: x\r\n\r\n"), false, true, true },
        { STR_ROW("Message-ID: x\r\nFrom: y\r\n"), true, false, false },
    };
    (void)state;
    i.envelope.flags = ENVELOPE_SUBMITTED;
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        assert_false(is_fault(make(rows[k].content)));
        assert_int_equal(has("\r\nDate: "), rows[k].date);
        assert_int_equal(has("\r\nMessage-ID: <"), rows[k].id);
        assert_int_equal(has("\r\nFrom: "), rows[k].from);
        form_check();
    }
}

static void loops_end(void **state)
{
    buf content = buf_new(100000);
    (void)state;
    for (size_t n = 1; n <= 60; n++) {
        assert_true(buf_append(&content, STR("rEcEiVeD: from x\r\n\tby y; z\r\n")));
        assert_int_equal(make(buf_str(&content)).kind, n > 50 ? FAULT_REFUSED : FAULT_NONE);
    }
    buf_free(&content);
}

static void a_received_in_the_body_does_not_count(void **state)
{
    buf content = buf_new(100000);
    (void)state;
    buf_append(&content, STR("Subject: x\r\n\r\n"));
    for (size_t n = 1; n <= 60; n++)
        assert_true(buf_append(&content, STR("Received: x\r\n")));
    assert_false(is_fault(make(buf_str(&content))));
    buf_free(&content);
}

static void a_header_without_end_costs_a_megabyte_at_most(void **state)
{
    static char huge[3 * 1024 * 1024];
    (void)state;
    memset(huge, 'x', sizeof huge);
    memcpy(huge, "Subject: ", 9);
    assert_false(is_fault(make((str){ huge, sizeof huge })));
    form_check();
}

static void hostile_names_forge_nothing(void **state)
{
    static const str names[] = { STR_ROW("x\r\nEvil: y"),  STR_ROW("x)\n(y"), STR_ROW("a\0b"),
                                 STR_ROW("((((("),         STR_ROW(""),       STR_ROW("x y\tz"),
                                 STR_ROW("\\\r\n\r\nbody") };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        i.envelope.helo = names[k];
        i.envelope.tls = names[k];
        i.first_recipient = names[k];
        assert_false(is_fault(make(STR("Subject: x\r\n\r\n"))));
        assert_false(has("\nEvil") || has("\nbody"));
        assert_null(memchr(added.p, '\0', added.n));
        form_check();
    }
}

static void what_does_not_fit_is_refused_not_cut(void **state)
{
    static char huge[QUEUE_ADDED_MAX + 100];
    (void)state;
    memset(huge, 'h', sizeof huge);
    i.envelope.flags = ENVELOPE_SUBMITTED;
    i.envelope.reverse_path = (str){ huge, sizeof huge };
    fault f = make(STR("Subject: x\r\n\r\n"));
    assert_int_equal(f.kind, FAULT_REFUSED);
}

static void a_message_with_its_trace_gets_no_second(void **state)
{
    (void)state;
    i.envelope.flags = ENVELOPE_NO_TRACE;
    assert_false(is_fault(make(STR("Subject: x\r\n\r\n"))));
    assert_int_equal(added.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_trace_says_who_brought_it),
        TEST(several_recipients_do_not_learn_of_each_other),
        TEST(tls_and_login_show),
        TEST(what_is_missing_is_added_for_those_who_submit),
        TEST(loops_end),
        TEST(a_received_in_the_body_does_not_count),
        TEST(a_header_without_end_costs_a_megabyte_at_most),
        TEST(hostile_names_forge_nothing),
        TEST(what_does_not_fit_is_refused_not_cut),
        TEST(a_message_with_its_trace_gets_no_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
