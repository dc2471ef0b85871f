#include "db/users.h"
#include "folder.h"
#include "os/lock.h"

static const char text[] = "# users\n"
                           "\n"
                           "Alice:{PLAIN}secret:1000:1000:/home/alice:\n"
                           "bob@example.com:{SHA512-CRYPT}$6$x$y:5000:5000::/var/mail/bob\n";

static void a_file_reads(void **state)
{
    problems ps = { .arena = &mem };
    users us;
    (void)state;
    file_put("users", str_c(text));
    assert_false(is_fault(users_load(path_of("users"), &us, &ps)));
    assert_int_equal(us.rows.n, 2);
    const user *u = users_find(&us, STR("aLICE"));
    assert_non_null(u);
    assert_true(str_equal(u->name, STR("Alice")) && str_equal(u->password, STR("{PLAIN}secret")));
    assert_true(str_equal(u->home, STR("/home/alice")) && u->mail.n == 0 && u->line == 3);
    u = users_find(&us, STR("bob@example.com"));
    assert_true(u && u->uid == 5000 && u->gid == 5000 && str_equal(u->mail, STR("/var/mail/bob")));
    assert_null(users_find(&us, STR("bob")));
    assert_null(users_find(&us, STR("")));
    assert_int_equal(ps.rows.n, 0);
    users_free(&us);
    assert_int_equal(users_load(path_of("none"), &us, &ps).kind, FAULT_TRY_LATER);
    users_free(&us);
}

static void mistakes_have_lines_and_no_passwords(void **state)
{
    static const char *const rows[] = { "a:SECRET:1:1:/x",  "a:SECRET:1:1:/x:y:z",     ":SECRET:1:1::",
                                        "a b:SECRET:1:1::", "a:SECRET:x:1::",          "a:SECRET:1:-1::",
                                        "a:SECRET:1:1:x:",  "a:SECRET:1:4294967295::", "a/b:SECRET:1:1::",
                                        "..:SECRET:1:1::",  "-a:SECRET:1:1::",         "ok:SECRET:1:1::\x01" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        problems ps = { .arena = &mem };
        users us;
        str whole = arena_printf(&mem, "good:x:1:1::\n%s\n", rows[i]);
        users_read(STR("users"), whole, &us, &ps);
        if (us.rows.n != 1 || ps.error_count != 1 || ps.rows.p[0].line != 2)
            fail_msg("row %zu: %zu users, %zu errors", i, us.rows.n, ps.error_count);
        assert_null(strstr(problems_text(&ps, &mem).p, "SECRET"));
        users_free(&us);
        problems_free(&ps);
    }
}

static void doubles_are_errors(void **state)
{
    problems ps = { .arena = &mem };
    users us;
    (void)state;
    users_read(STR("users"), STR("a:x:1:1::\nA:y:2:2::\n"), &us, &ps);
    assert_int_equal(ps.error_count, 1);
    assert_int_equal(users_find(&us, STR("A"))->uid, 1);
    users_free(&us);
    problems_free(&ps);
}

static void edits_keep_all_else(void **state)
{
    const user u = { STR_ROW("carol"), STR_ROW("{PLAIN}x"), 7, 8, STR_ROW("/home/carol"), STR_ROW("Maildir"), 0 };
    (void)state;
    file_put("users", str_c(text));
    chmod(path_of("users"), 0604);
    assert_false(is_fault(users_add(path_of("users"), &u)));
    assert_true(str_equal(file_get("users"), arena_printf(&mem, "%scarol:{PLAIN}x:7:8:/home/carol:Maildir\n", text)));
    assert_int_equal(users_add(path_of("users"), &u).kind, FAULT_REFUSED);

    assert_false(is_fault(users_set_password(path_of("users"), STR("ALICE"), STR("{X}new"))));
    assert_non_null(strstr(file_get("users").p, "\nAlice:{X}new:1000:1000:/home/alice:\nbob@"));
    assert_int_equal(users_set_password(path_of("users"), STR("none"), STR("x")).kind, FAULT_REFUSED);
    assert_int_equal(users_set_password(path_of("users"), STR("alice"), STR("a:b")).kind, FAULT_REFUSED);
    assert_int_equal(users_set_password(path_of("users"), STR("alice"), STR("a\nb")).kind, FAULT_REFUSED);

    assert_false(is_fault(users_delete(path_of("users"), STR("alice"))));
    assert_false(is_fault(users_delete(path_of("users"), STR("carol"))));
    assert_true(str_equal(file_get("users"),
                          STR("# users\n\nbob@example.com:{SHA512-CRYPT}$6$x$y:5000:5000::/var/mail/bob\n")));
    assert_int_equal(users_delete(path_of("users"), STR("alice")).kind, FAULT_REFUSED);

    struct stat st;
    assert_int_equal(stat(path_of("users"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0604);
}

static void the_first_user_makes_the_file(void **state)
{
    const user u = { .name = STR_ROW("a"), .password = STR_ROW("!"), .uid = 1, .gid = 1 };
    user bad = u;
    struct stat st;
    (void)state;
    assert_false(is_fault(users_add(path_of("users"), &u)));
    assert_true(str_equal(file_get("users"), STR("a:!:1:1::\n")));
    assert_int_equal(stat(path_of("users"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    bad.name = STR("b:c");
    assert_int_equal(users_add(path_of("users"), &bad).kind, FAULT_REFUSED);
    bad = u;
    bad.home = STR("relative");
    assert_int_equal(users_add(path_of("users"), &bad).kind, FAULT_REFUSED);
}

static void a_file_without_a_last_line_end(void **state)
{
    const user u = { .name = STR_ROW("b"), .password = STR_ROW("!"), .uid = 1, .gid = 1 };
    (void)state;
    file_put("users", STR("a:!:1:1::"));
    assert_false(is_fault(users_add(path_of("users"), &u)));
    assert_true(str_equal(file_get("users"), STR("a:!:1:1::\nb:!:1:1::\n")));
}

static void two_cannot_edit_at_once(void **state)
{
    const user u = { .name = STR_ROW("b"), .password = STR_ROW("!"), .uid = 1, .gid = 1 };
    int fd;
    (void)state;
    assert_false(is_fault(lock_take(AT_FDCWD, path_of("users.lock"), 0600, "the test", &fd)));
    assert_int_equal(users_add(path_of("users"), &u).kind, FAULT_TRY_LATER);
    assert_int_equal(access(path_of("users"), F_OK), -1);
    close(fd);
    assert_false(is_fault(users_add(path_of("users"), &u)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_reads),
        TEST(mistakes_have_lines_and_no_passwords),
        TEST(doubles_are_errors),
        TEST(edits_keep_all_else),
        TEST(the_first_user_makes_the_file),
        TEST(a_file_without_a_last_line_end),
        TEST(two_cannot_edit_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
