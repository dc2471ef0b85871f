/* The file of templates: its grammar, the line of each mistake, what is kept of the built-in ones; names filled in. */
#include "mail/report_template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    str file;
    const char *problem; /* NULL: it is right */
    unsigned line;
    const char *subject, *text; /* of failures; NULL: the built-in one */
} rows[] = {
    { STR_ROW(""), NULL, 0, NULL, NULL },
    { STR_ROW("# comment\n\n  \n"), NULL, 3, NULL, NULL },
    { STR_ROW("failure_template = <<EOF\nSubject: s t\n\nline 1\n\nline 2\nEOF\n"), NULL, 7, "s t",
      "line 1\n\nline 2\n" },
    { STR_ROW("failure_template=<<  E O F \r\nsubject :s\r\n\r\ntext\r\nE O F\r\n# more"), NULL, 6, "s", "text\n" },
    { STR_ROW("delay_template = <<A\n\nx\nA\nfailure_template = <<B\n\ny\nB\n"), NULL, 8, NULL, "y\n" },
    { STR_ROW("failure_template = <<A\n\nx\nA\nfailure_template = <<A\n\ny\nA\n"), NULL, 8, NULL, "y\n" },
    { STR_ROW("verify_template = <<A\nSubject: v\n\nx\nA\n"), NULL, 5, NULL, NULL },
    { STR_ROW("failure_template = <<A\n\nA\n"), NULL, 3, NULL, "" },
    { STR_ROW("failure_template = <<A\nPostmaster-Subject: p\nCharset: utf-8\nFrom: f\n\n\xc3\xb6\nA"), NULL, 7, NULL,
      "\xc3\xb6\n" },
    { STR_ROW("no_template = <<A\n\nx\nA\n"), "no such template", 1, NULL, NULL },
    { STR_ROW("words\n"), "a line \"name = <<END\" is wanted", 1, NULL, NULL },
    { STR_ROW("failure_template = A\n"), "a line \"name = <<END\" is wanted", 1, NULL, NULL },
    { STR_ROW("failure_template = <<\n"), "a line \"name = <<END\" is wanted", 1, NULL, NULL },
    { STR_ROW("failure_template = <<A\nno field\n\nx\nA\n"), "a line \"Name: value\" is wanted", 2, NULL, NULL },
    { STR_ROW("failure_template = <<A\nTo: x\n\nx\nA\n"), "no such field of a template", 2, NULL, NULL },
    { STR_ROW("failure_template = <<A\nSubject:\n\nx\nA\n"), "the value is empty", 2, NULL, NULL },
    { STR_ROW("failure_template = <<A\nSubject: \xc3\xb6\n\nx\nA\n"), "the value is empty or has characters", 2, NULL,
      NULL },
    { STR_ROW("failure_template = <<A\nSubject: a\rTo: b\n\nx\nA\n"), "the value is empty or has characters", 2, NULL,
      NULL },
    { STR_ROW("failure_template = <<A\nCharset: a;b=c\n\nx\nA\n"), "the value is empty or has characters", 2, NULL,
      NULL },
    { STR_ROW("failure_template = <<A\nSubject: s\nA\n"), "the template has no text", 3, NULL, NULL },
    { STR_ROW("failure_template = <<A\nSubject: s\n"), "the template has no text", 2, NULL, NULL },
    { STR_ROW("failure_template = <<A\n\nx\n"), "the template does not end", 3, NULL, NULL },
    { STR_ROW("failure_template = <<A\n\n"), "the template does not end", 2, NULL, NULL },
    { STR_ROW("failure_template = <<A\n\nx\nA\nwords\n"), "a line \"name = <<END\" is wanted", 5, NULL, NULL },
    { STR_ROW("failure_template = <<A\n\nx\0y\nA\n"), "the file has a NUL", 0, NULL, NULL },
};

static void row_check(const struct row *r)
{
    report_templates built_in, t;
    unsigned line = 99;
    report_templates_default(&built_in);
    fault f = report_templates_read(r->file, &t, &line);
    assert_int_equal(line, r->line);
    if (r->problem && !strstr(f.text, r->problem))
        fail_msg("%s: %s", r->problem, f.text);
    assert_int_equal(f.kind, r->problem ? FAULT_REFUSED : FAULT_NONE);
    const report_template *of = &t.of[REPORT_OF_FAILURE], *old = &built_in.of[REPORT_OF_FAILURE];
    assert_true(str_equal(of->subject, r->subject ? str_c(r->subject) : old->subject));
    assert_true(str_equal(of->text, r->text ? str_c(r->text) : old->text));
    assert_true(str_equal(t.of[REPORT_OF_SUCCESS].text, built_in.of[REPORT_OF_SUCCESS].text));
    report_templates_free(&t);
}

static void each_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        row_check(&rows[i]);
}

/* What a set holds is always usable, whatever it was read from. */
static void truncated_files_leave_whole_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].file.n; n++) {
            report_templates t;
            unsigned line;
            report_templates_read(str_upto(rows[i].file, n), &t, &line);
            for (size_t k = 0; k < REPORT_KINDS; k++)
                assert_true(t.of[k].charset.n && t.of[k].from.n && t.of[k].subject.n &&
                            !str_has(t.of[k].subject, '\r'));
            report_templates_free(&t);
        }
}

static void a_file_that_is_too_large(void **state)
{
    static char bytes[REPORT_TEMPLATE_FILE_MAX + 1];
    report_templates t;
    unsigned line;
    (void)state;
    memset(bytes, '\n', sizeof bytes);
    assert_true(is_fault(report_templates_read((str){ bytes, sizeof bytes }, &t, &line)));
    report_templates_free(&t);
    assert_false(is_fault(report_templates_read((str){ bytes, sizeof bytes - 1 }, &t, &line)));
    report_templates_free(&t);
}

static bool find(void *context, str name, buf *out)
{
    (*(unsigned *)context)++;
    return str_equal(name, STR("five_5")) && buf_append(out, STR("<5>"));
}

static void names_are_filled_in(void **state)
{
    static const struct {
        str text, want, unknown;
    } texts[] = {
        { STR_ROW("a\nb\r\n"), STR_ROW("a\r\nb\r\n"), STR_NONE },
        { STR_ROW("$five_5 ${five_5}$(five_5)."), STR_ROW("<5> <5><5>."), STR_NONE },
        { STR_ROW("$$five_5 $$"), STR_ROW("$five_5 $"), STR_NONE },
        { STR_ROW("$ $\n${five_5 $(five_5} ${} $"), STR_ROW("$ $\r\n${five_5 $(five_5} ${} $"), STR_NONE },
        { STR_ROW("x$six.$seven"), STR_ROW("x."), STR_ROW("six") },
        { STR_ROW(""), STR_ROW(""), STR_NONE },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf out = buf_new(1000);
        str unknown;
        unsigned calls = 0;
        assert_true(report_text_append(&out, texts[i].text, find, &calls, &unknown));
        if (!str_equal(buf_str(&out), texts[i].want))
            fail_msg("%zu: %s", i, buf_c(&out));
        assert_true(str_equal(unknown, texts[i].unknown));
        buf_free(&out);
    }
}

static void a_text_that_does_not_fit(void **state)
{
    buf out = buf_new(3);
    str unknown;
    unsigned calls = 0;
    (void)state;
    assert_false(report_text_append(&out, STR("abcd"), find, &calls, &unknown));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_holds),           cmocka_unit_test(truncated_files_leave_whole_templates),
        cmocka_unit_test(a_file_that_is_too_large), cmocka_unit_test(names_are_filled_in),
        cmocka_unit_test(a_text_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
