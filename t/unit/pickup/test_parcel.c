/* SOURCES: pickup/parcel.c  NEEDS: daemon queue */
#include "pickup/pickup.h"
#include "base/checksum.h"
#include "base/clock.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define NAME "0123456789abcdef0123456789abcdef"

typedef struct world {
    char path[64];
    process process;
    generation generation;
    pickup pickup;
    parcel parcel;
} world;

static int world_open(void **state)
{
    world *w = calloc(1, sizeof *w);
    snprintf(w->path, sizeof w->path, "/tmp/test_parcel.XXXXXX");
    if (mkdtemp(w->path) == NULL)
        return -1;
    log_open(open("/dev/null", O_WRONLY), LOG_FORMAT_TEXT, "test", false);
    w->generation.snapshot.base.message_size_limit = 1000;
    w->process.current = &w->generation;
    w->pickup = (pickup){ .process = &w->process, .drop_fd = open(w->path, O_RDONLY | O_DIRECTORY) };
    *state = w;
    return 0;
}

static int world_close(void **state)
{
    world *w = *state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", w->path);
    map_free(&w->pickup.strange);
    close(w->pickup.drop_fd);
    int done = system(command);
    free(w);
    return done;
}

/* As sendmail leaves it. */
static void leave(const world *w, const char *name, const char *content, unsigned recipients)
{
    int fd = openat(w->pickup.drop_fd, name, O_RDWR | O_CREAT | O_TRUNC, 0640);
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    envelope e = { .reverse_path = STR("me@here.test"), .protocol = STR("local") };
    envelope_recipient r = { .address = STR("you@here.test"), .original = STR("you@here.test") };
    assert_true(queue_records_envelope(&records, &e));
    for (unsigned i = 0; i < recipients; i++)
        assert_true(queue_records_recipient(&records, &r));
    assert_int_equal(pwrite(fd, content, strlen(content), QUEUE_CONTENT_START), strlen(content));
    queue_finish_args args = { .arrived_us = clock_us(),
                               .content_bytes = strlen(content),
                               .content_checksum = checksum(0, str_c(content)),
                               .recipient_count = recipients,
                               .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &args)));
    buf_free(&records);
    close(fd);
}

static bool is_there(const world *w, const char *name)
{
    struct stat st;
    return fstatat(w->pickup.drop_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool try_it(world *w)
{
    bool is_open = parcel_open(&w->pickup, NAME, &w->parcel);
    if (is_open)
        parcel_close(&w->parcel);
    return is_open;
}

static void test_names(void **state)
{
    (void)state;
    assert_true(drop_name_is_valid(NAME));
    assert_false(drop_name_is_valid(NAME "0"));
    assert_false(drop_name_is_valid(NAME ".refused"));
    assert_false(drop_name_is_valid(""));
    assert_false(drop_name_is_valid("0123456789ABCDEF0123456789abcdef"));
    assert_false(drop_name_is_valid("../456789abcdef0123456789abcdef0"));
}

static void test_a_message_is_read(void **state)
{
    world *w = *state;
    leave(w, NAME, "Subject: x\r\n\r\nbody\r\n", 2);
    assert_true(parcel_open(&w->pickup, NAME, &w->parcel));
    assert_string_equal(w->parcel.name, NAME);
    assert_int_equal(w->parcel.uid, getuid());
    assert_int_equal(w->parcel.message.head.recipient_count, 2);
    assert_true(str_equal(w->parcel.message.recipients[1].address, STR("you@here.test")));
    parcel_close(&w->parcel);
    assert_true(is_there(w, NAME));
}

/* Somebody may still write it; after a day nobody does. */
static void test_an_unfinished_one_waits_a_day(void **state)
{
    world *w = *state;
    leave(w, NAME, "x\r\n", 1);
    int fd = openat(w->pickup.drop_fd, NAME, O_RDWR);
    assert_int_equal(ftruncate(fd, 4200), 0);
    assert_false(try_it(w));
    assert_true(is_there(w, NAME));
    struct timespec old[2] = { { (time_t)clock_s() - DROP_UNFINISHED_S - 1, 0 },
                               { (time_t)clock_s() - DROP_UNFINISHED_S - 1, 0 } };
    assert_int_equal(futimens(fd, old), 0);
    assert_false(try_it(w));
    assert_false(is_there(w, NAME));
    close(fd);
}

static void test_every_damaged_octet_is_noticed(void **state)
{
    world *w = *state;
    struct stat st;
    leave(w, NAME, "Subject: x\r\n\r\nbody\r\n", 1);
    assert_int_equal(fstatat(w->pickup.drop_fd, NAME, &st, 0), 0);
    for (off_t at = QUEUE_CONTENT_START; at < st.st_size; at++) {
        unsigned char octet;
        leave(w, NAME, "Subject: x\r\n\r\nbody\r\n", 1);
        int fd = openat(w->pickup.drop_fd, NAME, O_RDWR);
        assert_int_equal(pread(fd, &octet, 1, at), 1);
        octet ^= 0x10;
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        close(fd);
        bool is_slot = at >= st.st_size - (off_t)(sizeof(queue_slot) + sizeof(queue_end)) &&
                       at < st.st_size - (off_t)sizeof(queue_end); /* states of recipients are not brought */
        assert_int_equal(try_it(w), is_slot);
    }
}

static void test_what_is_no_message_is_set_aside(void **state)
{
    world *w = *state;
    leave(w, NAME, "x\r\n", 0);
    assert_false(try_it(w));
    assert_true(is_there(w, NAME ".refused") && !is_there(w, NAME));
    leave(w, "other", "x\r\n", 1);
    assert_int_equal(linkat(w->pickup.drop_fd, "other", w->pickup.drop_fd, NAME, 0), 0);
    assert_false(try_it(w));
    assert_true(is_there(w, "other") && !is_there(w, NAME));
    assert_int_equal(symlinkat("/etc/passwd", w->pickup.drop_fd, NAME), 0);
    assert_false(try_it(w));
    assert_false(is_there(w, NAME));
    assert_int_equal(mkfifoat(w->pickup.drop_fd, NAME, 0666), 0);
    assert_false(try_it(w));
    assert_false(is_there(w, NAME));
    assert_int_equal(w->pickup.refused, 4);
}

static void test_a_name_that_stays_is_noted_once(void **state)
{
    world *w = *state;
    char name[16];
    assert_false(parcel_is_strange(&w->pickup, "x"));
    assert_true(parcel_is_strange(&w->pickup, "x"));
    for (int i = 0; i < 2 * STRANGE_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(parcel_is_strange(&w->pickup, name), i >= STRANGE_MAX - 1);
    }
    assert_int_equal(w->pickup.strange.n, STRANGE_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        TEST(test_a_message_is_read),
        TEST(test_an_unfinished_one_waits_a_day),
        TEST(test_every_damaged_octet_is_noticed),
        TEST(test_what_is_no_message_is_set_aside),
        TEST(test_a_name_that_stays_is_noted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
