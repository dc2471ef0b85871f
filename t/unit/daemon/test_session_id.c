/* SOURCES:  NEEDS: daemon */
#include "daemon/session_id.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* Ahead of the clock, which then does not matter: as if it had gone back. */
static const uint64_t ahead_us = UINT64_C(1) << 52;

static void a_process_repeats_none(void **state)
{
    session_ids ids = { .last_us = ahead_us };
    char first[SESSION_ID_SIZE], second[SESSION_ID_SIZE];
    (void)state;
    session_id_make(&ids, "", first);
    session_id_make(&ids, "", second);
    assert_string_not_equal(first, second);
    assert_true(strcmp(first, second) < 0);
}

static void processes_differ_at_the_same_time(void **state)
{
    session_ids one = { .last_us = ahead_us, .process = 4194303 }, other = { .last_us = ahead_us, .process = 4194304 };
    char first[SESSION_ID_SIZE], second[SESSION_ID_SIZE];
    (void)state;
    session_id_make(&one, "L", first);
    session_id_make(&other, "L", second);
    assert_string_equal(first, "L10000000000001-3FFFFF");
    assert_string_equal(second, "L10000000000001-400000");
}

static void a_zeroed_one_is_of_this_process(void **state)
{
    session_ids ids = { 0 };
    char id[SESSION_ID_SIZE], ending[16];
    (void)state;
    session_id_make(&ids, "", id);
    snprintf(ending, sizeof ending, "-%X", (unsigned)getpid());
    assert_string_equal(strchr(id, '-'), ending);
    assert_true(ids.last_us > UINT64_C(1700000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_repeats_none),
        cmocka_unit_test(processes_differ_at_the_same_time),
        cmocka_unit_test(a_zeroed_one_is_of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
