#include "temp_store.h"
#include "store/index.h"

static uint32_t box_id;

static fault create(MDB_txn *t, void *context)
{
    int result = index_create(t);
    if (result == 0)
        result = index_box_create(t, STR("a"), 0, &box_id);
    return env_fault(context, result, "write");
}

static fault fill(MDB_txn *t, void *context)
{
    box_writer w;
    assert_true(box_writer_open(&w, t, box_id));
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t uid = (i * 7) % 500 + 1; /* in no order: chunks come and go */
        record r = { .flags = uid % 2 ? MESSAGE_SEEN : 0, .state = uid % 5 ? 0 : RECORD_IN_NEW, .keywords = uid };
        box_writer_put(&w, uid, &r, true);
    }
    return env_fault(context, box_writer_finish(&w), "write");
}

static fault thin(MDB_txn *t, void *context)
{
    box_writer w;
    assert_true(box_writer_open(&w, t, box_id));
    for (uint32_t uid = 121; uid <= 400; uid++)
        box_writer_remove(&w, uid);
    box_writer_remove(&w, 9999);
    record r = *box_writer_get(&w, 1);
    r.flags = 0;
    box_writer_put(&w, 1, &r, true);
    box_writer_put(&w, 2, box_writer_get(&w, 2), false);
    assert_null(box_writer_get(&w, 200));
    box_writer_pending(&w, 1, 300);
    uid_set done = { 0 };
    uid_set_add(&done, 5, 10);
    box_writer_settled(&w, &done);
    uid_set_free(&done);
    return env_fault(context, box_writer_finish(&w), "write");
}

static void counters_log_and_chunks_agree(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd };
    MDB_txn *txn;
    box_state box;
    record r, chunk[CHUNK];
    uid_set changed = { 0 }, gone = { 0 }, pending = { 0 };
    (void)state;
    OK(env_write(&e, create, &e));
    OK(env_write(&e, fill, &e));
    OK(env_read(&e, &txn));
    assert_true(index_box_get(txn, box_id, &box, NULL));
    assert_int_equal(box.messages, 500);
    assert_int_equal(box.unseen, 250);
    assert_int_equal(box.in_new, 100);
    uint64_t filled = box.modseq;
    assert_true(index_record_get(txn, box_id, 333, &r));
    assert_int_equal(r.keywords, 333);
    assert_int_equal(r.modseq, filled);
    env_read_end(&e);

    OK(env_write(&e, thin, &e));
    OK(env_read(&e, &txn));
    assert_true(index_box_get(txn, box_id, &box, NULL));
    assert_int_equal(box.messages, 220);
    assert_int_equal(box.modseq, filled + 1);
    assert_int_equal(box.unseen, 111);
    assert_false(index_record_get(txn, box_id, 121, &r));
    uint32_t number;
    assert_true(index_chunk_next(txn, box_id, 2, &number, chunk));
    assert_int_equal(number, 3); /* the empty chunk is gone */
    uint64_t at = filled;
    assert_true(index_log_next(txn, box_id, &at, &changed, &gone));
    assert_int_equal(at, filled + 1);
    assert_int_equal(uid_set_count(&changed), 1);
    assert_true(uid_set_has(&changed, 1));
    assert_int_equal(uid_set_count(&gone), 280);
    assert_false(index_log_next(txn, box_id, &at, &changed, &gone));
    index_pending_get(txn, box_id, &pending);
    assert_int_equal(uid_set_count(&pending), 114); /* 1:300 without 5:10 and without what went */
    env_read_end(&e);
    uid_set_free(&changed);
    uid_set_free(&gone);
    uid_set_free(&pending);
    env_close(&e);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_log_and_chunks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
