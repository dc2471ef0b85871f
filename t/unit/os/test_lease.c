/* Whether a file is open elsewhere: as a descriptor, a copy that another process has, a mapping, a descriptor on its way. */
#include "os/lease.h"
#include "t/unit/os/os_test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/test-lease-XXXXXX";
static int own;

static int setup(void **state)
{
    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    own = mkstemp(path);
    assert_true(own >= 0);
    assert_int_equal(write(own, "x", 1), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(own);
    unlink(path);
    return 0;
}

static void nobody_else_has_it(void **state)
{
    (void)state;
    assert_true(lease_is_alone(own));
    assert_true(lease_is_alone(own)); /* the first question left nothing behind */
}

static void a_reader_is_seen_until_it_closes(void **state)
{
    (void)state;
    int other = open(path, O_RDONLY | O_CLOEXEC);
    assert_false(lease_is_alone(own));
    close(other);
    assert_true(lease_is_alone(own));
}

static void a_writer_is_seen_by_both(void **state)
{
    (void)state;
    int other = open(path, O_WRONLY | O_CLOEXEC), reader = open(path, O_RDONLY | O_CLOEXEC);
    assert_false(lease_is_alone(own));
    assert_true(lease_is_written(reader));
    close(other);
    close(own);
    assert_false(lease_is_written(reader));
    own = open(path, O_RDWR | O_CLOEXEC);
    assert_true(lease_is_written(reader));
    close(reader);
}

static void a_mapping_is_seen(void **state)
{
    (void)state;
    int other = open(path, O_RDONLY | O_CLOEXEC);
    void *map = mmap(NULL, 1, PROT_READ, MAP_SHARED, other, 0);
    close(other);
    assert_false(lease_is_alone(own));
    munmap(map, 1);
    assert_true(lease_is_alone(own));
}

static void a_descriptor_on_its_way_is_seen(void **state)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
    struct iovec bytes = { &byte, 1 };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    int pair[2], other = open(path, O_RDONLY | O_CLOEXEC);
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(c), &other, sizeof other);
    assert_int_equal(sendmsg(pair[0], &m, 0), 1);
    close(other);
    assert_false(lease_is_alone(own));
    close(pair[0]);
    close(pair[1]);
    assert_true(lease_is_alone(own));
}

static void another_process_is_seen(void **state)
{
    int other = open(path, O_RDONLY), hold[2];
    (void)state;
    assert_int_equal(pipe(hold), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(hold[1]);
        (void)!read(hold[0], &byte, 1);
        _exit(0);
    }
    close(other);
    close(hold[0]);
    assert_false(lease_is_alone(own));
    close(hold[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(lease_is_alone(own));
}

static void what_cannot_be_told_is_no(void **state)
{
    (void)state;
    assert_false(lease_is_alone(-1));
    assert_false(lease_is_written(-1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_else_has_it),
        TEST(a_reader_is_seen_until_it_closes),
        TEST(a_writer_is_seen_by_both),
        TEST(a_mapping_is_seen),
        TEST(a_descriptor_on_its_way_is_seen),
        TEST(another_process_is_seen),
        TEST(what_cannot_be_told_is_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
