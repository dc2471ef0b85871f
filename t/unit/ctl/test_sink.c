/* SOURCES: ctl/sendmail/drop.c ctl/sendmail/recipients.c ctl/sendmail/sink.c ctl/sendmail/submit.c  NEEDS: ctl_common */
/* Where a message goes when the suite is down, small or large; the limit on its size. */
#include "ctl/sendmail/sink.h"
#include "queue/file.h"
#include "t/unit/ctl/dropping.h"

static void deliver(size_t pieces, const char *piece, unsigned wanted)
{
    sink s = sink_new(&the_config);
    recipients to = { 0 };
    envelope e = { .reverse_path = STR("a@b.example") };
    wishes w = { 0 };
    uint64_t id = 7;
    fault f = NO_FAULT;
    assert_false(is_fault(recipient_add(&to, STR("u@l.example"), STR("l.example"))));
    for (size_t i = 0; i < pieces && !is_fault(f); i++)
        f = sink_write(&s, str_c(piece));
    if (!is_fault(f))
        f = sink_commit(&s, &e, &to, &w, &id);
    assert_int_equal(is_fault(f), wanted == 0);
    if (wanted) {
        assert_int_equal(id, 0);
    } else {
        assert_int_equal(f.kind, FAULT_REFUSED);
        assert_string_equal(f.status, "3.4");
    }
    sink_free(&s);
    recipients_free(&to);
    assert_int_equal(dropped(NULL, 0), wanted);
}

static void a_small_one_is_dropped(void **state)
{
    (void)state;
    deliver(1, "x\r\n", 1);
}

static void a_large_one_is_dropped_as_it_comes(void **state)
{
    static char piece[50001];
    char path[200];
    struct stat st;
    (void)state;
    memset(piece, 'x', sizeof piece - 1);
    deliver(40, piece, 1);
    dropped(path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 2000000);
}

static void one_that_is_too_large_leaves_nothing(void **state)
{
    static char piece[50001];
    (void)state;
    memset(piece, 'x', sizeof piece - 1);
    deliver(61, piece, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { DROP_TEST(a_small_one_is_dropped),
                                        DROP_TEST(a_large_one_is_dropped_as_it_comes),
                                        DROP_TEST(one_that_is_too_large_leaves_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
