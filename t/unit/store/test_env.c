#include "temp_store.h"
#include "store/env.h"

typedef struct job {
    env *e;
    unsigned runs, rows, first;
    size_t bytes;
} job;

static fault rows_write(MDB_txn *t, void *context)
{
    job *j = context;
    char *bytes = calloc(1, j->bytes);
    int result = 0;
    j->runs++;
    for (unsigned i = 0; i < j->rows && result == 0; i++) {
        unsigned number = j->first + i;
        MDB_val k = { sizeof number, &number }, v = { j->bytes, bytes };
        result = mdb_put(t, ENV_TABLE, &k, &v, 0);
    }
    free(bytes);
    return env_fault(j->e, result, "write");
}

static size_t rows_count(env *e)
{
    MDB_txn *t;
    MDB_stat st;
    OK(env_read(e, &t));
    assert_int_equal(mdb_stat(t, ENV_TABLE, &st), 0);
    env_read_end(e);
    return st.ms_entries;
}

static void the_map_grows(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd, .flags = MDB_NOMETASYNC };
    job j = { .e = &e, .rows = 40, .bytes = 1 << 20 };
    (void)state;
    OK(env_write(&e, rows_write, &j));
    assert_true(j.runs > 1);
    assert_int_equal(rows_count(&e), 40);
    OK(env_sync(&e));
    env_close(&e);
    assert_int_equal(rows_count(&e), 40); /* opens by itself, with a map as large as the file needs */
    env_close(&e);
    temp_close(&t);
}

static void a_map_that_another_process_grew_is_followed(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd, .flags = MDB_NOMETASYNC };
    int go[2], done[2], status;
    char c;
    (void)state;
    store_close(t.s);
    t.s = NULL;
    assert_int_equal(pipe(go) | pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]); /* so that it ends with the test, whatever happens */
        (void)!read(go[0], &c, 1);
        job j = { .e = &e, .rows = 40, .first = 100, .bytes = 1 << 20 };
        fault f = env_write(&e, rows_write, &j);
        (void)!write(done[1], "d", 1);
        _exit(is_fault(f));
    }
    job j = { .e = &e, .rows = 1, .bytes = 10 };
    OK(env_write(&e, rows_write, &j));
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_int_equal(read(done[0], &c, 1), 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(rows_count(&e), 41);
    j.first = 7;
    OK(env_write(&e, rows_write, &j));
    assert_int_equal(rows_count(&e), 42);
    env_close(&e);
    temp_close(&t);
}

static fault refuse(MDB_txn *t, void *context)
{
    job *j = context;
    fault f = rows_write(t, context);
    (void)j;
    return is_fault(f) ? f : fault_make(FAULT_REFUSED, "2.0", "no");
}

static void a_fault_aborts(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd };
    job j = { .e = &e, .rows = 3, .bytes = 10 };
    MDB_txn *txn;
    (void)state;
    REFUSED(env_write(&e, refuse, &j));
    assert_int_equal(rows_count(&e), 0);
    OK(env_read(&e, &txn));
    assert_int_equal(env_write(&e, rows_write, &j).kind, FAULT_BUG); /* a write within a read */
    env_read_end(&e);
    OK(env_write(&e, rows_write, &j));
    assert_int_equal(rows_count(&e), 3);
    env_close(&e);
    temp_close(&t);
}

static void what_is_no_environment_is_damaged_and_set_aside(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd };
    char junk[9000];
    (void)state;
    memset(junk, 'j', sizeof junk - 1);
    junk[sizeof junk - 1] = 0;
    temp_write(&t, "e", junk);
    assert_true(is_fault(env_open(&e)));
    assert_true(e.is_damaged);
    env_set_aside(&e);
    assert_false(e.is_damaged);
    assert_int_equal(faccessat(t.dirfd, "e.damaged", F_OK, 0), 0);
    assert_int_equal(rows_count(&e), 0);
    env_close(&e);
    temp_close(&t);
}

static void a_dead_readers_slot_is_taken_back(void **state)
{
    temp t = temp_open();
    env e = { .file = "e", .dirfd = t.dirfd };
    (void)state;
    store_close(t.s);
    t.s = NULL;
    for (unsigned i = 0; i < 40; i++) { /* more than there are slots */
        int status;
        pid_t child = fork();
        if (child == 0) {
            MDB_txn *txn;
            _exit(is_fault(env_read(&e, &txn))); /* dies in the middle of a read */
        }
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(rows_count(&e), 0);
    env_close(&e);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_grows),
        cmocka_unit_test(a_map_that_another_process_grew_is_followed),
        cmocka_unit_test(a_fault_aborts),
        cmocka_unit_test(what_is_no_environment_is_damaged_and_set_aside),
        cmocka_unit_test(a_dead_readers_slot_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
