/* A stopped suite that has a drop folder. */
#pragma once
#include "base/checksum.h"
#include "conf/config.h"
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];
static config the_config;

static inline int dropping_setup(void **state)
{
    char path[100];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_drop.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/drop", folder);
    the_config = (config){ .queue_directory = str_c(folder), .message_size_limit = 3000000 };
    return mkdir(path, 0700);
}

static inline int dropping_teardown(void **state)
{
    char remove_all[100];
    (void)state;
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

/* How many files are in the folder; *out is the path of one. */
static inline unsigned dropped(char *out, size_t size)
{
    unsigned n = 0;
    char path[100];
    snprintf(path, sizeof path, "%s/drop", folder);
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (out)
            snprintf(out, size, "%s/%.40s", path, e->d_name);
    }
    closedir(d);
    return n;
}

#define DROP_TEST(name) cmocka_unit_test_setup_teardown(name, dropping_setup, dropping_teardown)
