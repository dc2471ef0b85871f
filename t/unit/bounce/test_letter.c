/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* Who gets which report: each kind, each class of notify_classes, with and without a sender. */
#include "t/unit/bounce/world.h"

typedef struct row {
    const char *classes;
    report_kind kind;
    bool has_sender;
    letter first, next;
    const char *copy_to; /* of the one that is a copy */
} row;

static const row rows[] = {
    { "resource, software", REPORT_OF_FAILURE, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
    { "resource, software", REPORT_OF_FAILURE, false, LETTER_NONE, LETTER_NONE, NULL },
    { "", REPORT_OF_SUCCESS, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
    { "bounce", REPORT_OF_FAILURE, true, LETTER_TO_SENDER, LETTER_TO_POSTMASTER, "postmaster" },
    { "BOUNCE", REPORT_OF_FAILURE, false, LETTER_TO_POSTMASTER, LETTER_NONE, "twice@origin.example" },
    { "delay", REPORT_OF_FAILURE, false, LETTER_NONE, LETTER_NONE, NULL },
    { "bounce", REPORT_OF_DELAY, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
    { "delay", REPORT_OF_DELAY, true, LETTER_TO_SENDER, LETTER_TO_POSTMASTER, "late@l.example" },
    { "delay", REPORT_OF_FAILURE, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
    { "2bounce", REPORT_OF_FAILURE, false, LETTER_TO_POSTMASTER, LETTER_NONE, "twice@origin.example" },
    { "2bounce", REPORT_OF_FAILURE, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
    { "bounce, 2bounce, delay", REPORT_OF_SUCCESS, true, LETTER_TO_SENDER, LETTER_NONE, NULL },
};

static void row_check(const row *r)
{
    report_recipient one = { .address = STR("u@l.example") };
    job j = { .bounce = &w->bounce, .kind = r->kind, .rows = &one, .row_count = 1, .begin = begin_of(STR_NONE) };
    w->generation.snapshot.base.notify_classes = str_c(r->classes);
    if (!r->has_sender)
        j.begin.reverse_path = STR_NONE;
    j.letter = letter_first(&j);
    assert_int_equal(j.letter, r->first);
    for (letter l = j.letter; l != LETTER_NONE; l = letter_next(&j)) {
        j.letter = l;
        if (l == LETTER_TO_SENDER) {
            assert_true(str_equal(letter_recipient(&j), STR("a@b.example")));
            assert_int_equal(letter_sender(&j).n, 0);
        } else {
            assert_true(str_equal(letter_recipient(&j), str_c(r->copy_to)));
            assert_true(str_equal(letter_sender(&j), STR("double-bounce@origin.example")));
        }
    }
    assert_int_equal(j.letter == LETTER_TO_POSTMASTER, r->copy_to != NULL);
    arena_free(&j.arena);
}

static void each_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        row_check(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(each_row_holds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
