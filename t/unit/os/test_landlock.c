/* Only what a rule names can be reached; a rule names no more than its access. */
#include "os/landlock.h"
#include "os/fd.h"
#include "os/file.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char folder[] = "/tmp/os-landlock-XXXXXX";

static fault confine(unsigned access, bool leaves_scope)
{
    landlock_rule rule = { open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), access };
    landlock_walls w = { .rules = &rule, .rule_count = 1, .leaves_scope = leaves_scope };
    int abi;
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    fault f = landlock_confine(&w, &abi);
    NEED(is_fault(f) || abi == landlock_abi());
    return f;
}

static fault mail_folder(void *context)
{
    fault f = confine(ACCESS_READ | ACCESS_WRITE, false);
    (void)context;
    if (is_fault(f))
        return f;
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    NEED(dir >= 0 && mkdirat(dir, "tmp", 0700) == 0 && mkdirat(dir, "new", 0700) == 0);
    int file = openat(dir, "tmp/m", O_RDWR | O_CREAT, 0600);
    NEED(file >= 0 && ftruncate(file, 10) == 0);
    NEED(renameat(dir, "tmp/m", dir, "new/m") == 0 && linkat(dir, "new/m", dir, "tmp/m", 0) == 0);
    NEED(symlinkat("x", dir, "link") < 0 && errno == EACCES);
    NEED(mkfifoat(dir, "fifo", 0600) < 0 && errno == EACCES);
    NEED(unlinkat(dir, "tmp/m", 0) == 0 && unlinkat(dir, "new/m", 0) == 0);
    NEED(unlinkat(dir, "tmp", AT_REMOVEDIR) == 0 && unlinkat(dir, "new", AT_REMOVEDIR) == 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    NEED(open("/tmp", O_RDONLY | O_DIRECTORY) < 0);
    NEED(execve("/bin/true", (char *[]){ NULL }, NULL) < 0 && errno == EACCES);
    return NO_FAULT;
}

static fault read_only(void *context)
{
    (void)context;
    NEED(!is_fault(file_replace(AT_FDCWD, "table", STR("x"), (file_owner){ .mode = 0666 })));
    fault f = confine(ACCESS_READ, false);
    if (is_fault(f))
        return f;
    NEED(open("table", O_RDONLY) >= 0);
    NEED(open("table", O_RDWR) < 0 && truncate("table", 0) < 0 && unlink("table") < 0 && creat("y", 0600) < 0);
    return NO_FAULT;
}

static fault scope(void *context)
{
    struct sockaddr_un outside = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)context;
    snprintf(outside.sun_path + 1, sizeof outside.sun_path - 1, "postrider-test-%d", (int)getpid());
    NEED(bind(listener, (struct sockaddr *)&outside, sizeof outside) == 0 && listen(listener, 1) == 0);
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        fault f = confine(ACCESS_READ, false);
        bool signals = kill(getppid(), 0) == 0;
        bool connects = connect(client, (struct sockaddr *)&outside, sizeof outside) == 0;
        _exit(is_fault(f) || signals || connects);
    }
    NEED(waitpid(pid, &status, 0) == pid && (status == 0 || landlock_abi() < 6));
    return NO_FAULT;
}

static fault bad_rule(void *context)
{
    landlock_rule rule = { 999, ACCESS_READ };
    landlock_walls w = { .rules = &rule, .rule_count = 1 };
    int abi;
    (void)context;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    NEED(landlock_confine(&w, &abi).kind == FAULT_BUG && abi == 0);
    return NO_FAULT;
}

static void walls_hold(void **state)
{
    static piece *const pieces[] = { mail_folder, read_only, scope, bad_rule };
    (void)state;
    if (landlock_abi() < 3)
        skip();
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        assert_int_equal(run_apart(pieces[i], NULL, i % 2 == 0), 0);
}

static int make(void **state)
{
    (void)state;
    return !mkdtemp(folder) || chmod(folder, 0777) || chdir(folder);
}

static int unmake(void **state)
{
    (void)state;
    unlink("table");
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(walls_hold) };
    return cmocka_run_group_tests(tests, make, unmake);
}
