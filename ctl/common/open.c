#include "ctl/common/open.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *config_directory(const char *directory, arena *a)
{
    str s = str_c(directory);
    if (str_ends(s, STR("/main.cf")))
        s.n -= sizeof "main.cf" - 1;
    char *whole = realpath(arena_c(a, s), NULL);
    const char *out = arena_c(a, whole ? str_c(whole) : s);
    free(whole);
    return out;
}

bool config_open(const char *directory, bool says_problems, parsed *out)
{
    arena a = arena_new(0);
    bool is_right = config_load(config_directory(directory, &a), out);
    arena_free(&a);
    if (says_problems && out->problems.rows.n) {
        str words = problems_text(&out->problems, &out->arena);
        fwrite(words.p, 1, words.n, stderr);
    }
    return is_right;
}

bool config_is_usable(const parsed *p)
{
    return p->base.config.queue_directory.n > 0;
}

bool descriptors_complete(bool *out_had_input)
{
    *out_had_input = fcntl(0, F_GETFD) >= 0;
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            return false;
    return true;
}
