/* Runs a subcommand of postrider in this process, on a configuration of its own under /tmp; what it says is in `said`. */
#pragma once
#include "ctl/commands.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef int verb(invocation *in);

static char folder[64], said[20000];

static inline void put(const char *name, const char *text)
{
    char file[120];
    file_owner owner = { .mode = 0600 };
    snprintf(file, sizeof file, "%s/%s", folder, name);
    assert_false(is_fault(file_replace(AT_FDCWD, file, str_c(text), owner)));
}

/* Runs the command; the words are divided by blanks. What it says anywhere is in `said`. */
static inline int run(verb *of, const char *words)
{
    char copy[400], file[100], *argv[32] = { NULL };
    int argc = 0, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = word;
    snprintf(file, sizeof file, "%s/said", folder);
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    invocation in = { .name = argv[0], .usage = "USAGE", .directory = folder, .argc = argc, .argv = argv };
    int status = of(&in);
    parsed_free(&in.parsed);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    return status;
}

static inline void says(const char *what)
{
    if (strstr(said, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, said);
}

static inline int teardown(void **state)
{
    char remove_all[100];
    (void)state;
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

static const char master_cf[] = "127.0.0.1:2525 inet n - y - - smtpd\n"
                                "meter unix y - y - 1 meter\npolicy unix y - y - 1 policy\n"
                                "cleanup unix y - y - - cleanup\nqmgr unix y - y - 1 qmgr\nlocal unix y - n - 1 local\n"
                                "auth unix y - y - 1 auth\npam unix y - n - 1 pam\n";

static inline void main_cf_put(const char *more)
{
    char text[1500];
    snprintf(text, sizeof text,
             "myhostname = mail.example.test\nqueue_directory = %s/spool\ndaemon_directory = %s/libexec\n"
             "process_users = 62000\nminimum_uid = 1000\nmydestination = mail.example.test\nmynetworks = 127.0.0.0/8\n"
             "virtual_mailbox_domains = example.test\nalias_maps = texthash:%s/aliases\n"
             "local_recipient_maps = $alias_maps\nalias_database =\ninet_protocols = ipv4\n%s",
             folder, folder, folder, more);
    put("main.cf", text);
}

static inline void world_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_ctl.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    main_cf_put("");
    put("master.cf", master_cf);
    put("aliases", "postmaster: anna@example.test\nroot: anna@example.test\n");
    put("users", "anna@example.test:{PLAIN}secret:20000:20000:/nowhere/anna:\n");
}
