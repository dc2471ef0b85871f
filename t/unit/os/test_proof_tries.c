/* Each try does succeed where nothing forbids it; otherwise its failure would prove nothing. */
#include "os/proof_tries.h"
#include "os/caps.h"
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

static const proof_try *try_named(const char *name)
{
    for (size_t i = 0; i < proof_try_count; i++)
        if (strcmp(proof_tries[i].name, name) == 0)
            return &proof_tries[i];
    return NULL;
}

static fault succeeds(void *context)
{
    proof_context p = { .outside = "/etc/passwd" };
    const proof_try *t = try_named(context);
    NEED(t != NULL && t->succeeds(&p));
    return NO_FAULT;
}

/* uid and gid not 0, SETUID, SETGID and SYS_CHROOT kept: a spawner without its filter. */
static fault succeeds_for_a_spawner(void *context)
{
    uint64_t caps = caps_from_contract(CAPS_SPAWNER);
    NEED(caps_lock_securebits());
    NEED(setresgid(TEST_GID, TEST_GID, TEST_GID) == 0 && setresuid(TEST_UID, TEST_UID, TEST_UID) == 0);
    NEED(caps_set(caps));
    NEED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    return succeeds(context);
}

static fault succeeds_from_a_chroot(void *context)
{
    char folder[] = "/tmp/os-chroot-XXXXXX";
    int left_open = open("/", O_PATH | O_DIRECTORY); /* "a folder descriptor left open escapes the chroot" */
    NEED(left_open >= 0 && mkdtemp(folder) && chdir(folder) == 0 && rmdir(folder) == 0 && chroot(".") == 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0);
    return succeeds(context);
}

static void tries_succeed_unconfined(void **state)
{
    static const char *const names[] = { "be dumped or traced",
                                         "open a file outside",
                                         "open a socket",
                                         "open a datagram socket",
                                         "connect",
                                         "connect by MSG_FASTOPEN",
                                         "exec",
                                         "fork",
                                         "signal another process",
                                         "signal a thread of another process",
                                         "run memory that it wrote",
                                         "map memory to write and run",
                                         "type on a terminal" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (int is_plain = 0; is_plain < 2; is_plain++) {
            bool signals = strncmp(names[i], "signal", 6) == 0 || strncmp(names[i], "be ", 3) == 0;
            if (is_plain && signals && geteuid() == 0)
                continue; /* the parent is root's; ids that changed are not dumpable */
            if (run_apart(succeeds, (void *)(uintptr_t)names[i], is_plain) != 0)
                fail_msg("%s (plain: %d)", names[i], is_plain);
        }
}

static void tricks_of_a_spawner_succeed_without_its_filter(void **state)
{
    static const char *const names[] = { "regain uid 0",
                                         "regain uid 0 by a truncated argument",
                                         "leave an id as it is",
                                         "regain gid 0",
                                         "regain uid 0 by setuid",
                                         "regain uid 0 by setreuid",
                                         "reach root's files by setfsuid",
                                         "join a group",
                                         "make a user namespace",
                                         "change its root" };
    (void)state;
    ROOT_ONLY();
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (run_apart(succeeds_for_a_spawner, (void *)(uintptr_t)names[i], false) != 0)
            fail_msg("%s", names[i]);
}

static void a_folder_left_open_leads_out_of_a_chroot(void **state)
{
    (void)state;
    ROOT_ONLY();
    assert_int_equal(
        run_apart(succeeds_from_a_chroot, (void *)(uintptr_t) "climb out of its root by a descriptor", false), 0);
}

static fault sibling_traced(void *context)
{
    (void)context;
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as after exec of a readable file; become() sets 0 */
    pid_t sibling = fork();
    if (sibling == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        pause();
        _exit(0);
    }
    long traced = ptrace(PTRACE_SEIZE, sibling, 0, 0);
    kill(sibling, SIGKILL);
    while (waitpid(sibling, NULL, 0) < 0 && errno == EINTR)
        continue;
    NEED(traced == 0);
    return NO_FAULT;
}

static void a_sibling_can_be_traced_unconfined(void **state)
{
    (void)state;
    assert_int_equal(run_apart(sibling_traced, NULL, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_succeed_unconfined),
        cmocka_unit_test(tricks_of_a_spawner_succeed_without_its_filter),
        cmocka_unit_test(a_folder_left_open_leads_out_of_a_chroot),
        cmocka_unit_test(a_sibling_can_be_traced_unconfined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
