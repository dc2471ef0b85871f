/* A folder of a test's own, with files that it writes; gone when the test ends. */
#pragma once
#include "base/arena.h"
#include "base/memory.h"
#include "db/map_build.h"
#include "db/table.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];
static arena mem;

static inline int folder_make(void **state)
{
    (void)state;
    memcpy(folder, "/tmp/test-db-XXXXXX", sizeof "/tmp/test-db-XXXXXX");
    mem = arena_new(0);
    return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove(void **state)
{
    char command[100];
    (void)state;
    arena_free(&mem);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static inline const char *path_of(const char *name)
{
    return arena_printf(&mem, "%s/%s", folder, name).p;
}

static inline str spec_of(const char *type, const char *name)
{
    return arena_printf(&mem, "%s:%s/%s", type, folder, name);
}

static inline void file_put(const char *name, str text)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_true(file_write_all(fd, text));
    close(fd);
}

static inline str file_get(const char *name)
{
    buf b = buf_new(64 * 1024 * 1024);
    assert_false(is_fault(file_read(AT_FDCWD, path_of(name), &b)));
    str copy = arena_copy(&mem, buf_str(&b));
    buf_free(&b);
    return copy;
}

static inline void touch_at(const char *name, time_t at_s)
{
    struct timespec times[] = { { .tv_sec = at_s }, { .tv_sec = at_s } };
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static inline size_t built(str spec, source_format format)
{
    problems ps = { .arena = &mem };
    size_t n = 0;
    fault f = map_build(spec, format, NULL, &ps, &n);
    if (is_fault(f))
        fail_msg("%s: %.*s", f.text, STR_ARG(problems_text(&ps, &mem)));
    problems_free(&ps);
    return n;
}

static inline table *opened(str spec, const table_context *context)
{
    table *t;
    fault f = table_open(spec, context, &t);
    if (is_fault(f))
        fail_msg("%s", f.text);
    return t;
}

static inline void finds(table *t, const char *key, const char *value)
{
    table_answer a;
    table_result r = table_find(t, str_c(key), &mem, &a);
    if (r == TABLE_FAILED)
        fail_msg("%s: %s", key, a.fault.text);
    if (value == NULL) {
        assert_int_equal(r, TABLE_ABSENT);
        return;
    }
    if (r != TABLE_FOUND)
        fail_msg("%s is not found", key);
    if (!str_equal(a.value, str_c(value)))
        fail_msg("%s: %.*s, not %s", key, STR_ARG(a.value), value);
}
