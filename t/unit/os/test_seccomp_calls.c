/* The rows are names that libseccomp knows, and nothing denied to everyone stands in a family. */
#include "os/seccomp_calls.h"
#include "t/unit/os/os_test.h"
#include <seccomp.h>

static void every_name_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < seccomp_call_count; i++)
        if (seccomp_syscall_resolve_name(seccomp_calls[i].name) == __NR_SCMP_ERROR)
            fail_msg("%s", seccomp_calls[i].name);
    for (size_t i = 0; i < seccomp_soft_count; i++)
        if (seccomp_syscall_resolve_name(seccomp_soft[i].name) == __NR_SCMP_ERROR)
            fail_msg("%s", seccomp_soft[i].name);
    for (size_t i = 0; i < seccomp_denied_count; i++)
        if (seccomp_syscall_resolve_name(seccomp_denied[i]) == __NR_SCMP_ERROR)
            fail_msg("%s", seccomp_denied[i]);
}

static void what_is_denied_is_in_no_family(void **state)
{
    static const char *const paths[] = { "chmod",           "fchmodat",  "chown",       "lchown",     "fchownat",
                                         "setxattr",        "lsetxattr", "removexattr", "kill",       "tkill",
                                         "rt_sigqueueinfo", "mknod",     "mknodat",     "personality" };
    (void)state;
    for (size_t i = 0; i < seccomp_call_count; i++) {
        for (size_t j = 0; j < seccomp_denied_count; j++)
            assert_string_not_equal(seccomp_calls[i].name, seccomp_denied[j]);
        for (size_t j = 0; j < COUNT_OF(paths); j++)
            assert_string_not_equal(seccomp_calls[i].name, paths[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_name_is_known),
                                        cmocka_unit_test(what_is_denied_is_in_no_family) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
