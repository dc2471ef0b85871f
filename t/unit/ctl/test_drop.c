/* SOURCES: ctl/sendmail/drop.c ctl/sendmail/recipients.c ctl/sendmail/sink.c ctl/sendmail/submit.c  NEEDS: ctl_common */
/* A message in the drop folder: whole and named, or nothing. */
#include "ctl/sendmail/drop.h"
#include "queue/file.h"
#include "t/unit/ctl/dropping.h"

static void a_whole_one_has_a_name(void **state)
{
    drop d;
    arena a = arena_new(0);
    queue_message m;
    char path[200];
    recipients to = { 0 };
    envelope e = { .reverse_path = STR("a@b.example") };
    (void)state;
    assert_false(is_fault(recipient_add(&to, STR("u@l.example"), STR("l.example"))));
    assert_false(is_fault(drop_open(&d, &the_config)));
    assert_int_equal(dropped(NULL, 0), 0); /* nobody sees what is not whole */
    assert_int_equal(write(d.fd, "x\r\n", 3), 3);
    assert_false(is_fault(drop_finish(&d, &e, &to, 0, 3, checksum(0, STR("x\r\n")))));
    assert_int_equal(dropped(path, sizeof path), 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_false(is_fault(queue_read(fd, &a, &m)));
    assert_false(is_fault(queue_content_check(fd, &m.head)));
    assert_true(str_equal(m.recipients[0].address, STR("u@l.example")));
    close(fd);
    arena_free(&a);
    recipients_free(&to);
}

static void what_is_given_up_leaves_nothing(void **state)
{
    drop d;
    (void)state;
    assert_false(is_fault(drop_open(&d, &the_config)));
    drop_close(&d);
    assert_int_equal(d.fd, -1);
    assert_int_equal(dropped(NULL, 0), 0);
}

static void without_a_folder_it_says_so(void **state)
{
    config nowhere = { .queue_directory = STR("/no/such/folder") };
    drop d;
    (void)state;
    fault f = drop_open(&d, &nowhere);
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    assert_non_null(strstr(f.text, "no drop folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { DROP_TEST(a_whole_one_has_a_name), DROP_TEST(what_is_given_up_leaves_nothing),
                                        DROP_TEST(without_a_folder_it_says_so) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
