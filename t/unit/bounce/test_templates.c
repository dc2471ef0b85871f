/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* The file of templates, there, broken and missing; and its names. */
#include "t/unit/bounce/world.h"

static char path[40];

static void load(const char *content)
{
    snprintf(path, sizeof path, "/tmp/templates-XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    w->generation.snapshot.base.bounce_template_file = str_c(path);
    report_templates_free(&w->bounce.templates);
    templates_load(&w->bounce);
    unlink(path);
}

static bool is_subject(const char *subject)
{
    return str_equal(w->bounce.templates.of[REPORT_OF_FAILURE].subject, str_c(subject));
}

static void they_are_read(void **state)
{
    (void)state;
    load("failure_template = <<E\nSubject: ours\n\ntext\nE\n");
    assert_true(is_subject("ours"));
}

static void a_mistake_leaves_the_built_in_ones(void **state)
{
    (void)state;
    load("failure_template = <<E\nSubject: ours\n\ntext\nE\nnonsense\n");
    assert_true(is_subject("Your mail could not be delivered"));
}

static void a_file_that_is_missing(void **state)
{
    (void)state;
    w->generation.snapshot.base.bounce_template_file = STR("/tmp/no/such/file");
    templates_load(&w->bounce);
    assert_true(is_subject("Your mail could not be delivered"));
}

static void names_stand_for_parameters(void **state)
{
    job j = { .bounce = &w->bounce };
    (void)state;
    assert_true(
        str_equal(template_text(&j, STR("$mail_name ${maximal_queue_lifetime_days} $no_such.\n")), STR("X 5 .\r\n")));
    arena_free(&j.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(they_are_read), TEST(a_mistake_leaves_the_built_in_ones),
                                        TEST(a_file_that_is_missing), TEST(names_stand_for_parameters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
