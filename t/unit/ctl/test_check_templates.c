/* SOURCES: ctl/check_templates.c  NEEDS: conf db mail policy_engine */
/* What `postrider check` says of a file of templates. */
#include "ctl/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char path[40];

/* The words of check, with FILE for the file's name. */
static void said(const char *content, const char *want)
{
    arena a = arena_new(0);
    config c = { .bounce_template_file = str_c(path) };
    problems ps = { .arena = &a };
    checking of = { .config = &c, .problems = &ps };
    if (content) {
        int fd = mkstemp(path);
        assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
        close(fd);
    }
    check_templates(&of);
    unlink(path);
    const char *words = problems_text(&ps, &a).p;
    if (*want ? !strstr(words, want) : *words)
        fail_msg("said: %s", words);
    vec_free(&ps.rows);
    arena_free(&a);
}

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/check-templates-XXXXXX");
    return 0;
}

static void a_right_one(void **state)
{
    (void)state;
    said("failure_template = <<E\nSubject: $mail_name\n\n$myhostname $maximal_queue_lifetime_days\nE\n", "");
}

static void no_file_is_named(void **state)
{
    (void)state;
    path[0] = '\0';
    said(NULL, "");
}

static void a_file_that_is_missing(void **state)
{
    (void)state;
    said(NULL, ": error: ");
}

static void a_mistake_has_its_line(void **state)
{
    (void)state;
    said("\nfailure_template = <<E\nTo: x\n\nx\nE\n", ":3: error: no such field of a template: \"To\"\n");
}

static void names_that_are_no_parameters(void **state)
{
    said("failure_template = <<E\n\n$no_such\nE\n", ": warning: $no_such is not a parameter, and stands for nothing\n");
    setup(state);
    said("delay_template = <<E\nFrom: a$b\n\nx\nE\n", ": warning: $b is not a parameter");
    setup(state);
    said("success_template = <<E\nSubject: ${c}\n\nx\nE\n", ": warning: $c is not a parameter");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(a_right_one), TEST(no_file_is_named), TEST(a_file_that_is_missing),
                                        TEST(a_mistake_has_its_line), TEST(names_that_are_no_parameters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
