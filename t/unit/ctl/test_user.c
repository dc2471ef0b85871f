/* SOURCES: ctl/user.c ctl/home.c ctl/password.c ctl/options.c ctl/common/open.c ctl/common/text.c auth/worker/verify.c  NEEDS: db outside_crypt outside_jansson */
#include "auth/worker/verify.h"
#include "ctl/commands.h"
#include "ctl/home.h"
#include "ctl/password.h"
#include "db/users.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[100];

/* As in ctl/main.c, without its words. */
int command_run(const command *rows, size_t count, const char *of, invocation *in)
{
    (void)of;
    for (size_t i = 0; in->argc > 0 && i < count; i++)
        if (strcmp(rows[i].name, in->argv[0]) == 0) {
            in->name = rows[i].name;
            in->usage = rows[i].usage;
            return rows[i].run(in);
        }
    return EX_USAGE;
}

static void put(const char *name, const char *text)
{
    char file[120];
    file_owner owner = { .mode = 0600 };
    snprintf(file, sizeof file, "%s/%s", folder, name);
    assert_false(is_fault(file_replace(AT_FDCWD, file, str_c(text), owner)));
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_user.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(path, sizeof path, "%s/users", folder);
    put("main.cf", "myhostname = mx.example.test\nminimum_uid = 1\n");
    put("master.cf", "");
    return 0;
}

