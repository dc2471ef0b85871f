/* Runs a piece of a test in a child of its own, since walls cannot be taken down again. The child says by its fault
 * what was wrong. */
#pragma once
#include "base/fault.h"
#include "base/log.h"
#include "os/seccomp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { TEST_UID = 61001, TEST_GID = 61002 };

typedef fault piece(void *context);

/* The wait status; the text of a fault is shown. `is_plain`: as an ordinary user, if this is root. */
static inline int run_apart(piece *run, void *context, bool is_plain)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (is_plain && geteuid() == 0 &&
            (syscall(SYS_setgroups, 0, NULL) || setresgid(TEST_GID, TEST_GID, TEST_GID) ||
             setresuid(TEST_UID, TEST_UID, TEST_UID)))
            _exit(99);
        fault f = run(context);
        if (is_fault(f))
            dprintf(2, "      %s\n", f.text);
        _exit(is_fault(f) ? 1 : 0);
    }
    while (waitpid(pid, &status, 0) < 0)
        continue;
    return status;
}

#define NEED(condition)                                                                                 \
    do {                                                                                                \
        if (!(condition))                                                                               \
            return fault_make(FAULT_BUG, "3.0", "line %d: %s (errno %d)", __LINE__, #condition, errno); \
    } while (0)

#define ROOT_ONLY()         \
    do {                    \
        if (geteuid() != 0) \
            skip();         \
    } while (0)
