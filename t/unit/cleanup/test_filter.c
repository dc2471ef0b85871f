/* SOURCES: cleanup/filter.c  NEEDS: daemon db proto */
/* A message on its way through the filter: whole, byte by byte and truncated it comes out the same; each action; MIME; limits. */
#include "cleanup/filter.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static arena mem;
static buf out, notes;
static message_filter f;
static content_checks checks;
static problems ps;
static char path[64];

static void put(void *context, str bytes)
{
    (void)context;
    buf_append(&out, bytes);
}

static void note(void *context, const filter_note *n)
{
    (void)context;
    buf_printf(&notes, "%s/%s/%.*s;", n->verb, n->part, STR_ARG(n->line));
}

static str other(void *context, str address)
{
    (void)context;
    return str_equal(address, STR("old@h")) ? STR("new@n.example") : STR_NONE;
}

static filter_rules rules;

static int setup(void **state)
{
    (void)state;
    mem = arena_new(0);
    out = notes = buf_new(32 << 20);
    rules = (filter_rules){
        .drop_headers = STR("bcc, return-path"), .header_max = 1024, .body_max = 1024, .put = put, .note = note
    };
    memcpy(path, "/tmp/test-filter-XXXXXX", sizeof "/tmp/test-filter-XXXXXX");
    close(mkstemp(path));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    content_checks_free(&checks);
    checks = (content_checks){ 0 };
    problems_free(&ps);
    unlink(path);
    buf_free(&out);
    buf_free(&notes);
    arena_free(&mem);
    return 0;
}

typedef enum where { IN_HEADER = 1, IN_MIME = 2, IN_NESTED = 4, IN_BODY = 8 } where;

static void check_with(unsigned lists, const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    content_checks_free(&checks);
    str spec = arena_printf(&mem, "pcre:%s", path), none = STR("");
    const config c = { .header_checks = lists & IN_HEADER ? spec : none,
                       .mime_header_checks = lists & IN_MIME ? spec : none,
                       .nested_header_checks = lists & IN_NESTED ? spec : none,
                       .body_checks = lists & IN_BODY ? spec : none };
    ps = (problems){ .arena = &mem };
    content_checks_open(&c, &checks, &ps);
    if (ps.error_count)
        fail_msg("%.*s", STR_ARG(problems_text(&ps, &mem)));
    rules.checks = &checks;
}

/* In pieces of n bytes. The caller looks at f and closes it. */
static void run(str message, size_t n)
{
    buf_clear(&out);
    buf_clear(&notes);
    filter_open(&f, &rules, &mem);
    for (size_t at = 0; at < message.n; at += n)
        filter_feed(&f, str_upto(str_from(message, at), n));
    filter_finish(&f);
}

/* Whole and in pieces of each size; what came out is compared each time. */
static void becomes(const char *message, const char *want)
{
    str m = str_c(message);
    for (size_t n = 1; n <= m.n; n++) {
        run(m, n);
        if (!str_equal(buf_str(&out), str_c(want)))
            fail_msg("in pieces of %zu:\n%s\nnot\n%s", n, buf_c(&out), want);
        assert_int_equal(f.is_changed, strcmp(message, want) != 0);
        filter_close(&f);
    }
}

/* Cut anywhere it does not change what it does not change. */
static void stays(const char *message)
{
    becomes(message, message);
    for (size_t n = 0; n <= strlen(message); n++) {
        str cut = str_upto(str_c(message), n);
        run(cut, n ? n : 1);
        assert_true(str_equal(buf_str(&out), cut) && !f.is_changed);
        filter_close(&f);
    }
}

