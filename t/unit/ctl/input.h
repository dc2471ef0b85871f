/* A program of sendmail's, given text as its standard input; what it says is kept. */
#pragma once
#include "t/unit/ctl/dropping.h"
#include <string.h>
#include <sys/mman.h>

static char said[20000];

static inline int memory_file(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Descriptors 0, 1 and 2 are put back before anything is asserted. */
static inline int with_input(const char *text, int (*run)(void *context), void *context)
{
    int in = memory_file(text), out = memory_file(""), kept[3];
    for (int i = 0; i < 3; i++)
        kept[i] = dup(i);
    fflush(stdout);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    int status = run(context);
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    ssize_t n = pread(out, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(in);
    close(out);
    return status;
}

static inline void file_has(const char *text, bool has)
{
    static char content[40000];
    char path[200];
    assert_int_equal(dropped(path, sizeof path), 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, content, sizeof content);
    assert_true(n > 0);
    close(fd);
    assert_int_equal(memmem(content, (size_t)n, text, strlen(text)) != NULL, has);
}
