#include "temp_store.h"
#include "store/index.h"

typedef struct job {
    env e;
    int (*run)(MDB_txn *t);
} job;

static fault job_run(MDB_txn *t, void *context)
{
    job *j = context;
    return env_fault(&j->e, j->run(t), "write");
}

static void in_transaction(int (*run)(MDB_txn *t))
{
    temp t = temp_open();
    job j = { .e = { .file = "e", .dirfd = t.dirfd }, .run = run };
    OK(env_write(&j.e, job_run, &j));
    env_close(&j.e);
    temp_close(&t);
}

static int names(MDB_txn *t)
{
    char longer[1000];
    uint32_t a, b, c, found;
    box_state box;
    str name;

    memset(longer, 'n', sizeof longer);
    assert_int_equal(index_create(t), 0);
    assert_int_equal(index_box_create(t, STR("a"), 0, &a), 0);
    assert_int_equal(index_box_create(t, (str){ longer, 1000 }, 0, &b), 0);
    longer[999] = 'm'; /* differs behind what a key can hold */
    assert_false(index_box_find(t, (str){ longer, 1000 }, &found));
    assert_int_equal(index_box_create(t, (str){ longer, 1000 }, 77, &c), 0);
    assert_true(index_box_find(t, (str){ longer, 1000 }, &found));
    assert_int_equal(found, c);
    assert_true(index_box_get(t, c, &box, &name));
    assert_int_equal(box.uidvalidity, 77);
    assert_int_equal(name.n, 1000);
    assert_int_equal(index_box_rename(t, c, STR("c")), 0);
    assert_false(index_box_find(t, (str){ longer, 1000 }, &found));
    assert_true(index_box_find(t, STR("c"), &found));
    assert_int_equal(found, c);
    assert_int_equal(index_box_delete(t, c), 0);
    assert_false(index_box_find(t, STR("c"), &found));
    assert_false(index_box_get(t, c, &box, NULL));
    uint32_t again;
    assert_int_equal(index_box_create(t, STR("c"), 0, &again), 0);
    assert_true(again > c);
    return 0;
}

static void mailboxes_have_names_of_any_length(void **state)
{
    (void)state;
    in_transaction(names);
}

static int deletion(MDB_txn *t)
{
    uint32_t ids[3];
    box_writer w;
    record r = { .flags = 0 }, chunk[CHUNK];
    uint32_t number;
    str v;

    assert_int_equal(index_create(t), 0);
    for (uint32_t i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + (int)i), 0 };
        assert_int_equal(index_box_create(t, str_c(name), 0, &ids[i]), 0);
        assert_true(box_writer_open(&w, t, ids[i]));
        for (uint32_t uid = 1; uid <= 1000; uid++) {
            box_writer_put(&w, uid, &r, true);
            box_writer_name(&w, uid, STR("name"));
        }
        box_writer_pending(&w, 1, 1000);
        assert_int_equal(box_writer_finish(&w), 0);
        assert_int_equal(index_keywords_put(t, ids[i], STR("k\n")), 0);
    }
    assert_int_equal(index_box_delete(t, ids[1]), 0);
    assert_false(index_chunk_next(t, ids[1], 0, &number, chunk));
    assert_false(index_name_get(t, ids[1], 500, &v));
    assert_false(index_keywords_get(t, ids[1], &v));
    for (unsigned i = 0; i < 3; i += 2) {
        assert_true(index_chunk_next(t, ids[i], 0, &number, chunk));
        assert_true(index_name_get(t, ids[i], 1000, &v));
    }
    uint32_t id;
    assert_true(index_pending_next(t, 0, &id));
    assert_int_equal(id, ids[0]);
    assert_true(index_pending_next(t, id + 1, &id));
    assert_int_equal(id, ids[2]);
    assert_false(index_pending_next(t, id + 1, &id));
    return 0;
}

static void a_deleted_mailbox_leaves_no_rows_and_its_neighbours_stay(void **state)
{
    (void)state;
    in_transaction(deletion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_have_names_of_any_length),
        cmocka_unit_test(a_deleted_mailbox_leaves_no_rows_and_its_neighbours_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
