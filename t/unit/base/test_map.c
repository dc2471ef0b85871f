/* The map against a plain array as its model; SipHash-1-3 against values of another implementation. */
#include "base/map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { KEYS = 3000, OPERATIONS = 100000 };

static uint64_t next_random(uint64_t *x) /* xorshift: the same run each time */
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static str key_of(size_t i, char room[16])
{
    return (str){ room, (size_t)snprintf(room, 16, "key %zu", i) };
}

static size_t entries_seen(const map *m, void **model)
{
    size_t cursor = 0, seen = 0;
    map_entry e;
    while (map_next(m, &cursor, &e)) {
        size_t i = (size_t)((void **)e.value - model);
        char room[16];
        assert_true(str_equal(e.key, key_of(i, room)));
        assert_ptr_equal(model[i], e.value);
        seen++;
    }
    return seen;
}

/* The keys in play grow and shrink, so that long runs build up and are closed again. */
static void behaves_like_its_model(void **state)
{
    static void *model[KEYS];
    map m = { 0 };
    size_t n = 0;
    uint64_t random = 88172645463325252;
    char room[16];
    (void)state;
    for (size_t step = 0; step < OPERATIONS; step++) {
        size_t in_play = step / (OPERATIONS / 10) % 2 ? KEYS / 20 : KEYS;
        size_t i = next_random(&random) % in_play;
        void *before = model[i];
        switch (next_random(&random) % 3) {
        case 0:
            model[i] = &model[i];
            assert_ptr_equal(map_put(&m, key_of(i, room), model[i]), before);
            n += before == NULL;
            break;
        case 1:
            model[i] = NULL;
            assert_ptr_equal(map_remove(&m, key_of(i, room)), before);
            n -= before != NULL;
            break;
        default: assert_ptr_equal(map_get(&m, key_of(i, room)), before);
        }
        assert_int_equal(m.n, n);
        if (step % 5000 == 0)
            assert_int_equal(entries_seen(&m, model), n);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, key_of(i, room)), model[i]);
    assert_int_equal(entries_seen(&m, model), n);
    map_free(&m);
}

static void an_empty_map_answers(void **state)
{
    map m = { 0 };
    size_t cursor = 0;
    map_entry e;
    (void)state;
    assert_null(map_get(&m, STR("a")));
    assert_null(map_remove(&m, STR("a")));
    assert_false(map_next(&m, &cursor, &e));
    map_free(&m);
    map_put(&m, STR("a"), &m);
    map_remove(&m, STR("a"));
    assert_null(map_get(&m, STR("a")));
    map_free(&m);
    assert_int_equal(m.capacity, 0);
}

static void keys_are_bytes_and_copied(void **state)
{
    map m = { 0 };
    char key[] = "a\0b";
    int x, y, z;
    (void)state;
    assert_null(map_put(&m, (str){ key, 3 }, &x));
    assert_null(map_put(&m, STR("a\0c"), &y));
    assert_null(map_put(&m, STR(""), &z));
    key[0] = 'x';
    assert_ptr_equal(map_get(&m, STR("a\0b")), &x);
    assert_ptr_equal(map_get(&m, STR("a\0c")), &y);
    assert_ptr_equal(map_get(&m, STR_NONE), &z);
    assert_null(map_get(&m, STR("a")));
    assert_ptr_equal(map_put(&m, STR("a\0b"), &z), &x);
    assert_int_equal(m.n, 3);
    map_free(&m);
}

static void each_map_has_its_own_seed(void **state)
{
    map a = { 0 }, b = { 0 };
    (void)state;
    map_put(&a, STR("x"), &a);
    map_put(&b, STR("x"), &b);
    assert_memory_not_equal(a.seed, b.seed, sizeof a.seed);
    map_free(&a);
    map_free(&b);
}

/* Values for the key of zeros. */
static void the_hash_is_siphash_1_3(void **state)
{
    static const uint64_t seed[2] = { 0, 0 };
    char bytes[64];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    assert_true(hash_bytes(seed, STR("a")) == 0x407448d2b89b1813);
    assert_true(hash_bytes(seed, STR("postrider")) == 0x1eab5f669cf56be7);
    assert_true(hash_bytes(seed, STR("12345678")) == 0x3489982430560a87);
    assert_true(hash_bytes(seed, (str){ bytes, 15 }) == 0xf30eb725bb91c9ea);
    assert_true(hash_bytes(seed, (str){ bytes, 64 }) == 0x75e05fd5bbc870c6);
    assert_true(hash_bytes(seed, STR_NONE) == hash_bytes(seed, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_its_model),    cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(keys_are_bytes_and_copied), cmocka_unit_test(each_map_has_its_own_seed),
        cmocka_unit_test(the_hash_is_siphash_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
