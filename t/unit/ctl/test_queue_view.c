/* SOURCES:  NEEDS: ctl_common */
/* The queue of a stopped suite, read from its folders. */
#include "t/unit/ctl/queue.h"
#include "ctl/common/queue_view.h"
#include <fcntl.h>
#include <unistd.h>

static unsigned seen;

static void on_entry(void *context, const queue_entry *e)
{
    (void)context;
    seen++;
    assert_false(is_fault(e->fault));
    assert_int_equal(e->file.head.recipient_count, 1);
    assert_true(str_equal(e->file.recipients[0].address, STR("u@l.example")));
    assert_int_equal(e->place, e->id == 1000 ? QUEUE_ACTIVE : QUEUE_HOLD);
}

/* A file without its end mark: it was being received when the suite stopped. */
static void unfinished_make(void)
{
    char path[200];
    snprintf(path, sizeof path, "%s/spool/queue/active/%s", folder, queue_id_text(1002).text);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 9000) == 0);
    close(fd);
}

static void what_was_acknowledged_is_seen(void **state)
{
    const uint64_t ids[] = { 1001, 1002, 7, 1000 };
    parsed p;
    queue_view v;
    queue_rows rows;
    size_t count;
    (void)state;
    unfinished_make();
    assert_true(config_open(folder, false, &p));
    assert_false(is_fault(queue_view_open(&v, &p.base.config, VIEW_LOOK)));
    assert_false(queue_view_is_running(&v));
    assert_false(is_fault(queue_view_rows(&v, &rows)));
    assert_int_equal(rows.n, 2);
    assert_int_equal(rows.p[0].id, 1000);
    assert_int_equal(rows.p[1].place, QUEUE_HOLD);
    seen = 0;
    assert_false(is_fault(queue_view_files(&v, ids, COUNT_OF(ids), on_entry, NULL, &count)));
    assert_int_equal(count, 2);
    assert_int_equal(seen, 2);
    vec_free(&rows);
    queue_view_close(&v);
    parsed_free(&p);
}

static void places_have_names(void **state)
{
    queue_place p;
    (void)state;
    assert_true(queue_place_read(STR("hold"), &p));
    assert_int_equal(p, QUEUE_HOLD);
    assert_false(queue_place_read(STR("held"), &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(what_was_acknowledged_is_seen, setup, teardown),
                                        cmocka_unit_test(places_have_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
