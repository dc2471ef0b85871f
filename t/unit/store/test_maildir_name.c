#include "store/maildir_name.h"
#include "store/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    str name, base;
    uint64_t time_s;
    uint32_t flags, keywords, stored_bytes, wire_bytes;
} row;

static const row rows[] = {
    { STR_ROW("1276528487.M364837P9451.host,S=1355,W=1394:2,FS"), STR_ROW("1276528487.M364837P9451.host,S=1355,W=1394"),
      1276528487, MESSAGE_FLAGGED | MESSAGE_SEEN, 0, 1355, 1394 },
    { STR_ROW("1.2.h"), STR_ROW("1.2.h"), 1, 0, 0, SIZE_UNKNOWN, SIZE_UNKNOWN },
    { STR_ROW("1.2.h:2,"), STR_ROW("1.2.h"), 1, 0, 0, SIZE_UNKNOWN, SIZE_UNKNOWN },
    { STR_ROW("1.2.h:2,DFPRSTacz"), STR_ROW("1.2.h"), 1, MESSAGE_FLAGS_ALL, 1 | 4 | 1 << 25, SIZE_UNKNOWN,
      SIZE_UNKNOWN },
    { STR_ROW("1.2.h:1,S"), STR_ROW("1.2.h"), 1, 0, 0, SIZE_UNKNOWN, SIZE_UNKNOWN },
    { STR_ROW("x,S=4294967295,W=-1:2,S"), STR_ROW("x,S=4294967295,W=-1"), 0, MESSAGE_SEEN, 0, SIZE_UNKNOWN,
      SIZE_UNKNOWN },
    { STR_ROW("S=5,W=6"), STR_ROW("S=5,W=6"), 0, 0, 0, SIZE_UNKNOWN, 6 },
    { STR_ROW("99999999999999999999.x"), STR_ROW("99999999999999999999.x"), 0, 0, 0, SIZE_UNKNOWN, SIZE_UNKNOWN },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        maildir_name n;
        assert_true(maildir_name_read(rows[i].name, &n));
        assert_true(str_equal(n.base, rows[i].base));
        assert_int_equal(n.time_s, rows[i].time_s);
        assert_int_equal(n.flags, rows[i].flags);
        assert_int_equal(n.keywords, rows[i].keywords);
        assert_int_equal(n.stored_bytes, rows[i].stored_bytes);
        assert_int_equal(n.wire_bytes, rows[i].wire_bytes);
        for (size_t cut = 0; cut < rows[i].name.n; cut++) { /* on the heap, so that a read past the end is seen */
            char *copy = malloc(cut + 1);
            memcpy(copy, rows[i].name.p, cut);
            if (maildir_name_read((str){ copy, cut }, &n))
                assert_true(n.base.n <= cut);
            free(copy);
        }
    }
}

static void what_is_no_message_is_refused(void **state)
{
    char longest[300];
    maildir_name n;
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_false(maildir_name_read(STR(""), &n));
    assert_false(maildir_name_read(STR("."), &n));
    assert_false(maildir_name_read(STR(".hidden"), &n));
    assert_false(maildir_name_read(STR("a/b"), &n));
    assert_false(maildir_name_read(STR("a\0b"), &n));
    assert_false(maildir_name_read(STR(":2,S"), &n));
    assert_true(maildir_name_read((str){ longest, 255 }, &n));
    assert_false(maildir_name_read((str){ longest, 256 }, &n));
}

static void letters_without_a_meaning_are_kept(void **state)
{
    buf out = buf_new(100);
    (void)state;
    maildir_name_write(STR("1.2.h"), STR("SPb/SX"), MESSAGE_FLAGGED | MESSAGE_DELETED, 1 | 1 << 25, &out);
    assert_string_equal(buf_c(&out), "1.2.h:2,FPTXaz");
    maildir_name n;
    assert_true(maildir_name_read(buf_str(&out), &n));
    assert_int_equal(n.flags, MESSAGE_FLAGGED | MESSAGE_DELETED);
    assert_int_equal(n.keywords, 1 | 1 << 25);
    buf_free(&out);
}

static void a_new_name_is_ours_and_reads_back(void **state)
{
    buf out = buf_new(200);
    maildir_name n;
    (void)state;
    maildir_name_new(1700000000123456, 42, 7, 0xabcdef01, STR("a/b:c,d\\e\n"), &out);
    maildir_name_sizes(&out, 10, 12);
    assert_string_equal(buf_c(&out), "1700000000.prM123456P42Q7Rabcdef01.a\\057b\\072c\\054d\\134e\\012,S=10,W=12");
    assert_true(maildir_name_read(buf_str(&out), &n));
    assert_true(n.is_ours);
    assert_int_equal(n.time_s, 1700000000);
    assert_int_equal(n.stored_bytes, 10);
    assert_int_equal(n.wire_bytes, 12);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(letters_without_a_meaning_are_kept),
        cmocka_unit_test(a_new_name_is_ours_and_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