static void what_nobody_asks_for_stays(void **state)
{
    static const char *const messages[] = {
        "",
        "\r\n",
        "\n",
        "x",
        "A: b\r\n",
        "A: b\r\n\r\nbody\r\n.\r\n",
        "no field\r\nA: b\r\n c\r\n\r\n\r\nx",
        "A: b\n c\n\nbody\n",
        "\r\nbody only",
        " starts folded\r\n\r\n",
        "A:\r\n\t\r\n \r\n\r\nb",
        "From: old@h\r\n\r\nFrom: old@h",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nA: b\r\n\r\nx\r\n--b--\r\n",
        "A\rB: c\r\n\r\r\n\r\nx"
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        stays(messages[i]);
    check_with(IN_HEADER | IN_MIME | IN_NESTED | IN_BODY, "/never seen/ REJECT\n");
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        stays(messages[i]);
}

static void fields_are_dropped_and_addresses_rewritten(void **state)
{
    (void)state;
    rules.sender = other;
    becomes("From: A <old@h>\r\nBCC: x@y,\r\n z\r\nTo: old@h\r\nReturn-Path: <a>\r\n\r\nBcc: x\r\n",
            "From: A <new@n.example>\r\nTo: old@h\r\n\r\nBcc: x\r\n");
    rules.recipient = other;
    becomes("From : old@h\r\nTo: a@b,\r\n old@h\r\n (c)\r\nresent-cc:old@h\nSubject: old@h\r\n\r\nTo: old@h",
            "From : new@n.example\r\nTo: a@b,\r\n new@n.example\r\n (c)\r\nresent-cc:new@n.example\nSubject: "
            "old@h\r\n\r\nTo: old@h");
    stays("To: a@b\r\nBcc-Not: x\r\n\r\nBcc: y\r\n");
    becomes("Subject: no end\r\nBcc: x", "Subject: no end\r\n");
}

static void lines_change_in_header_and_body(void **state)
{
    (void)state;
    check_with(
        IN_HEADER | IN_BODY,
        "/^X-Go/ IGNORE\n/^X-Strip/ STRIP why\n/^X-Old: (.*)/ REPLACE X-New: $1\n"
        "/^X-Front/ PREPEND X-Before: it\n/^line (.*)/ REPLACE other $1\n/^cut/ IGNORE\n/^push/ PREPEND in front\n");
    becomes("X-Go: a\r\n b\r\nX-Old: c\r\n d\r\nX-Front: e\r\nX-Strip: f\r\n\r\nline one\r\ncut\r\n\r\npush\r\nX-Go: a",
            "X-New: c\r\n d\r\nX-Before: it\r\nX-Front: e\r\n\r\nother one\r\n\r\nin front\r\npush\r\n");
    assert_non_null(strstr(buf_c(&notes), "strip/header/X-Strip: f;"));
}

/* What was matched may hold line ends: none of them begins a field. */
static void a_replacement_forges_no_field(void **state)
{
    (void)state;
    check_with(IN_HEADER, "/^A: (.*)\\n (.*)$/ REPLACE B: $2\n/^C: x\\n\\t(.*\\n)(.*)/ REPLACE C: $1$2\n/^D/ REPLACE "
                          "no field\n/^E: (.*)/ PREPEND $1\n");
    becomes("A: x\r\n Evil: y\r\n\r\n", "B: Evil: y\r\n\r\n");
    becomes("C: x\r\n\tone\r\n\tEvil: y\r\n\r\n", "C: one\r\n\tEvil: y\r\n\r\n");
    stays("D: x\r\n\r\n");
    stays("E: not a label\r\n\r\n");
}

static void refusals_have_status_and_text(void **state)
{
    static const struct {
        const char *action, *status, *text;
        fault_kind kind;
    } rows[] = {
        { "REJECT", "7.1", "message content rejected", FAULT_REFUSED },
        { "REJECT no $1", "7.1", "no x", FAULT_REFUSED },
        { "REJECT 5.6.7 no", "6.7", "no", FAULT_REFUSED },
        { "REJECT 4.6.7", "6.7", "message content rejected", FAULT_TRY_LATER },
        { "REJECT 2.6.7 odd", "7.1", "2.6.7 odd", FAULT_REFUSED },
        { "REJECT 5.6 odd", "7.1", "5.6 odd", FAULT_REFUSED },
        { "REJECT 5.6.7.8 odd", "7.1", "5.6.7.8 odd", FAULT_REFUSED },
        { "REJECT 5.1000.7 odd", "7.1", "5.1000.7 odd", FAULT_REFUSED },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_with(IN_HEADER, arena_printf(&mem, "/^A: (.)/ %s\n", rows[i].action).p);
        run(STR("A: x\r\nB: y\r\n\r\nz"), 3);
        assert_int_equal(f.refused.kind, rows[i].kind);
        assert_string_equal(f.refused.status, rows[i].status);
        assert_string_equal(f.refused.text, rows[i].text);
        filter_close(&f);
    }
    check_with(IN_HEADER, "/^A: (.*)/s REJECT $1\n");
    run(STR("A: x\x1b\x80\r\n y\r\n\r\n"), 100);
    assert_null(strpbrk(f.refused.text, "\x1b\r\n\x80"));
    filter_close(&f);
}

static void verdicts_are_kept(void **state)
{
    (void)state;
    check_with(IN_HEADER | IN_BODY, "/^hold/ HOLD\n/^discard/ DISCARD\n/^to (\\S+)/ REDIRECT $1\n/^bcc (\\S+)/ BCC "
                                    "$1\n/^warn/ WARN w\n/^info/ INFO i\n");
    stays("warn\r\n\r\ninfo");
    run(STR("hold: x\r\n\r\nto a@b\r\nto c@d\r\nbcc x@y\r\nbcc X@Y\r\nbcc z@y\r\n"), 7);
    assert_true(f.is_held && !f.is_discarded && !f.is_changed && !is_fault(f.refused));
    assert_true(str_equal(f.redirect, STR("c@d")));
    assert_int_equal(f.bcc.n, 2);
    filter_close(&f);
    run(STR("\r\nwarn\r\ninfo\r\ndiscard"), 1);
    assert_true(f.is_discarded);
    assert_string_equal(buf_c(&notes), "warning/body/warn;info/body/info;discard/body/discard;");
    filter_close(&f);
}

static void pass_ends_the_checks(void **state)
{
    (void)state;
    check_with(IN_HEADER | IN_MIME | IN_BODY, "/^Pass/ PASS\n/./ REJECT\n");
    run(STR("Pass: x\r\nA: b\r\nContent-Type: x\r\n\r\nbody\r\n"), 2);
    assert_false(is_fault(f.refused));
    filter_close(&f);
}

#define PARTS                                                                                             \
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=out\r\nX: h\r\n\r\npre\r\n--out\r\nX: " \
    "part\r\n\r\nX: body\r\n"                                                                             \
    "--out\r\nContent-Type: message/rfc822\r\n\r\nX: nested\r\nContent-Type: text/plain\r\n\r\nX: "       \
    "deep\r\n--out--\r\nX: post\r\n"

/* Which lines each list is asked for. */
static void each_list_has_its_lines(void **state)
{
    static const struct {
        unsigned list;
        const char *want;
    } rows[] = {
        { IN_HEADER, "info/header/X: h;" },
        { IN_MIME, "info/mime-header/MIME-Version: 1.0;info/mime-header/Content-Type: multipart/mixed; boundary=out;"
                   "info/mime-header/X: part;info/mime-header/Content-Type: "
                   "message/rfc822;info/mime-header/Content-Type: text/plain;" },
        { IN_NESTED, "info/nested-header/X: nested;" },
        { IN_BODY, "info/body/pre;info/body/--out;info/body/X: body;info/body/--out;info/body/X: "
                   "deep;info/body/--out--;info/body/X: post;" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_with(rows[i].list, "/./ INFO\n");
        for (size_t n = 1; n < sizeof PARTS; n++) {
            run(STR(PARTS), n);
            assert_string_equal(buf_c(&notes), rows[i].want);
            assert_true(str_equal(buf_str(&out), STR(PARTS)));
            filter_close(&f);
        }
    }
}

static void a_field_over_the_limit(void **state)
{
    static char message[5000];
    (void)state;
    snprintf(message, sizeof message, "A: %01000d\r\n %01000d\r\nBcc: %01500d\r\nB: c\r\n\r\nx", 1, 2, 3);
    rules.drop_headers = STR("");
    run(str_c(message), 100);
    assert_true(str_equal(buf_str(&out), str_c(message))); /* nobody asks for it */
    assert_false(f.is_changed);
    filter_close(&f);
    rules.drop_headers = STR("bcc");
    run(str_c(message), 100);
    assert_true(f.is_changed && strstr(buf_c(&out), "Bcc") == NULL && strstr(buf_c(&out), "\r\nB: c\r\n\r\nx"));
    filter_close(&f);
    check_with(IN_HEADER, "/never/ WARN\n");
    run(str_c(message), 100);
    assert_true(f.is_changed);
    assert_int_equal(strcspn(buf_c(&out), "B"), rules.header_max + 2); /* A's, with a line end */
    assert_non_null(strstr(buf_c(&out), "\r\nB: c\r\n\r\nx"));
    filter_close(&f);
}

static void a_part_is_looked_at_up_to_its_limit(void **state)
{
    static char message[5000];
    (void)state;
    rules.body_max = 100;
    check_with(IN_BODY, "/bad/ REJECT\n/^x+$/ IGNORE\n");
    snprintf(message, sizeof message, "\r\n%060d\r\n%060d\r\nbad\r\n", 1, 2);
    run(str_c(message), 33);
    assert_false(is_fault(f.refused));
    assert_true(str_equal(buf_str(&out), str_c(message)));
    filter_close(&f);
    memset(message, 'x', 1000);
    memcpy(message, "\r\n", 2);
    memcpy(message + 1000, "\r\nbad", 6); /* a line that is longer goes as its beginning says, whole */
    for (size_t n = 1; n < 1006; n += 7) {
        run(str_c(message), n);
        assert_true(str_equal(buf_str(&out), STR("\r\nbad")));
        filter_close(&f);
    }
}

static void a_check_that_cannot_be_made_defers(void **state)
{
    char text[400] = { 0 };
    (void)state;
    check_with(IN_HEADER, "/^A: (a+)+$/ REJECT\n");
    memcpy(text, "A: ", 3);
    memset(text + 3, 'a', 300);
    memcpy(text + 303, "!\r\n\r\n", 5);
    run(str_c(text), 400);
    assert_int_equal(f.refused.kind, FAULT_TRY_LATER);
    filter_close(&f);
}

static void a_field_in_front_is_one_of_the_header(void **state)
{
    (void)state;
    check_with(IN_HEADER, "/^Received: from secret/ REPLACE Received: from us\n");
    filter_open(&f, &rules, &mem);
    filter_field(&f, STR("Received: from secret\r\n\tby us\r\n"));
    assert_string_equal(buf_c(&out), "Received: from us\r\n");
    filter_close(&f);
}

/* HOSTILE 21. */
static void many_parts_and_lines_are_linear(void **state)
{
    buf big = buf_new(32 << 20);
    (void)state;
    check_with(IN_HEADER | IN_MIME | IN_NESTED | IN_BODY, "/never seen/ REJECT\n");
    buf_append(&big, STR("Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
    for (int i = 0; i < 20000; i++)
        buf_append(&big, STR("--b\r\nContent-Type: message/rfc822\r\n\r\nTo: a@b\r\n\r\nx\r\n"));
    run(buf_str(&big), 65536);
    assert_true(str_equal(buf_str(&out), buf_str(&big)));
    filter_close(&f);
    buf_free(&big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_nobody_asks_for_stays),
        TEST(fields_are_dropped_and_addresses_rewritten),
        TEST(lines_change_in_header_and_body),
        TEST(a_replacement_forges_no_field),
        TEST(refusals_have_status_and_text),
        TEST(verdicts_are_kept),
        TEST(pass_ends_the_checks),
        TEST(each_list_has_its_lines),
        TEST(a_field_over_the_limit),
        TEST(a_part_is_looked_at_up_to_its_limit),
        TEST(a_check_that_cannot_be_made_defers),
        TEST(a_field_in_front_is_one_of_the_header),
        TEST(many_parts_and_lines_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
