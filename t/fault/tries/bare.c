/* The attempts without any wall, each in a child: what does not succeed here proves nothing there. Usage: bare PAGE */
#include "fault/tries/tries.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    page *p = argc == 2 ? page_open(AT_FDCWD, argv[1]) : NULL;

    if (p == NULL)
        return 64;
    while (!p->is_done) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            uint32_t n = p->next++;
            const attempt *a = attempt_at(n);
            if (a)
                row_try(p, &p->rows[n], a, 0);
            _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 1;
        if (WIFSIGNALED(status)) { /* by the CPU itself */
            p->rows[p->next - 1].outcome = KILLED;
            p->rows[p->next - 1].error = WTERMSIG(status);
        }
        p->count = p->next;
        p->is_done = attempt_at(p->next) == NULL;
    }
    return 0;
}
