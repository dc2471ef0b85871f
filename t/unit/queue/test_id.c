/* Ids and their text: there and back, in either case, in order, and nothing else is an id. */
#include "queue/id.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint64_t largest = UINT64_C(25408476896404830); /* 31^11 - 1 */

static void ids_come_back(void **state)
{
    const uint64_t ids[] = { 1, 30, 31, 961, 1790000000000000, 0x1122334455667, largest };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        queue_name name = queue_id_text(ids[i]);
        uint64_t got = 0;
        assert_int_equal(strlen(name.text), QUEUE_ID_CHARS);
        assert_true(queue_id_read(str_c(name.text), &got));
        assert_int_equal(got, ids[i]);
        for (size_t k = 0; k < QUEUE_ID_CHARS; k++)
            name.text[k] = (char)tolower(name.text[k]);
        got = 0;
        assert_true(queue_id_read(str_c(name.text), &got));
        assert_int_equal(got, ids[i]);
    }
}

static void texts_sort_as_ids_do(void **state)
{
    (void)state;
    for (uint64_t id = 1; id < largest / 3; id = id * 3 + 1)
        assert_true(strcmp(queue_id_text(id).text, queue_id_text(id + 1).text) < 0);
}

static void other_lengths_are_no_id(void **state)
{
    const char digits[] = "0123456789BCDF";
    uint64_t got = 7;
    (void)state;
    for (size_t n = 0; n < sizeof digits; n++)
        assert_int_equal(queue_id_read((str){ digits, n }, &got), n == QUEUE_ID_CHARS);
}

static void other_characters_are_no_id(void **state)
{
    uint64_t got;
    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < QUEUE_ID_CHARS; at++) {
            char text[] = "1234567890B";
            text[at] = (char)c;
            bool is_digit = c && strchr("0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz", (int)c);
            assert_int_equal(queue_id_read((str){ text, QUEUE_ID_CHARS }, &got), is_digit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(texts_sort_as_ids_do),
        cmocka_unit_test(other_lengths_are_no_id),
        cmocka_unit_test(other_characters_are_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
