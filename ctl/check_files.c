/* Files and folders of the configuration and the queue: owners, modes, presence. Runs in: postrider check. */
#include "base/num.h"
#include "ctl/check.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who could change it, could have any mail. */
static void writers_check(checking *c, str path)
{
    struct stat st;
    arena a = arena_new(0);
    if (stat(arena_c(&a, path), &st) == 0) {
        if (st.st_mode & S_IWOTH)
            problem_error(c->problems, path, 0, "everybody may write to it (mode %04o)", st.st_mode & 07777);
        else if (st.st_mode & S_IWGRP && st.st_gid != 0 && c->is_root)
            problem_warning(c->problems, path, 0, "its group may write to it (mode %04o)", st.st_mode & 07777);
        if (c->is_root && st.st_uid != 0)
            problem_warning(c->problems, path, 0, "belongs to user %u, not to root", st.st_uid);
    }
    arena_free(&a);
}

/* Passwords and keys. */
static void readers_check(checking *c, str path)
{
    struct stat st;
    arena a = arena_new(0);
    if (path.n && stat(arena_c(&a, path), &st) == 0 && st.st_mode & S_IROTH)
        problem_warning(c->problems, path, 0, "everybody may read it (mode %04o)", st.st_mode & 07777);
    arena_free(&a);
}

void check_modes(checking *c)
{
    writers_check(c, c->parsed->directory);
    writers_check(c, c->parsed->main_file);
    writers_check(c, c->parsed->master_file);
    writers_check(c, c->config->daemon_directory);
    if (c->config->user_file.n)
        writers_check(c, c->config->user_file);
    readers_check(c, c->config->user_file);
    readers_check(c, c->config->smtpd_tls_key_file);
    if (!str_equal(c->config->tls_key_file, c->config->smtpd_tls_key_file))
        readers_check(c, c->config->tls_key_file);
}

typedef struct folder_row {
    const char *name;
    mode_t mode;
} folder_row;

/* As master makes them at the start. */
static const folder_row folders[] = {
    { "", 0755 }, { "/queue", 0711 }, { "/empty", 0555 }, { "/public", 0755 }, { "/drop", 03733 },
};

void check_queue_folders(checking *c)
{
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        struct stat st;
        str path = arena_printf(c->problems->arena, "%.*s%s", STR_ARG(c->config->queue_directory), folders[i].name);
        if (lstat(path.p, &st) != 0) {
            if (errno != ENOENT)
                problem_error(c->problems, path, 0, "%s", strerror(errno));
        } else if (!S_ISDIR(st.st_mode)) {
            problem_error(c->problems, path, 0, "is no folder");
        } else if ((st.st_mode & 07777) != folders[i].mode) {
            problem_warning(c->problems, path, 0, "has mode %04o instead of %04o: the next start mends it",
                            st.st_mode & 07777, folders[i].mode);
        }
    }
}

static const char *program_name(size_t i)
{
    static const char *const others[] = { "master",       "pickup",       "auth-worker",
                                          "local-worker", "imapd-worker", "pop3d-worker", "pipe-worker" };
    if (i < ROLE_COUNT)
        return role_name((service_role)i);
    return i - ROLE_COUNT < COUNT_OF(others) ? others[i - ROLE_COUNT] : NULL;
}

void check_programs(checking *c)
{
    for (size_t i = 0; program_name(i); i++) {
        str path = arena_printf(c->problems->arena, "%.*s/%s", STR_ARG(c->config->daemon_directory), program_name(i));
        bool is_used = i != ROLE_PAM || c->config->system_users;
        if (is_used && access(path.p, X_OK) != 0)
            problem_error(c->problems, path, 0, "cannot be run: %s", strerror(errno));
    }
}

void check_accounts(checking *c)
{
    static const char *const more[] = { "pickup", "auth-worker" };
    uint64_t first;
    str prefix = c->config->process_users;
    if (!c->is_root || num_parse(prefix, 1, UINT32_MAX, &first))
        return;
    for (size_t i = 0; i < ROLE_COUNT + COUNT_OF(more); i++) {
        const char *role = i < ROLE_COUNT ? role_name((service_role)i) : more[i - ROLE_COUNT];
        arena a = arena_new(0);
        str name = arena_printf(&a, "%.*s%s", STR_ARG(prefix), role);
        bool is_used = i != ROLE_PAM || c->config->system_users;
        if (is_used && getpwnam(name.p) == NULL)
            problem_error(c->problems, c->parsed->main_file, 0, "process_users: there is no account %s", name.p);
        arena_free(&a);
    }
}
