/* The proof finds what is left open: with a filter that allows everything, it names the way out. */
#include "os/proof.h"
#include "base/memory.h"
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

static filter open_filter(uint32_t action)
{
    filter f = { .counts = { 0, 1 } };
    f.programs[1] = memory_get(sizeof *f.programs[1]);
    *f.programs[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    return f;
}

/* Kills for two calls that the tries make one after the other, and allows everything else. */
static filter hole_behind_deaths(void)
{
    static const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresuid, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresgid, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    filter f = { .counts = { 0, COUNT_OF(code) } };
    f.programs[1] = memory_get(sizeof code);
    memcpy(f.programs[1], code, sizeof code);
    return f;
}

static const contract nothing = { .role = "smtpd", .calls = CALLS_LOOP };

static fault proof_under(filter f, const contract *c)
{
    identity id = { .root_fd = -1 };
    proof_context p = { .contract = c, .identity = &id, .filter = &f, .families = c->calls };
    proof_prepare(&p, NULL, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    fault found = proof_run(&p);
    filter_free(&f);
    return found;
}

static fault finds_what_is_open(void *context)
{
    (void)context;
    fault f = proof_under(open_filter(SECCOMP_RET_ALLOW), &nothing);
    NEED(f.kind == FAULT_BUG && strstr(f.text, "smtpd is not confined: it could "));
    return NO_FAULT;
}

static fault takes_death_as_refusal(void *context)
{
    (void)context;
    fault f = proof_under(open_filter(SECCOMP_RET_KILL_PROCESS), &nothing);
    NEED(f.kind == FAULT_NONE); /* each try dies: all are refused */
    return NO_FAULT;
}

static fault finds_what_is_open_behind_deaths(void *context)
{
    (void)context;
    fault f = proof_under(hole_behind_deaths(), &nothing);
    NEED(f.kind == FAULT_BUG && strstr(f.text, "it could open a file outside"));
    return NO_FAULT;
}

static void the_proof_can_fail(void **state)
{
    (void)state;
    assert_int_equal(run_apart(finds_what_is_open, NULL, false), 0);
    assert_int_equal(run_apart(finds_what_is_open, NULL, true), 0);
    assert_int_equal(run_apart(finds_what_is_open_behind_deaths, NULL, true), 0);
    assert_int_equal(run_apart(takes_death_as_refusal, NULL, false), 0);
}

static fault a_bad_filter(void *context)
{
    filter f = open_filter(SECCOMP_RET_ALLOW);
    identity id = { .root_fd = -1 };
    proof_context p = { .contract = &nothing, .identity = &id, .filter = &f, .families = CALLS_LOOP };
    (void)context;
    f.programs[1]->code = 0xffff;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    fault found = proof_run(&p);
    filter_free(&f);
    NEED(found.kind == FAULT_BUG && strstr(found.text, "cannot be loaded"));
    return NO_FAULT;
}

static void a_filter_that_does_not_load_is_no_proof(void **state)
{
    (void)state;
    assert_int_equal(run_apart(a_bad_filter, NULL, false), 0);
}

static void the_file_outside_is_under_no_rule(void **state)
{
    proof_context p = { 0 };
    landlock_rule rules[] = { { open("/etc", O_PATH), ACCESS_READ }, { open("/", O_PATH), ACCESS_READ } };
    (void)state;
    proof_prepare(&p, NULL, 0);
    assert_string_equal(p.outside, "/etc/passwd");
    proof_prepare(&p, rules, 1);
    assert_true(p.outside[0] && strncmp(p.outside, "/etc/", 5) != 0);
    proof_prepare(&p, rules, 2);
    assert_string_equal(p.outside, "");
    fd_close(&rules[0].fd);
    rules[0].fd = open("/etc/passwd", O_PATH);
    proof_prepare(&p, rules, 1);
    assert_string_not_equal(p.outside, "/etc/passwd");
    fd_close(&rules[0].fd);
    fd_close(&rules[1].fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proof_can_fail),
        cmocka_unit_test(a_filter_that_does_not_load_is_no_proof),
        cmocka_unit_test(the_file_outside_is_under_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