static int teardown(void **state)
{
    char remove_all[100];
    (void)state;
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

/* Runs "postrider user …" with the input given; the words are divided by blanks. */
static int run(const char *input, const char *words)
{
    char copy[400], *argv[32] = { NULL };
    int argc = 0, ends[2], before = dup(STDIN_FILENO);
    snprintf(copy, sizeof copy, "user %s", words);
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = word;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    invocation in = { .directory = folder, .argc = argc, .argv = argv };
    int status = command_users(&in);
    parsed_free(&in.parsed);
    dup2(before, STDIN_FILENO);
    close(before);
    return status;
}

/* The user as the file has it now; the caller frees both. */
static const user *load(users *us, arena *a, const char *name)
{
    problems ps = { .arena = a };
    *us = (users){ 0 };
    assert_false(is_fault(users_load(path, us, &ps)));
    assert_int_equal(ps.error_count, 0);
    problems_free(&ps);
    return users_find(us, str_c(name));
}

static void password_is(const char *name, const char *password, const char *prefix)
{
    arena a = arena_new(0);
    users us;
    const user *u = load(&us, &a, name);
    assert_non_null(u);
    assert_true(str_starts(u->password, str_c(prefix)));
    assert_int_equal(password_verify((secret){ str_c(password) }, (secret){ u->password }), PASSWORD_RIGHT);
    users_free(&us);
    arena_free(&a);
}

static void add_words(char *out, size_t size, const char *name, const char *more)
{
    snprintf(out, size, "add %s --uid %u --gid %u --home %s/%s%s", name, geteuid() ? geteuid() : 1234u,
             geteuid() ? getegid() : 1234u, folder, name, more);
}

static void a_user_is_added_with_home_and_maildir(void **state)
{
    char words[300], tmp[200];
    struct stat s;
    (void)state;
    add_words(words, sizeof words, "anna", "");
    assert_int_equal(run("geheim\n", words), 0);
    password_is("anna", "geheim", "{CRYPT}$y$");
    snprintf(tmp, sizeof tmp, "%s/anna/Maildir/tmp", folder);
    assert_int_equal(stat(tmp, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0700);
    assert_int_equal(s.st_uid, geteuid() ? geteuid() : 1234u);
    assert_int_not_equal(run("geheim\n", words), 0); /* there already */
}

static void schemes_are_as_asked_for(void **state)
{
    char words[300];
    (void)state;
    add_words(words, sizeof words, "anna", " --scheme SHA512");
    assert_int_equal(run("geheim", words), 0);
    password_is("anna", "geheim", "{SHA512-CRYPT}$6$");
    assert_int_equal(run("anders\r\n", "passwd anna --scheme plain"), 0);
    password_is("anna", "anders", "{PLAIN}");
    assert_int_not_equal(run("x\n", "passwd anna --scheme rot13"), 0);
    assert_int_not_equal(run("", "passwd anna"), 0);
    assert_int_not_equal(run("a:b\n", "passwd anna --scheme plain"), 0);
    assert_int_not_equal(run("x\n", "passwd bert"), 0);
    password_is("anna", "anders", "{PLAIN}");
}

static void a_user_is_locked_and_deleted(void **state)
{
    char words[300];
    arena a = arena_new(0);
    users us;
    (void)state;
    add_words(words, sizeof words, "anna", "");
    assert_int_equal(run("geheim\n", words), 0);
    assert_int_equal(run("", "passwd --lock anna"), 0);
    assert_true(str_equal(load(&us, &a, "anna")->password, STR("!")));
    users_free(&us);
    assert_int_equal(run("", "delete anna"), 0);
    assert_null(load(&us, &a, "anna"));
    users_free(&us);
    assert_int_not_equal(run("", "delete anna"), 0);
    arena_free(&a);
}

static void what_cannot_be_is_refused(void **state)
{
    char words[300];
    (void)state;
    add_words(words, sizeof words, "../x", "");
    assert_int_not_equal(run("x\n", words), 0);
    assert_int_not_equal(run("x\n", "add anna --uid 0 --home /nowhere --no-home"), 0);
    assert_int_not_equal(run("x\n", "add anna --uid no-such-account --home /nowhere"), 0);
    assert_int_not_equal(run("x\n", "add anna --uid 70000 --home /nowhere"), 0);
    assert_int_equal(run("x\n", "add"), EX_USAGE);
    assert_int_equal(run("x\n", "frobnicate"), EX_USAGE);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_list_is_text_or_json(void **state)
{
    char words[300];
    (void)state;
    assert_int_equal(run("", "list"), 0); /* no file yet */
    add_words(words, sizeof words, "anna", " --no-home");
    assert_int_equal(run("geheim\n", words), 0);
    assert_int_equal(run("", "list --json"), 0);
    put("users", "broken\n");
    assert_int_not_equal(run("", "list"), 0);
}

static void long_passwords_are_refused(void **state)
{
    char text[700];
    buf out = buf_new(2000);
    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(is_fault(password_hash((secret){ { text, 512 } }, STR(""), &out)));
    assert_false(is_fault(password_hash((secret){ { text, 511 } }, STR("sha512"), &out)));
    assert_true(is_fault(password_hash((secret){ STR("") }, STR(""), &out)));
    assert_true(is_fault(password_hash((secret){ STR("a\nb") }, STR(""), &out)));
    buf_free(&out);
}

static void a_link_in_a_home_leads_nowhere(void **state)
{
    char home[120], link_path[240], mail[160], target[140];
    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(home, sizeof home, "%s/eve", folder);
    snprintf(link_path, sizeof link_path, "%s/Maildir", home);
    snprintf(target, sizeof target, "%s/roots", folder);
    snprintf(mail, sizeof mail, "%s/Maildir", home);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(mkdir(home, 0700), 0);
    assert_int_equal(symlink(target, link_path), 0);
    assert_int_equal(chown(home, 1234, 1234), 0);
    assert_true(is_fault(home_make(home, mail, 1234, 1234)));
    snprintf(link_path, sizeof link_path, "%s/cur", target);
    assert_int_equal(access(link_path, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_added_with_home_and_maildir),
        TEST(schemes_are_as_asked_for),
        TEST(a_user_is_locked_and_deleted),
        TEST(what_cannot_be_is_refused),
        TEST(a_list_is_text_or_json),
        TEST(long_passwords_are_refused),
        TEST(a_link_in_a_home_leads_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
